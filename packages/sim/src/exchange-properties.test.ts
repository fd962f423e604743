import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import { epochMs, fromDollars, micros, notional } from '@holdfast/core/units';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createExchange } from './exchange.js';
import type { ExchangeEvent, ExchangePort, MarketUpdate, OrderRequest, OrderType, TimeInForce } from './exchange-types.js';
import { ACME, AFTER_ALL, at, listSource, SESSION } from './list-source.js';
import { createSyntheticDay } from './market/synthetic.js';
import { createRandom, hashText } from './random.js';

const cents = fc.integer({ min: 4_900, max: 5_100 });
const dollarsOf = (amount: number) => fromDollars(amount / 100);

const update = fc.record({
  bid: cents,
  width: fc.integer({ min: 1, max: 8 }),
  size: fc.integer({ min: 0, max: 300 }),
  print: fc.option(cents),
  volume: fc.integer({ min: 1, max: 400 }),
  halted: fc.option(fc.boolean(), { freq: 8 }),
});
const order = fc.record({
  step: fc.integer({ min: 0, max: 30 }),
  clientId: fc.constantFrom(0, 2, 10),
  orderId: fc.integer({ min: 1, max: 12 }),
  side: fc.constantFrom('BUY' as const, 'SELL' as const),
  quantity: fc.integer({ min: 1, max: 500 }),
  type: fc.constantFrom<OrderType>('MKT', 'LMT', 'STP', 'STP LMT'),
  limit: cents,
  stop: cents,
  tif: fc.constantFrom<TimeInForce>('DAY', 'GTC', 'IOC', 'FOK', 'GTD'),
  group: fc.constantFrom('', 'a', 'b'),
  ocaType: fc.constantFrom(1 as const, 2 as const),
  action: fc.constantFrom('place' as const, 'place' as const, 'place' as const, 'cancel' as const, 'by-hand' as const),
});

interface Run {
  readonly exchange: ExchangePort;
  readonly events: readonly ExchangeEvent[];
}

/** One random day of ACME: an update a second from 10:00, orders in between, then on to the evening. */
function run(updates: readonly fcValue<typeof update>[], orders: readonly fcValue<typeof order>[]): Run {
  const market: MarketUpdate[] = updates.map(({ bid, width, size, print, volume, halted }, index) => {
    const price = print === null ? undefined : dollarsOf(print);
    return {
      at: epochMs(at('10:00:00') + index * 1_000),
      conId: ACME.conId,
      quote: { bid: dollarsOf(bid), ask: dollarsOf(bid + width), bidSize: size, askSize: size },
      ...(price === undefined ? {} : { trade: { open: price, high: price, low: price, close: price, volume } }),
      ...(halted === null ? {} : { halted }),
    };
  });
  const exchange = createExchange({ source: listSource(market), session: SESSION, startingCash: fromDollars(10_000_000) });
  const events: ExchangeEvent[] = [];
  exchange.subscribe(event => events.push(event));
  for (const wish of [...orders].sort((left, right) => left.step - right.step)) {
    exchange.advanceTo(epochMs(at('10:00:00') + wish.step * 1_000));
    if (wish.action === 'cancel') exchange.cancel(wish.clientId, wish.orderId);
    else if (wish.action === 'by-hand') exchange.manualTrade(ACME.conId, wish.side, wish.quantity);
    else exchange.place(requestOf(wish));
  }
  exchange.advanceTo(AFTER_ALL);
  return { exchange, events };
}
type fcValue<T> = T extends fc.Arbitrary<infer V> ? V : never;

function requestOf(wish: fcValue<typeof order>): OrderRequest {
  const { clientId, orderId, side, quantity, type, tif, group, ocaType } = wish;
  return {
    clientId,
    orderId,
    conId: ACME.conId,
    side,
    quantity,
    type,
    tif,
    ...(type === 'LMT' || type === 'STP LMT' ? { limitPrice: dollarsOf(wish.limit) } : {}),
    ...(type === 'STP' || type === 'STP LMT' ? { stopPrice: dollarsOf(wish.stop) } : {}),
    ...(tif === 'GTD' ? { goodTill: epochMs(at('10:00:10') + wish.step * 1_000) } : {}),
    ...(group ? { ocaGroup: group, ocaType } : {}),
    transmit: true,
  };
}

const day = [fc.array(update, { minLength: 5, maxLength: 40 }), fc.array(order, { maxLength: 25 })] as const;
const check = (property: (run: Run) => void) =>
  fc.assert(
    fc.property(...day, (updates, orders) => property(run(updates, orders))),
    { numRuns: 300 },
  );

describe('whatever is sent', () => {
  test('shares are conserved: the position is the signed sum of executions, an order’s fills are its executions, never more than asked', () => {
    check(({ exchange }) => {
      const executions = exchange.executions();
      const signed = executions.reduce((sum, { side, shares }) => sum + (side === 'BUY' ? shares : -shares), 0);
      expect(exchange.positions().find(position => position.conId === ACME.conId)?.quantity ?? 0).toBe(signed);
      for (const { permId, filled, request, status } of [...exchange.openOrders(), ...exchange.completedOrders()]) {
        const mine = executions.filter(execution => execution.permId === permId);
        expect(mine.reduce((sum, { shares }) => sum + shares, 0)).toBe(filled);
        expect(filled).toBeLessThanOrEqual(request.quantity);
        expect(status === 'Filled').toBe(filled === request.quantity);
      }
      expect(new Set(executions.map(({ execId }) => execId)).size).toBe(executions.length);
    });
  });

  test('money is conserved: cash moves by value and commission alone; realized + unrealized = what the account gained', () => {
    check(({ exchange }) => {
      const start = fromDollars(10_000_000);
      let cash: number = start;
      for (const { side, shares, price, commission } of exchange.executions()) {
        cash += (side === 'BUY' ? -1 : 1) * notional(price, shares) - commission;
        expect(commission).toBeGreaterThanOrEqual(0);
      }
      const account = exchange.account();
      expect(account.cash).toBe(cash);
      expect(account.realizedToday + account.unrealized).toBe(account.netLiquidation - start);
      const realized = exchange.executions().reduce((sum, { realizedPnl }) => sum + (realizedPnl ?? 0), 0);
      expect(account.realizedToday).toBe(realized);
    });
  });

  test('no fill outside the quote and the prints of its moment, none beyond its limit, none in a halt, none above the displayed size', () => {
    check(({ events }) => {
      let quote: Extract<ExchangeEvent, { kind: 'quote' }> | undefined;
      const limits = new Map<number, OrderRequest>();
      let [bought, sold] = [0, 0];
      for (const event of events) {
        if (event.kind === 'quote') {
          quote = event;
          [bought, sold] = [0, 0];
        }
        if (event.kind === 'order') limits.set(event.order.permId, event.order.request);
        if (event.kind !== 'execution') continue;
        const { price, side, shares, permId, clientId, orderId } = event.execution;
        const now = quote?.quote;
        const print = quote?.update.at === event.at ? quote.update.trade : undefined;
        if (!now) throw new Error('filled before any quote');
        expect(now.halted).toBe(false);
        expect(price).toBeGreaterThanOrEqual(Math.min(now.bid, print?.low ?? now.bid));
        expect(price).toBeLessThanOrEqual(Math.max(now.ask, print?.high ?? now.ask));
        const limit = limits.get(permId)?.limitPrice;
        if (limit !== undefined) expect(side === 'BUY' ? price <= limit : price >= limit).toBe(true);
        if (clientId === 0 && orderId < 0) continue; // a hand sweeps the book
        if (side === 'BUY') bought += shares;
        else sold += shares;
        const printed = quote?.update.trade?.volume ?? 0;
        expect(bought).toBeLessThanOrEqual(now.askSize + printed);
        expect(sold).toBeLessThanOrEqual(now.bidSize + printed);
      }
    });
  });

  test('a final order never changes again, and nothing of the day survives the close', () => {
    check(({ exchange, events }) => {
      const final = new Set<number>();
      for (const event of events) {
        if (event.kind !== 'order') continue;
        expect(final.has(event.order.permId)).toBe(false);
        if (['Filled', 'Cancelled', 'Inactive'].includes(event.order.status)) final.add(event.order.permId);
      }
      expect(exchange.openOrders().every(({ request }) => request.tif === 'GTC')).toBe(true);
    });
  });

  test('members of a group with block (1, 2) never fill more together than the largest of them asked for', () => {
    const sameSize = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(...day, sameSize, (updates, orders, quantity) => {
        // Both are there before the first quote: a member that joins later knows nothing of earlier fills.
        const exits = orders.slice(0, 2).map((wish, index) => ({
          ...wish,
          ...({ action: 'place', clientId: 10, side: 'SELL', group: 'a', ocaType: 2, tif: 'DAY', step: -1 } as const),
          orderId: index + 1,
          quantity,
        }));
        const { exchange } = run(updates, exits);
        expect(exchange.executions().reduce((sum, { shares }) => sum + shares, 0)).toBeLessThanOrEqual(quantity);
      }),
      { numRuns: 300 },
    );
  });
});

/** A synthetic day with a few hundred random orders on it. */
function eventHash(seed: number): { hash: number; executions: number } {
  const date = tradeDate('2026-03-09');
  const exchange = createExchange({ source: createSyntheticDay({ seed, date }), session: sessionOf(date), seed });
  let hash = 0;
  exchange.subscribe(event => {
    if (event.kind !== 'quote') hash = hashText(JSON.stringify(event), hash);
    else hash = hashText(`${event.quote.bid}/${event.quote.last}/${event.quote.volume}`, hash);
  });
  const random = createRandom(seed, 'orders');
  const { open } = sessionOf(date);
  for (let i = 1; i <= 100; i += 1) {
    exchange.advanceTo(epochMs(open + i * 30_000));
    const { conId } = exchange.instruments[random.below(exchange.instruments.length)] ?? ACME;
    const side = random.chance(1, 2) ? 'BUY' : 'SELL';
    const limitPrice = micros(exchange.quote(conId).bid + random.between(-20, 20) * 10_000);
    exchange.place({ clientId: 2, orderId: i, conId, side, quantity: random.between(1, 300), type: 'LMT', limitPrice, tif: 'DAY' });
  }
  exchange.advanceTo(epochMs(open + 3_600_000));
  return { hash, executions: exchange.executions().length };
}

test('the same seed and orders give the identical events, to the last bit', () => {
  const first = eventHash(11);
  expect(first.executions).toBeGreaterThan(30);
  expect(eventHash(11)).toEqual(first);
  expect(eventHash(12).hash).not.toBe(first.hash);
});
