import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { quoteOf } from './list-source.js';
import { AT_MARKET, BrokerBench } from './testing/broker-bench.js';

describe('who hears what (reference §2)', () => {
  test('orders and executions go to the client that placed them, positions to all', () => {
    const b = new BrokerBench();
    const [exits, entries] = [b.process(10), b.process(2)];
    entries.place(1, AT_MARKET);
    expect(entries.hear()).toEqual([
      'order 1 PreSubmitted',
      'status 1 PreSubmitted 0/100',
      'execution 1 100 @ 50.02',
      'commission',
      'order 1 Filled',
      'status 1 Filled 100/100',
      'position ACME 100',
      'portfolio 100',
    ]);
    expect(exits.hear()).toEqual(['position ACME 100', 'portfolio 100']);
  });

  test('a snapshot tells the orders and executions of all clients', () => {
    const b = new BrokerBench();
    const [exits, entries] = [b.process(10), b.process(2)];
    entries.place(1);
    entries.place(2, AT_MARKET);
    exits.hear();
    exits.broker.send({ do: 'request-snapshot', id: 5 });
    expect(exits.hear()).toEqual(['snapshot 5: 1 orders, 1 executions, 1 positions', 'commission']);
  });

  test('a cancel is confirmed by status and 202', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.place(1);
    exits.hear();
    exits.cancel(1);
    expect(exits.hear()).toEqual(['order 1 Cancelled', 'status 1 Cancelled 0/100', 'notice 1 202 cancelled']);
  });

  test.each([
    ['own-only', ['notice 1 10147 unknown-order'], 1],
    ['any-client', [], 0],
  ] as const)('another client’s order under %s', (ownership, heard, stillWorking) => {
    const b = new BrokerBench([], { ownership });
    const [exits, entries] = [b.process(10), b.process(2)];
    entries.place(1);
    exits.cancel(1);
    expect(exits.hear()).toEqual(heard);
    expect(b.exchange.openOrders()).toHaveLength(stillWorking);
  });
});

describe('connections', () => {
  test('I10: a hung process keeps its client id; killed, its successor gets it by trying again', () => {
    const b = new BrokerBench();
    const hung = b.process(10);
    const next = b.process(10, { connects: false });
    next.broker.connect();
    expect(b.fired).toContain('326 client id in use');
    hung.broker.close();
    b.pass(300, [next]);
    expect(next.broker.isUp).toBe(true);
    expect(next.hear().slice(0, 2)).toEqual(['connect-failed 326', 'connected next 1 session 1']);
  });

  test('a dead socket nobody told of: sends seem sent, the adapter gives up after 6 s, the id stays occupied for a while', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.broker.line.breakOff(4_000);
    expect(exits.place(1)).toBe(true);
    b.pass(5_900, [exits]);
    expect([exits.broker.isUp, b.exchange.openOrders()]).toEqual([true, []]);
    b.pass(5_000, [exits]);
    expect(exits.hear().slice(0, 2)).toEqual(['disconnected', 'connect-failed 326']);
    b.pass(6_000, [exits]);
    expect(exits.broker.isUp).toBe(true);
    expect(new Set(b.fired)).toEqual(new Set(['half-open', 'given up for dead', '326 client id in use']));
  });

  test('I2: an id that stays occupied for long is tried every second (seed 17906008)', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.broker.line.breakOff(20_000);
    b.pass(25_900, [exits]);
    expect([exits.broker.isUp, exits.hear().filter(word => word === 'connect-failed 326').length]).toEqual([false, 22]);
    b.pass(1_100, [exits]);
    expect(exits.broker.isUp).toBe(true);
  });

  test('a cut line drops what was on its way, and the adapter dials again by itself', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.place(1);
    exits.broker.cut('storm');
    b.pass(200, [exits]);
    expect(exits.hear().slice(0, 2)).toEqual(['disconnected', 'connected next 2 session 2']);
    expect(b.exchange.openOrders()).toHaveLength(1);
  });
});

describe('the gateway’s line to the broker', () => {
  const lost = (data: 'kept' | 'lost') => {
    const b = new BrokerBench([quoteOf('10:00:10', 50.1, 50.12, 300), quoteOf('10:00:20', 50.2, 50.22, 300)]);
    const exits = b.process(10);
    exits.place(1, AT_MARKET);
    exits.broker.send({ do: 'subscribe-pnl', conId: 101 });
    b.pass(1_000);
    exits.hear();
    b.gateway.loseBroker();
    exits.place(2, AT_MARKET);
    exits.broker.send({ do: 'request-snapshot', id: 1 });
    b.exchange.manualTrade(101, 'SELL', 10);
    b.pass(10_000);
    expect(exits.hear()).toEqual(['connectivity lost']);
    expect(b.exchange.executions()).toHaveLength(2);
    b.gateway.restoreBroker(data);
    b.pass(15_000);
    return { heard: exits.hear(), exits, b };
  };

  test('1100, then 1102: nothing arrives and nothing is told; the subscriptions go on', () => {
    const { heard, b } = lost('kept');
    expect(heard).toEqual(['connectivity restored', 'pnl 90 @ 50.20']);
    expect(b.fired.filter(kind => /1100|1102/.test(kind))).toEqual([
      '1100 broker lost',
      'send lost in 1100',
      'send lost in 1100',
      '1102 data kept',
    ]);
  });

  test('1100, then 1101: subscriptions are dead until asked for anew', () => {
    const { heard, exits, b } = lost('lost');
    expect(heard).toEqual(['connectivity restored-data-lost']);
    exits.broker.send({ do: 'subscribe-pnl', conId: 101 });
    exits.broker.send({ do: 'request-snapshot', id: 2 });
    b.pass(1_000);
    expect(exits.hear()).toContain('pnl 90 @ 50.20');
  });

  test('a fill of one’s own order meanwhile is unheard', () => {
    const b = new BrokerBench([quoteOf('10:00:10', 48.9, 48.92, 300)]);
    const exits = b.process(10);
    exits.place(1);
    b.gateway.loseBroker();
    b.pass(11_000);
    b.gateway.restoreBroker('kept');
    exits.hear();
    expect(b.fired).toContain('unheard in 1100');
    exits.broker.send({ do: 'request-executions', id: 1 });
    expect(exits.hear()).toEqual(['execution 1 100 @ 48.92', 'commission', 'executions-end']);
  });
});

describe('the gateway restarts', () => {
  const restarted = () => {
    const b = new BrokerBench([], {}, { holdings: [{ conId: 101, quantity: 100, averageCost: fromDollars(40) }] });
    const exits = b.process(10);
    exits.place(1);
    b.pass(5_000, [exits]);
    exits.place(2);
    exits.hear();
    b.gateway.restart({ now: b.now, downMs: 3_000, lostLastMs: 2_000, rollBackIds: 1, unsettledMs: 4_000 });
    return { b, exits };
  };

  test('the port refuses, the newest order is lost, ids roll back, the account is not ready at first', () => {
    const { b, exits } = restarted();
    b.pass(3_500, [exits]);
    const heard = exits.hear();
    expect([heard[0], heard[1]]).toEqual(['disconnected', 'connect-failed 502']);
    expect(heard.slice(-3)[0]).toMatch(/^connected next 1 session 2$|connect-failed/);
    b.pass(3_000, [exits]);
    expect(exits.broker.isUp).toBe(true);
    expect(b.exchange.openOrders().map(({ request }) => request.orderId)).toEqual([1]);
    expect(b.fired).toEqual(
      expect.arrayContaining(['gateway restart', 'connect refused', 'order lost by gateway', 'order id rolled back', 'account not ready']),
    );
  });

  test('answers lack a part until it has settled, and then the account is said to be ready', () => {
    const { b, exits } = restarted();
    b.pass(5_500, [exits]);
    exits.hear();
    for (let id = 1; id < 20; id += 1) exits.broker.send({ do: 'request-snapshot', id });
    const counts = exits.bodies().flatMap(body => (body.kind === 'snapshot' ? [body.openOrders.length + body.positions.length] : []));
    expect(new Set(counts).size).toBeGreaterThan(1);
    expect(b.fired).toContain('partial answer');
    b.pass(4_000, [exits]);
    expect(exits.hear()).toContain('account');
    exits.broker.send({ do: 'request-snapshot', id: 99 });
    expect(exits.hear()).toEqual(['snapshot 99: 1 orders, 0 executions, 1 positions']);
  });
});

test('positions in an answer may be some seconds old; executions are not', () => {
  const b = new BrokerBench();
  const exits = b.process(10);
  b.pass(10_000);
  exits.place(1, AT_MARKET);
  b.pass(2_000);
  exits.hear();
  b.gateway.faults.stalePositions = { odds: [1, 1], lowMs: 5_000, highMs: 5_000 };
  exits.broker.send({ do: 'request-snapshot', id: 1 });
  expect(exits.hear()[0]).toBe('snapshot 1: 0 orders, 1 executions, 0 positions');
  b.pass(4_000);
  exits.hear();
  exits.broker.send({ do: 'request-snapshot', id: 2 });
  expect(exits.hear()[0]).toBe('snapshot 2: 0 orders, 1 executions, 1 positions');
  expect(b.fired).toEqual(['stale position answer']);
});

test('corrections and busts are booked at the exchange and told to the client that placed the order', () => {
  const b = new BrokerBench();
  const [exits, entries] = [b.process(10), b.process(2)];
  entries.place(1, AT_MARKET);
  entries.hear();
  exits.hear();
  const [first] = b.exchange.executions();
  expect(b.gateway.correct(first?.execId ?? '', { price: fromDollars(50.05) })).toBe(true);
  expect(entries.hear().slice(0, 1)).toEqual(['execution 1 100 @ 50.05']);
  const [second] = b.exchange.executions();
  expect(b.gateway.correct(second?.execId ?? '', { shares: 0 })).toBe(true);
  expect(entries.hear()).toEqual(expect.arrayContaining(['execution 1 0 @ 50.05', 'position ACME 0']));
  expect(exits.hear()).toContain('position ACME 0');
  expect(b.fired).toEqual(['correction', 'bust']);
});
