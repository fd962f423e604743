import { epochMs, fromDollars, micros, monoMs } from '@holdfast/core/units';
import { beforeEach, describe, expect, test } from 'vitest';
import { createExchange, type ExchangeOptions } from '../exchange.js';
import type { ExchangePort, MarketUpdate, OrderRequest } from '../exchange-types.js';
import { ACME, AFTER_ALL, at, listSource, quoteOf, SESSION, tradeOf } from '../list-source.js';
import { createReferee, type Referee } from './referee.js';
import { type BooksView, compareWithStore } from './store-agrees.js';

const TRADER = 2;
const MANAGER = 10;

let exchange: ExchangePort;
let referee: Referee;
let machine: number;
let ids: number;

/** Machine time stands still unless a test moves it; exchange time follows the written market. ACME is 50.00 × 50.02 from 09:45. */
function begin(updates: readonly MarketUpdate[] = [], options: Partial<ExchangeOptions> = {}): void {
  machine = 1_000;
  ids = 0;
  exchange = createExchange({ source: listSource([quoteOf('09:45:00', 50, 50.02, 900), ...updates]), session: SESSION, ...options });
  referee = createReferee({ instruments: exchange.instruments, baseline: options.holdings ?? [], session: SESSION });
  exchange.subscribe(event => referee.observe(event, monoMs(machine)));
  referee.connected(MANAGER, monoMs(machine));
  exchange.advanceTo(at('10:00:00'));
}

function send(clientId: number, words: Partial<OrderRequest>): number {
  ids += 1;
  const orderRef = clientId === TRADER ? `HFD-20260309-1-${ids}` : clientId === MANAGER ? `HFX-20260309-1-${ids}` : '';
  exchange.place({
    clientId,
    orderId: ids,
    conId: ACME.conId,
    side: 'BUY',
    quantity: 100,
    type: 'MKT',
    tif: 'DAY',
    transmit: true,
    orderRef,
    ...words,
  });
  return ids;
}
const buy = (quantity = 100) => send(TRADER, { quantity });
const sell = (quantity = 100, words: Partial<OrderRequest> = {}) => send(MANAGER, { side: 'SELL', quantity, ...words });
const stop = (dollars: number) => sell(100, { type: 'STP', stopPrice: fromDollars(dollars) });
const advance = (clock: string) => exchange.advanceTo(at(clock));
const broken = () => referee.report().map(violation => violation.invariant);

/** The price at 49.50 (−104 bps of 50.02) with a quote every second from `from`, seconds long. */
const sunk = (from: string, seconds: number): MarketUpdate[] =>
  Array.from({ length: seconds }, (_, i) => {
    const update = quoteOf(from, 49.5, 49.52, 900);
    return { ...update, at: epochMs(update.at + i * 1_000), trade: tradeOf(from, 49.5, 10).trade ?? never() };
  });
const never = (): never => {
  throw new Error('a print has a trade');
};

beforeEach(() => begin());

test('a good day is silent: entry, target and disaster stop, target filled, restarts within the bound, flat', () => {
  begin([tradeOf('10:05:00', 50.92, 500)]);
  buy();
  const group = { ocaGroup: 'exits-1', ocaType: 2 } as const;
  sell(100, { type: 'LMT', limitPrice: fromDollars(50.92), ...group });
  sell(100, { type: 'STP', stopPrice: fromDollars(49.1), ...group });
  referee.disconnected(MANAGER, monoMs(machine));
  machine += 60_000; // the disaster stop rests meanwhile
  referee.connected(MANAGER, monoMs(machine));
  exchange.advanceTo(AFTER_ALL);
  expect(exchange.positions().every(position => position.quantity === 0)).toBe(true);
  expect(referee.report()).toEqual([]);
});

describe('I1: never an unintended short', () => {
  test('an oversell is found, even one share', () => {
    buy();
    sell(101);
    expect(referee.report()).toMatchObject([{ invariant: 'I1', symbol: 'ACME', at: at('10:00:00') }]);
  });

  test('a second full exit is found', () => {
    buy();
    sell();
    sell();
    expect(broken()).toEqual(['I1']);
  });

  test('selling into the baseline is found by its own count, though the account is not short', () => {
    begin([], { holdings: [{ conId: ACME.conId, quantity: 500, averageCost: fromDollars(40) }] });
    sell(100);
    expect(broken()).toEqual(['I12', 'I1']);
  });

  test('the operator may go short, and a fill that crosses his own sale within the grace is nobody’s fault; later it is', () => {
    exchange.manualTrade(ACME.conId, 'SELL', 50);
    expect(broken()).toEqual([]);
    begin();
    buy();
    exchange.manualTrade(ACME.conId, 'SELL', 100);
    advance('10:00:01');
    sell();
    expect(broken()).toEqual([]);
    begin();
    buy();
    exchange.manualTrade(ACME.conId, 'SELL', 100);
    advance('10:00:03');
    sell();
    expect(broken()).toEqual(['I1']);
  });
});

describe('I2: always protected', () => {
  test.each([
    ['6 s without guard are within the bound', 6_000, []],
    ['6.001 s are not', 6_001, ['I2']],
  ] as const)('%s', (_title, gap, expected) => {
    buy();
    referee.disconnected(MANAGER, monoMs(machine));
    machine += gap;
    referee.connected(MANAGER, monoMs(machine));
    expect(broken()).toEqual(expected);
  });

  test('a target is no guard, a resting stop is, until it is cancelled', () => {
    buy();
    sell(100, { type: 'LMT', limitPrice: fromDollars(52) });
    referee.disconnected(MANAGER, monoMs(machine));
    const id = stop(49);
    machine += 20_000;
    referee.disconnected(TRADER, monoMs(machine));
    expect(broken()).toEqual([]);
    exchange.cancel(MANAGER, id);
    machine += 7_000;
    buy(1); // any event brings the machine time on
    expect(broken()).toContain('I2');
  });

  test('a gap that never ends is found too', () => {
    begin([quoteOf('10:05:00', 50, 50.02, 100)]);
    buy();
    referee.disconnected(MANAGER, monoMs(machine));
    machine += 7_000;
    advance('10:05:00');
    expect(referee.report()).toMatchObject([{ invariant: 'I2', at: at('10:05:00') }]);
  });
});

describe('I3: a touched stop leads out', () => {
  test('a touch nobody answers is found 15 s after it held for 3 s, once', () => {
    begin(sunk('10:01:00', 40));
    buy();
    advance('10:01:18');
    expect(broken()).toEqual([]);
    exchange.advanceTo(AFTER_ALL);
    expect(referee.report()).toMatchObject([{ invariant: 'I3', at: at('10:01:19') }]);
  });

  test.each([
    ['a market sale in time', 10, {}, []],
    ['a sell limit at the bid in time', 10, { type: 'LMT', limitPrice: fromDollars(49.5) }, []],
    ['a sell limit above the bid', 10, { type: 'LMT', limitPrice: fromDollars(49.6) }, ['I3']],
    ['a stop that rests below', 10, { type: 'STP', stopPrice: fromDollars(49) }, ['I3']],
  ] as const)('%s', (_title, seconds, words, expected) => {
    begin(sunk('10:01:00', 40));
    buy();
    exchange.advanceTo(epochMs(at('10:01:00') + seconds * 1_000));
    sell(100, words);
    exchange.advanceTo(AFTER_ALL);
    expect(broken()).toEqual(expected);
  });

  test('a touch of two seconds owes nothing', () => {
    begin([...sunk('10:01:00', 3), quoteOf('10:01:03', 50, 50.02, 100), tradeOf('10:01:03', 50.01, 100)]);
    buy();
    exchange.advanceTo(AFTER_ALL);
    expect(broken()).toEqual([]);
  });

  test('only time in which the exit manager is connected counts', () => {
    begin(sunk('10:01:00', 60));
    buy();
    advance('10:01:10');
    referee.disconnected(MANAGER, monoMs(machine));
    advance('10:01:40');
    referee.connected(MANAGER, monoMs(machine));
    advance('10:01:49'); // 7 s were owed before, the clock goes on with the second look at 10:01:42
    expect(broken()).toEqual([]);
    exchange.advanceTo(AFTER_ALL);
    expect(referee.report()).toMatchObject([{ invariant: 'I3', at: at('10:01:50') }]);
  });

  test('who comes back and finds the price recovered owes nothing', () => {
    begin([
      ...sunk('10:01:00', 10),
      ...Array.from({ length: 3 }, (_, i) => quoteOf(`10:0${i + 2}:00`, 50, 50.02, 900)),
      tradeOf('10:02:00', 50, 1),
    ]);
    buy();
    advance('10:01:08');
    referee.disconnected(MANAGER, monoMs(machine));
    advance('10:01:50');
    referee.connected(MANAGER, monoMs(machine));
    exchange.advanceTo(AFTER_ALL);
    expect(broken()).toEqual([]);
  });

  test('a halt stops the clock', () => {
    begin([...sunk('10:01:00', 10), { at: at('10:01:10'), conId: ACME.conId, halted: true }, ...sunk('10:01:11', 40)]);
    buy();
    exchange.advanceTo(AFTER_ALL);
    expect(broken()).toEqual([]);
  });
});

describe('I4: no forbidden entry', () => {
  const boughtByHand = () => exchange.manualTrade(ACME.conId, 'BUY', 10);
  test.each<readonly [string, () => void, readonly string[]]>([
    ['while held', () => buy(), ['I4', 'I5']],
    ['after a close on the same day', () => [buy(), sell()], ['I4', 'I5']],
    ['after an entry that died unfilled', () => send(TRADER, { type: 'LMT', limitPrice: fromDollars(49), tif: 'IOC' }), []],
    ['long after the operator bought it', () => [boughtByHand(), advance('10:10:00')], ['I4']],
    ['in the moment the operator buys it', boughtByHand, []],
  ])('an entry %s', (_title, before, expected) => {
    before();
    buy();
    expect(broken()).toEqual(expected);
  });

  test('an entry beside a working one, and one in the baseline', () => {
    send(TRADER, { type: 'LMT', limitPrice: fromDollars(49) });
    send(TRADER, { type: 'LMT', limitPrice: fromDollars(48) });
    expect(broken()).toEqual(['I4']);
    begin([], { holdings: [{ conId: ACME.conId, quantity: 5, averageCost: fromDollars(40) }] });
    buy();
    expect(broken()).toEqual(['I4', 'I12']);
  });

  test('one refused by the exchange never reached it', () => {
    buy();
    buy(100_000);
    expect(broken()).toEqual([]);
  });
});

test('I5: twins are found, partial fills of one entry are not', () => {
  begin([quoteOf('10:01:00', 50, 50.02, 900)]);
  buy(1_500);
  advance('10:01:00');
  expect(broken()).toEqual([]);
  buy(1);
  expect(broken()).toContain('I5');
});

describe('I12: hands off', () => {
  test('a global cancel that takes the operator’s order is found, his own cancel is not', () => {
    send(0, { type: 'LMT', limitPrice: fromDollars(40), orderId: 5 });
    exchange.cancel(0, 5);
    expect(broken()).toEqual([]);
    send(0, { type: 'LMT', limitPrice: fromDollars(40), orderId: 6 });
    exchange.globalCancel();
    expect(broken()).toEqual(['I12']);
  });

  test('an order of his that our group takes along is found', () => {
    send(0, { type: 'LMT', limitPrice: fromDollars(40), ocaGroup: 'shared' });
    send(MANAGER, { ocaGroup: 'shared', ocaType: 1 });
    expect(broken()).toContain('I12');
  });
});

describe('I6: store == broker', () => {
  const execution = {
    execId: 'a.b.01.01',
    symbol: 'ACME',
    side: 'BUY',
    shares: 100,
    price: fromDollars(50),
    orderRef: 'HFD-20260309-1-1',
  } as const;
  const byHand = { ...execution, execId: 'a.c.01.01', orderRef: '' };
  const books = (more: Partial<BooksView> = {}): BooksView => ({
    positions: [{ symbol: 'ACME', quantity: 100 }],
    executions: [execution],
    realizedPnl: fromDollars(12.34),
    ...more,
  });

  test.each([
    ['the same books', {}, 0],
    [
      'a flat line on one side',
      {
        positions: [
          { symbol: 'ACME', quantity: 100 },
          { symbol: 'GONE', quantity: 0 },
        ],
      },
      0,
    ],
    ['a part of a cent', { realizedPnl: micros(12_341_000) }, 0],
    ['a cent', { realizedPnl: fromDollars(12.35) }, 1],
    ['a share', { positions: [{ symbol: 'ACME', quantity: 99 }] }, 1],
    [
      'a position nobody holds',
      {
        positions: [
          { symbol: 'ACME', quantity: 100 },
          { symbol: 'OTHR', quantity: 1 },
        ],
      },
      1,
    ],
    ['a missing execution of ours', { executions: [] }, 1],
    ['an invented execution', { executions: [execution, byHand] }, 1],
    ['another price', { executions: [{ ...execution, price: fromDollars(50.01) }] }, 1],
    ['an execution twice', { executions: [execution, execution] }, 1],
  ] as const)('%s', (_title, store, count) => {
    expect(compareWithStore(books(), books(store), { at: at('16:30:00') })).toHaveLength(count);
  });

  test('the operator’s executions may be missing, vanished positions do not count', () => {
    const truth = books({ executions: [execution, byHand], positions: [] });
    expect(compareWithStore(truth, books(), { at: at('16:30:00'), vanished: ['ACME'] })).toEqual([]);
  });
});
