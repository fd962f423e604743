import { atTime, sessionOf, tradeDate } from '@holdfast/core/calendar';
import { epochMs, fromDollars, type TradeDate } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { createExchange, type ExchangeOptions } from './exchange.js';
import type { ExchangeEvent, MarketSource, MarketUpdate, OrderRequest, SimulatedExchange, Split } from './exchange-types.js';
import { ACME, OTHER } from './list-source.js';
import { stormSource } from './market/storm.js';
import { tradingDays } from './market/trading-days.js';
import { createRandom } from './random.js';

const MONDAY = tradeDate('2026-03-09');
const TUESDAY = tradeDate('2026-03-10');
const HALF_DAY = tradeDate('2026-11-27');

/** `09:45:00` on a date: bid, ask, size, and perhaps the price of a print of 1000. */
type Words = readonly [clock: string, bid: number, ask: number, size: number, print?: number];

const dayOf = (date: TradeDate, lines: readonly Words[], splits: readonly Split[] = []): MarketSource => {
  const updates = lines.map(([clock, bid, ask, size, print]): MarketUpdate => {
    const price = fromDollars(print ?? 0);
    return {
      at: atTime(date, clock),
      conId: ACME.conId,
      quote: { bid: fromDollars(bid), ask: fromDollars(ask), bidSize: size, askSize: size },
      ...(print === undefined ? {} : { trade: { open: price, high: price, low: price, close: price, volume: 1_000 } }),
    };
  });
  let index = 0;
  return { name: 'by hand', date, instruments: [ACME, OTHER], splits, next: () => updates[index++], history: () => [] };
};

const PLAIN: readonly Words[] = [['09:30:00', 50, 50.02, 300, 50.01]];

/** An exchange at 10:00 of its first day. */
function stageOf(date = MONDAY, options: Partial<ExchangeOptions> = {}) {
  const exchange = createExchange({ source: dayOf(date, PLAIN), session: sessionOf(date), ...options });
  const events: ExchangeEvent[] = [];
  exchange.subscribe(event => events.push(event));
  exchange.advanceTo(atTime(date, '10:00'));
  let nextId = 0;
  const send = (words: Partial<OrderRequest> = {}): number => {
    nextId += 1;
    exchange.place({ clientId: 2, orderId: nextId, conId: ACME.conId, side: 'BUY', quantity: 100, type: 'MKT', tif: 'DAY', ...words });
    return nextId;
  };
  const open = () => exchange.openOrders().map(({ request }) => request.orderId);
  const toNextDay = (lines: readonly Words[], splits: readonly Split[] = []) => {
    const next = date === MONDAY ? TUESDAY : tradeDate('2026-11-30');
    exchange.beginDay({ source: dayOf(next, lines, splits), session: sessionOf(next) });
  };
  return { exchange, events, send, open, toNextDay };
}

const held = (exchange: SimulatedExchange) => exchange.position(ACME.conId).quantity;
const stopAt = (dollars: number): Partial<OrderRequest> => ({ side: 'SELL', type: 'STP', stopPrice: fromDollars(dollars), tif: 'GTC' });
const limitAt = (dollars: number): Partial<OrderRequest> => ({ side: 'SELL', type: 'LMT', limitPrice: fromDollars(dollars) });

describe('from one day to the next', () => {
  test('DAY orders died at the close; GTC ones, the position and cash are still there; realized P&L begins anew', () => {
    const { exchange, send, open, toNextDay } = stageOf();
    send({ quantity: 200 });
    send({ side: 'SELL' });
    send(limitAt(60));
    const carried = send({ ...limitAt(61), tif: 'GTC' });
    const { cash } = exchange.account();
    expect(exchange.account().realizedToday).toBeLessThan(0);
    toNextDay(PLAIN);
    expect(exchange.now).toBe(sessionOf(MONDAY).extendedClose);
    expect(open()).toEqual([carried]);
    expect([held(exchange), exchange.account().cash, exchange.account().realizedToday]).toEqual([100, cash, 0]);
    expect(exchange.position(ACME.conId).realizedToday).toBe(0);
  });

  test('executions and completed orders are answered until midnight in New York, and their ids never come again', () => {
    const { exchange, send, toNextDay } = stageOf();
    send();
    toNextDay(PLAIN);
    const [monday] = exchange.executions();
    exchange.advanceTo(epochMs(atTime(TUESDAY, '00:00') - 1));
    expect([exchange.executions().length, exchange.completedOrders().length]).toEqual([1, 1]);
    exchange.advanceTo(atTime(TUESDAY, '00:00'));
    expect([exchange.executions().length, exchange.completedOrders().length]).toEqual([0, 0]);
    exchange.advanceTo(atTime(TUESDAY, '10:00'));
    send();
    expect(exchange.executions()).toHaveLength(1);
    expect(exchange.executions()[0]?.execId).not.toBe(monday?.execId);
    expect(exchange.highestOrderId(2)).toBe(2);
  });

  test('a correction of the day before changes what is held, one of an older day is refused', () => {
    const { exchange, send, toNextDay } = stageOf();
    const { cash } = exchange.account();
    send();
    toNextDay(PLAIN);
    const [monday] = exchange.executions();
    exchange.advanceTo(atTime(TUESDAY, '10:00'));
    const busted = exchange.correct(monday?.execId ?? '', { shares: 0 });
    expect([held(exchange), exchange.account().realizedToday]).toEqual([0, 0]);
    expect(exchange.account().cash).toBe(cash);
    const wednesday = tradeDate('2026-03-11');
    exchange.beginDay({ source: dayOf(wednesday, PLAIN), session: sessionOf(wednesday) });
    expect(exchange.correct(busted?.execId ?? '', { shares: 100 })).toBeUndefined();
  });

  test('a correction of the second day leaves the first alone', () => {
    const { exchange, send, toNextDay } = stageOf();
    send();
    toNextDay(PLAIN);
    exchange.advanceTo(atTime(TUESDAY, '10:00'));
    const { cash } = exchange.account();
    send({ side: 'SELL' });
    exchange.correct(exchange.executions()[0]?.execId ?? '', { shares: 0 });
    expect([held(exchange), exchange.account().realizedToday]).toEqual([100, 0]);
    expect(exchange.account().cash).toBe(cash);
  });

  test('an opening below a carried stop fills it at the gap, not at its price', () => {
    const { exchange, send, toNextDay } = stageOf();
    send();
    send(stopAt(49));
    toNextDay([
      ['08:00:00', 44, 44.2, 300, 44.1],
      ['09:30:00', 45, 45.1, 60, 45.05],
      ['09:30:10', 44.5, 44.6, 300, 44.5],
    ]);
    exchange.advanceTo(atTime(TUESDAY, '09:29:59'));
    expect(held(exchange)).toBe(100);
    exchange.advanceTo(atTime(TUESDAY, '09:31'));
    expect(exchange.executions().map(({ shares, price }) => [shares, price])).toEqual([
      [60, fromDollars(45)],
      [40, fromDollars(44.5)],
    ]);
  });

  test('what is sent after the close waits for the next open; immediate orders do not wait, on-open ones meet the cross', () => {
    const { exchange, send, toNextDay } = stageOf();
    exchange.advanceTo(atTime(MONDAY, '16:10'));
    const queued = send();
    const onOpen = send({ tif: 'OPG', quantity: 70 });
    send({ tif: 'IOC' });
    const stop = send({ ...stopAt(49), tif: 'DAY' });
    expect(exchange.openOrders().map(({ request }) => request.orderId)).toEqual([queued, onOpen, stop]);
    toNextDay([['09:30:00', 51, 51.02, 300, 51.01]]);
    exchange.advanceTo(atTime(TUESDAY, '09:29:59'));
    expect(exchange.executions()).toEqual([]);
    exchange.advanceTo(atTime(TUESDAY, '09:30'));
    expect(exchange.executions().map(({ orderId, price }) => [orderId, price])).toEqual([
      [onOpen, fromDollars(51.01)],
      [queued, fromDollars(51.02)],
    ]);
    exchange.advanceTo(atTime(TUESDAY, '16:00'));
    expect(exchange.openOrders()).toEqual([]);
  });

  test('a good-till date in the night ends the order in the night', () => {
    const { exchange, send, toNextDay } = stageOf();
    send({ ...limitAt(60), tif: 'GTD', goodTill: atTime(TUESDAY, '02:00') });
    const later = send({ ...limitAt(60), tif: 'GTD', goodTill: atTime(TUESDAY, '11:00') });
    toNextDay(PLAIN);
    exchange.advanceTo(atTime(TUESDAY, '02:00'));
    expect(exchange.openOrders().map(({ request }) => request.orderId)).toEqual([later]);
    exchange.advanceTo(atTime(TUESDAY, '11:00'));
    expect(exchange.openOrders()).toEqual([]);
  });

  test('a half day ends its DAY orders at 13:00', () => {
    const { exchange, send, toNextDay } = stageOf(HALF_DAY);
    send(limitAt(60));
    exchange.advanceTo(atTime(HALF_DAY, '12:59:59'));
    expect([exchange.openOrders().length, exchange.isTrading(ACME.conId)]).toEqual([1, true]);
    exchange.advanceTo(atTime(HALF_DAY, '13:00'));
    expect([exchange.openOrders().length, exchange.isTrading(ACME.conId)]).toEqual([0, false]);
    toNextDay(PLAIN);
    expect(exchange.now).toBe(atTime(HALF_DAY, '17:00'));
  });

  test('before its first price a new day is valued at the close before it', () => {
    const { exchange, toNextDay } = stageOf(MONDAY, { holdings: [{ conId: ACME.conId, quantity: 10, averageCost: fromDollars(40) }] });
    toNextDay(PLAIN);
    expect(exchange.position(ACME.conId).mark).toBe(ACME.previousClose);
    expect(exchange.quote(ACME.conId)).toMatchObject({ bid: 0, ask: 0, volume: 0, halted: false });
  });

  test.each([
    ['two for one', 2, 1, 100, 200, 0],
    ['three for two, of an odd lot', 3, 2, 75, 112, 0.5],
    ['one for ten', 1, 10, 57, 5, 0.7],
  ])('a split %s changes the shares and not what was paid', (_title, numerator, denominator, before, after, fraction) => {
    const { exchange, events, send, toNextDay } = stageOf();
    send({ quantity: before });
    send(stopAt(40));
    const paid = exchange.position(ACME.conId).averageCost * before;
    const { cash } = exchange.account();
    events.length = 0;
    toNextDay(PLAIN, [{ conId: ACME.conId, numerator, denominator }]);
    expect(held(exchange)).toBe(after);
    expect(Math.abs(exchange.position(ACME.conId).averageCost * after - paid)).toBeLessThanOrEqual(Math.max(before, after));
    expect(exchange.account().cash - cash).toBe(Math.round(fraction * ACME.previousClose));
    expect(exchange.openOrders()).toEqual([]);
    expect(events.find(({ kind }) => kind === 'split')).toMatchObject({ before, after });
    expect(events.findLast(({ kind }) => kind === 'position')).toMatchObject({ position: { quantity: after } });
    expect(exchange.executions()).toHaveLength(1);
  });

  test('a day that has opened, or that does not list what is held, is refused', () => {
    const { exchange, send, toNextDay } = stageOf();
    send();
    const strange: MarketSource = { ...dayOf(TUESDAY, []), instruments: [OTHER] };
    expect(() => exchange.beginDay({ source: strange, session: sessionOf(TUESDAY) })).toThrow('does not list conId 101');
    exchange.advanceTo(atTime(TUESDAY, '09:31'));
    expect(() => toNextDay(PLAIN)).toThrow('has opened');
  });
});

describe('what the broker does by itself', () => {
  test('an order is withdrawn with a reason, its id stays used', () => {
    const { exchange, send } = stageOf();
    send(limitAt(60));
    const permId = exchange.openOrders()[0]?.permId ?? 0;
    expect(exchange.withdraw(permId, 'system maintenance')).toBe(true);
    expect(exchange.completedOrders()).toMatchObject([{ status: 'Cancelled', reason: 'system maintenance' }]);
    expect(exchange.withdraw(permId, 'again')).toBe(false);
  });

  test('an injected refusal rejects new orders and leaves changes of old ones alone', () => {
    const { exchange, events, send } = stageOf();
    const id = send(limitAt(60));
    exchange.deny = () => ({ code: 201, text: 'Order rejected - reason:No trading permissions.' });
    send();
    send({ ...limitAt(61), orderId: id });
    exchange.deny = undefined;
    expect(events.filter(({ kind }) => kind === 'rejected')).toMatchObject([{ orderId: 2, code: 201 }]);
    expect(exchange.openOrders()).toMatchObject([{ request: { limitPrice: fromDollars(61) } }]);
    send();
    expect(held(exchange)).toBe(100);
  });
});

test('over a week of storm, cash and positions are what the executions say, splits included', () => {
  for (const seed of [3, 4]) {
    const [first, ...rest] = tradingDays(tradeDate('2026-11-23'), 4);
    if (!first) throw new Error('a week has days');
    let source = stormSource({ seed, date: first, profile: 'storm' });
    const exchange = createExchange({ source, session: sessionOf(first), seed });
    const random = createRandom(seed, 'test orders');
    const books = new Map<number, number>();
    let cash: number = exchange.account().cash;
    exchange.subscribe(event => {
      if (event.kind === 'execution') {
        const { conId, side, shares, price, commission } = event.execution;
        const signed = side === 'BUY' ? shares : -shares;
        books.set(conId, (books.get(conId) ?? 0) + signed);
        cash -= signed * price + commission;
      } else if (event.kind === 'split' && event.before !== 0) {
        const { conId, numerator, denominator } = event.split;
        expect(books.get(conId)).toBe(event.before);
        books.set(conId, event.after);
        const price = exchange.instruments.find(instrument => instrument.conId === conId)?.previousClose ?? 0;
        cash += Math.round(((event.before * numerator - event.after * denominator) * price) / denominator);
      }
    });
    let orderId = 0;
    for (const date of [first, ...rest]) {
      if (date !== first) {
        source = stormSource({ seed, date, profile: 'storm', previous: source.closes() });
        exchange.beginDay({ source, session: sessionOf(date) });
      }
      const { open, close } = sessionOf(date);
      for (let at = open - 600_000; at < close + 600_000; at += 60_000) {
        exchange.advanceTo(epochMs(at));
        const { conId } = exchange.instruments[random.below(12)] ?? ACME;
        orderId += 1;
        const side = random.chance(1, 2) ? 'BUY' : 'SELL';
        exchange.place({
          clientId: 2,
          orderId,
          conId,
          side,
          quantity: random.between(1, 200),
          type: 'MKT',
          tif: random.chance(1, 2) ? 'DAY' : 'GTC',
        });
      }
    }
    expect(exchange.account().cash).toBe(cash);
    for (const { conId, quantity } of exchange.positions()) expect(quantity).toBe(books.get(conId));
    expect(orderId).toBeGreaterThan(1_000);
  }
}, 30_000);
