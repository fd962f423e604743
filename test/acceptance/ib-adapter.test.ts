import { AdapterProbe } from '@holdfast/brokers/ib/testing/adapter-probe';
import type { Contract } from '@holdfast/core/contract';
import type { Order } from '@holdfast/core/orders/order';
import { fromDollars, micros, shares } from '@holdfast/core/units';
import { openRoom, type Room } from '@holdfast/sim/gateway/testing/gateway-room';
import { ACME, at, BOLT, quote } from '@holdfast/sim/gateway/testing/scripted-market';
import { afterEach, describe, expect, test } from 'vitest';

/** The adapter against the simulated gateway, over real sockets: two readings of one protocol. */

let room: Room;
let probes: AdapterProbe[] = [];
const connect = (clientId: number, options = {}): AdapterProbe => {
  const probe = new AdapterProbe({ port: room.gateway.port, clientId, ...options });
  probes.push(probe);
  probe.broker.connect();
  return probe;
};

afterEach(async () => {
  for (const probe of probes) probe.broker.close();
  const complaints = probes.flatMap(probe => probe.all('notice')).filter(({ code }) => code === 505 || code === 0);
  probes = [];
  await room.close();
  expect(complaints).toEqual([]);
});

const contractOf = (instrument: typeof ACME): Contract => ({
  conId: instrument.conId,
  symbol: instrument.symbol,
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: instrument.primaryExchange,
  currency: 'USD',
  tick: instrument.tick,
  multiplier: 1,
});

const order = (orderId: number, more: Partial<Order> = {}): Order => ({
  orderRef: `HFD-20260309-1-${orderId}`,
  worker: 'day-trader',
  clientId: 2,
  orderId,
  permId: null,
  tradeId: 'T1',
  contract: contractOf(ACME),
  role: 'entry',
  side: 'BUY',
  quantity: shares(100),
  type: 'MKT',
  limitPrice: null,
  stopPrice: null,
  tif: 'DAY',
  goodTill: null,
  ocaGroup: null,
  status: 'INTENT',
  filled: shares(0),
  createdAt: at('09:30:00'),
  updatedAt: at('09:30:00'),
  reason: null,
  ...more,
});
const place = (probe: AdapterProbe, placed: Order): boolean => probe.broker.send({ do: 'place', order: placed, decidedAt: probe.mono() });
const resting = (orderId: number, limit: number, more: Partial<Order> = {}): Order =>
  order(orderId, { type: 'LMT', limitPrice: fromDollars(limit), ...more });

describe('logging in', () => {
  test('connected with the next order id, the accounts and a session number', async () => {
    room = await openRoom();
    const probe = connect(2);
    expect(await probe.next('connected')).toMatchObject({ nextOrderId: 1, accounts: ['DU1234567'], session: 1 });
    expect(probe.broker.isUp).toBe(true);
    expect(await probe.next('account', one => one.values.cash !== undefined)).toMatchObject({
      account: 'DU1234567',
      values: { netLiquidation: fromDollars(100_000), cash: fromDollars(100_000), ready: true },
    });
  });

  test('an occupied client id is waited for: connect-failed with 326, then in once it is free', async () => {
    room = await openRoom();
    const first = connect(2);
    await first.next('connected');
    const second = connect(2);
    expect(await second.next('connect-failed')).toMatchObject({ code: 326 });
    expect(second.broker.isUp).toBe(false);
    first.broker.close();
    expect(await second.next('connected')).toMatchObject({ session: 1 });
  });

  test('a gateway with another account is not connected to', async () => {
    room = await openRoom();
    const probe = connect(2, { account: 'DU7654321' });
    const failed = await probe.next('connect-failed');
    expect(failed.reason).toContain('DU1234567');
    expect(probe.all('connected')).toEqual([]);
    expect(place(probe, order(1))).toBe(false);
    expect(room.gateway.truth().executions).toEqual([]);
  });
});

describe('orders', () => {
  test('a market order fills: execution and commission, known by its orderRef', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    expect(place(probe, order(1))).toBe(true);
    const { execution } = await probe.next('execution');
    expect(execution).toMatchObject({
      conId: 101,
      symbol: 'ACME',
      side: 'BUY',
      shares: 100,
      price: fromDollars(50.01),
      orderRef: 'HFD-20260309-1-1',
    });
    expect(execution.at).toBeGreaterThanOrEqual(at('09:30:02'));
    expect(await probe.next('commission')).toMatchObject({ execId: execution.execId, realizedPnl: null });
    expect(await probe.next('order-status', one => one.status === 'Filled')).toMatchObject({
      orderId: 1,
      clientId: 2,
      filled: 100,
      remaining: 0,
    });
    expect(await probe.next('open-order')).toMatchObject({ order: { orderRef: 'HFD-20260309-1-1', conId: 101, type: 'MKT', clientId: 2 } });
  });

  test('a resting order is changed under its id, then cancelled: 202 means cancelled, a second cancel finds it final', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    place(probe, resting(1, 49));
    await probe.next('open-order', one => one.order.limitPrice === fromDollars(49));
    place(probe, resting(1, 49.5));
    await probe.next('open-order', one => one.order.limitPrice === fromDollars(49.5));
    expect(room.gateway.truth().openOrders).toHaveLength(1);
    probe.broker.send({ do: 'cancel', orderRef: 'HFD-20260309-1-1', orderId: 1 });
    expect(await probe.next('order-notice')).toMatchObject({ orderId: 1, code: 202, meaning: 'cancelled' });
    expect(probe.all('order-status').at(-1)).toMatchObject({ status: 'Cancelled' });
    probe.broker.send({ do: 'cancel', orderRef: 'HFD-20260309-1-1', orderId: 1 });
    expect(await probe.next('order-notice', one => one.code === 10148)).toMatchObject({ meaning: 'already-final' });
  });

  test('a price off the tick rejects a new order and leaves a changed one alone', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    place(probe, resting(1, 49.001));
    expect(await probe.next('order-notice')).toMatchObject({ orderId: 1, code: 110, meaning: 'rejected' });
    place(probe, resting(2, 49));
    await probe.next('order-status', one => one.status === 'Submitted');
    place(probe, resting(2, 49.001));
    expect(await probe.next('order-notice', one => one.orderId === 2)).toMatchObject({ code: 110, meaning: 'modify-refused' });
    expect(room.gateway.truth().openOrders).toHaveLength(1);
  });

  test('another client’s order is not ours to cancel', async () => {
    room = await openRoom();
    const trader = connect(2);
    await trader.next('connected');
    place(trader, resting(1, 49));
    await trader.next('order-status', one => one.status === 'Submitted');
    const manager = connect(10);
    await manager.next('connected');
    manager.broker.send({ do: 'cancel', orderRef: 'HFD-20260309-1-1', orderId: 1 });
    expect(await manager.next('order-notice')).toMatchObject({ orderId: 1, code: 10147, meaning: 'unknown-order' });
    expect(room.gateway.truth().openOrders).toHaveLength(1);
  });

  test('an entry with a time to live dies by itself', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    place(probe, resting(1, 49, { tif: 'GTD', goodTill: at('09:30:04') }));
    await probe.next('order-status', one => one.status === 'Submitted');
    expect(await probe.next('order-notice', one => one.meaning === 'cancelled', 6_000)).toMatchObject({ orderId: 1 });
  });
});

describe('the whole picture', () => {
  test('a snapshot tells everybody’s orders, the day’s executions and the positions, in one event', async () => {
    room = await openRoom({ holdings: [{ conId: BOLT.conId, quantity: 300, averageCost: fromDollars(18) }] });
    const trader = connect(2);
    await trader.next('connected');
    place(trader, order(1));
    await trader.next('commission');
    place(trader, resting(2, 49));
    await trader.next('order-status', one => one.orderId === 2 && one.status === 'Submitted');

    const manager = connect(10);
    await manager.next('connected');
    expect(manager.broker.send({ do: 'request-snapshot', id: 7 })).toBe(true);
    const snapshot = await manager.next('snapshot');
    expect(snapshot).toMatchObject({ id: 7, session: 1 });
    expect(snapshot.openOrders).toMatchObject([
      { clientId: 2, orderId: 2, orderRef: 'HFD-20260309-1-2', limitPrice: fromDollars(49), status: 'Submitted' },
    ]);
    expect(snapshot.executions).toMatchObject([{ orderRef: 'HFD-20260309-1-1', shares: 100, symbol: 'ACME' }]);
    expect(snapshot.positions.map(({ contract, quantity }) => [contract.symbol, quantity, contract.tick])).toEqual(
      expect.arrayContaining([
        ['BOLT', 300, micros(10_000)],
        ['ACME', 100, micros(10_000)],
      ]),
    );
    expect(manager.all('execution')).toHaveLength(1);
    await manager.next('commission');
  });

  test('asked twice at once, the newest is answered, once', async () => {
    room = await openRoom();
    const probe = connect(10);
    await probe.next('connected');
    probe.broker.send({ do: 'request-snapshot', id: 1 });
    probe.broker.send({ do: 'request-snapshot', id: 2 });
    expect(await probe.next('snapshot')).toMatchObject({ id: 2, openOrders: [], executions: [], positions: [] });
    probe.broker.send({ do: 'request-snapshot', id: 3 });
    await probe.next('snapshot', one => one.id === 3);
    expect(probe.all('snapshot').map(({ id }) => id)).toEqual([2, 3]);
  });

  test('an execution request ends with its own id', async () => {
    room = await openRoom();
    const probe = connect(10);
    await probe.next('connected');
    probe.broker.send({ do: 'request-executions', id: 41 });
    expect(await probe.next('executions-end')).toMatchObject({ id: 41 });
  });

  test('a position opened by hand is pushed, and its P&L stream marks it without any market data', async () => {
    room = await openRoom();
    const probe = connect(10);
    await probe.next('connected');
    probe.broker.send({ do: 'request-snapshot', id: 1 });
    await probe.next('snapshot');
    room.gateway.manualTrade('ACME', 'BUY', 200);
    expect(await probe.next('position')).toMatchObject({ position: { quantity: 200, contract: { conId: 101, symbol: 'ACME' } } });
    probe.broker.send({ do: 'subscribe-pnl', conId: 101 });
    expect(await probe.next('pnl-mark')).toMatchObject({ conId: 101, quantity: 200, price: fromDollars(50) });
    room.soon(now => quote(now, ACME.conId, [50.99, 51.01]));
    await probe.next('pnl-mark', one => one.price > fromDollars(50.5), 4_000);
    expect(await probe.next('portfolio-mark')).toMatchObject({ contract: { symbol: 'ACME' } });
    probe.broker.send({ do: 'unsubscribe-pnl', conId: 101 });
  });
});

describe('instruments', () => {
  test('a contract with its tick and today’s liquid hours; an unknown ticker is said to be unknown', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    probe.broker.send({ do: 'request-contract', requestId: 5, symbol: 'ACME' });
    const { contract, liquidHours } = await probe.next('contract', one => one.requestId === 5);
    expect(contract).toEqual(contractOf(ACME));
    expect(liquidHours[0]).toEqual({ open: at('09:30:00'), close: at('16:00:00') });
    probe.broker.send({ do: 'request-contract', requestId: 6, symbol: 'NOPE' });
    expect(await probe.next('contract-unknown')).toMatchObject({ requestId: 6 });
  });
});

describe('market data', () => {
  test('a line’s ticks come as one merged quote, live; nothing comes after it is given up', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    probe.broker.send({ do: 'subscribe-quotes', contract: contractOf(ACME) });
    const { quote: first } = await probe.next('quote', one => one.quote.bid > 0 && one.quote.ask > 0 && one.quote.last > 0);
    expect(first).toMatchObject({
      bid: fromDollars(49.99),
      ask: fromDollars(50.01),
      bidSize: 1000,
      askSize: 1000,
      last: fromDollars(50),
      close: fromDollars(50),
      delayed: false,
      halted: false,
    });
    room.soon(now => quote(now, ACME.conId, [50.1, 50.12, 300, 400]));
    const { quote: second } = await probe.next('quote', one => one.quote.ask === fromDollars(50.12) && one.quote.askSize === 400);
    expect(second).toMatchObject({ bid: fromDollars(50.1), bidSize: 300, last: fromDollars(50) });
    probe.broker.send({ do: 'unsubscribe-quotes', conId: 101 });
    await probe.quiet(100);
    const before = probe.all('quote').length;
    room.soon(now => quote(now, ACME.conId, [51, 51.02]));
    await probe.quiet(400);
    expect(probe.all('quote')).toHaveLength(before);
  });

  test('without a subscription: delayed where asked for, and marked so', async () => {
    room = await openRoom({ gateway: { liveData: false } });
    const probe = connect(2, { liveData: 3 });
    await probe.next('connected');
    probe.broker.send({ do: 'subscribe-quotes', contract: contractOf(ACME) });
    expect(await probe.next('quote')).toMatchObject({ conId: 101, quote: { delayed: true } });
    expect(probe.all('quote').every(one => one.quote.delayed)).toBe(true);
  });

  test('without a subscription and asked for live only: said, and the line is free to be asked for again', async () => {
    room = await openRoom({ gateway: { liveData: false } });
    const probe = connect(2);
    await probe.next('connected');
    const refusals = () => probe.all('notice').filter(({ text }) => text.startsWith('no market data for ACME'));
    probe.broker.send({ do: 'subscribe-quotes', contract: contractOf(ACME) });
    await probe.next('notice', one => one.code === 354);
    probe.broker.send({ do: 'subscribe-quotes', contract: contractOf(ACME) });
    await probe.until('the second refusal', () => refusals().length === 2);
  });

  test('five-second bars carry the start of the bar', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    probe.broker.send({ do: 'subscribe-bars', contract: contractOf(ACME) });
    const { conId, bar } = await probe.next('bar', () => true, 8_000);
    expect(conId).toBe(101);
    expect(bar.at % 5_000).toBe(0);
    expect(bar.close).toBeGreaterThan(fromDollars(49));
  });

  test('history comes as one event, oldest first; what can’t be asked fails under the same id', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    const ask = (requestId: number, duration: string, barSize: string): boolean =>
      probe.broker.send({ do: 'request-history', requestId, contract: contractOf(ACME), duration, barSize, rthOnly: false });
    ask(1, '1800 S', '30 secs');
    const { bars } = await probe.next('history', one => one.requestId === 1);
    expect(bars.length).toBeGreaterThan(10);
    expect(bars[0]).toMatchObject({ open: fromDollars(50), high: fromDollars(50.5), low: fromDollars(49.5), close: fromDollars(50.25) });
    expect(bars.map(({ at: start }) => start)).toEqual([...bars.map(({ at: start }) => start)].sort((a, b) => a - b));
    ask(2, '1 D', '1 secs');
    expect(await probe.next('history-failed', one => one.requestId === 2)).toMatchObject({ text: expect.stringContaining('57600 bars') });
    ask(3, '1 D', '7 secs');
    await probe.next('history-failed', one => one.requestId === 3);
  });

  test('history of a time without trades is an empty answer, not a failure', async () => {
    // Before the open, in regular hours only: the gateway says 162, "returned no data".
    room = await openRoom({ script: [], gateway: { start: '09:29:10' } });
    const probe = connect(2);
    await probe.next('connected');
    const asked = { contract: contractOf(ACME), duration: '300 S', barSize: '30 secs', rthOnly: true };
    probe.broker.send({ do: 'request-history', requestId: 1, ...asked });
    expect((await probe.next('history', one => one.requestId === 1)).bars).toEqual([]);
  });

  test('a scan lists instruments by rank; an unknown one is refused aloud', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    probe.broker.send({ do: 'subscribe-scanner', requestId: 9, scan: 'TOP_PERC_GAIN' });
    const { rows } = await probe.next('scanner', one => one.requestId === 9);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows[0]).toMatchObject({ rank: 0 });
    probe.broker.send({ do: 'subscribe-scanner', requestId: 10, scan: 'TOP_NONSENSE' });
    expect(probe.takeComplaint('TOP_NONSENSE')).toBeDefined();
  });
});

describe('a lost connection', () => {
  test('A10: nothing is sent or kept for later while down, and the next session re-sends nothing', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    place(probe, resting(1, 49));
    await probe.next('order-status', one => one.status === 'Submitted');
    room.gateway.outage(300);
    await probe.next('disconnected');
    expect(probe.broker.isUp).toBe(false);
    expect(place(probe, order(2))).toBe(false);
    expect(probe.broker.send({ do: 'cancel', orderRef: 'x', orderId: 1 })).toBe(false);
    expect(probe.broker.send({ do: 'request-snapshot', id: 1 })).toBe(false);
    expect(await probe.next('connected', one => one.session === 2)).toMatchObject({ nextOrderId: 2 });
    probe.broker.send({ do: 'request-snapshot', id: 2 });
    const snapshot = await probe.next('snapshot');
    expect(snapshot).toMatchObject({ id: 2, session: 2 });
    expect(snapshot.openOrders).toHaveLength(1);
    expect(snapshot.executions).toEqual([]);
  });

  test('requests that waited in line die with the connection', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    for (let n = 0; n < 120; n += 1) probe.broker.send({ do: 'request-contract', requestId: n, symbol: 'ACME' });
    room.gateway.drop(2);
    await probe.next('connected', one => one.session === 2);
    const before = probe.all('contract').length;
    probe.broker.send({ do: 'request-snapshot', id: 1 });
    await probe.next('snapshot');
    await probe.quiet(300);
    expect(probe.all('contract')).toHaveLength(before);
  });

  test('a fill during the outage is found by asking', async () => {
    room = await openRoom();
    const probe = connect(2);
    await probe.next('connected');
    place(probe, resting(1, 49.98));
    await probe.next('order-status', one => one.status === 'Submitted');
    room.gateway.outage(300);
    await probe.next('disconnected');
    room.soon(now => quote(now, ACME.conId, [49.95, 49.97]));
    await probe.next('connected', one => one.session === 2);
    probe.broker.send({ do: 'request-snapshot', id: 1 });
    expect((await probe.next('snapshot')).executions).toMatchObject([{ orderRef: 'HFD-20260309-1-1', shares: 100 }]);
  });

  test('reconnect is close and connect: same client id, next session', async () => {
    room = await openRoom();
    const probe = connect(10);
    await probe.next('connected');
    probe.broker.close();
    await probe.next('disconnected');
    probe.broker.connect();
    expect(await probe.next('connected', one => one.session === 2)).toMatchObject({ session: 2 });
  });
});

describe('time', () => {
  test('paced: every pushed second is told, and the gateway waits until it is acknowledged', async () => {
    room = await openRoom({ gateway: { speed: 20, waitFor: [10] } });
    const probe = connect(10, { paced: true });
    await probe.next('connected');
    const first = await probe.next('time');
    const seen = (): number => new Set(probe.all('time').map(({ seconds }) => seconds)).size;
    await probe.quiet(600);
    expect(seen()).toBeLessThan(6);
    probe.onTime = () => probe.broker.acknowledgeTime();
    probe.broker.acknowledgeTime();
    await probe.next('time', one => one.seconds >= first.seconds + 20, 4_000);
    expect(room.gateway.truth().pace.brakedMs.behind).toBeGreaterThan(0);
  });

  test('unpaced: the watchdog’s question brings the gateway’s clock', async () => {
    room = await openRoom();
    const probe = connect(10, { watchdogIntervalMs: 100 });
    const { seconds } = await probe.next('time');
    expect(seconds * 1000).toBeGreaterThanOrEqual(at('09:30:00'));
  });
});
