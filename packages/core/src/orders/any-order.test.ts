import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bookOf, executionsOf } from '../positions/book.js';
import type { Execution } from '../positions/execution.js';
import { epochMs, micros, shares } from '../units.js';
import { isFinal, type Order, type OrderStatus } from './order.js';
import { bookFilled, type OrderEventKind, stepOrder } from './step-order.js';

/** Every state × everything that can be heard: words of the broker and fills of any size, late, repeated, out of order, corrected and busted. */

const QUANTITY = 100;
const ORDER: Order = {
  orderRef: 'HFX-20260309-1-1',
  worker: 'exit-manager',
  clientId: 10,
  orderId: 1,
  permId: null,
  tradeId: 'HFD-20260309-1-1',
  contract: {
    conId: 1,
    symbol: 'ACME',
    secType: 'STK',
    exchange: 'SMART',
    primaryExchange: '',
    currency: 'USD',
    tick: micros(10_000),
    multiplier: 1,
  },
  role: 'exit',
  side: 'SELL',
  quantity: shares(QUANTITY),
  type: 'MKT',
  limitPrice: null,
  stopPrice: null,
  tif: 'DAY',
  goodTill: null,
  ocaGroup: null,
  status: 'INTENT',
  filled: shares(0),
  createdAt: epochMs(0),
  updatedAt: epochMs(0),
  reason: null,
};
const STATUSES: readonly OrderStatus[] = ['INTENT', 'SUBMITTED', 'CANCELLING', 'INACTIVE', 'LOST', 'CANCELLED', 'REJECTED', 'FILLED'];
const WORDS: readonly OrderEventKind[] = [
  'echoed',
  'parked',
  'rejected',
  'cancelled',
  'cancelAsked',
  'cancelRefused',
  'neverHeardOf',
  'missing',
  'expired',
  'notSent',
];

/** A report of one fill: `revision` above 1 corrects it, 0 shares bust it. Content follows from the id, as at the broker. */
interface Report {
  readonly slot: number;
  readonly revision: number;
  readonly size: number;
}
type Told = { readonly word: OrderEventKind } | { readonly report: Report };

const aReport = fc
  .record({ slot: fc.nat(4), revision: fc.integer({ min: 1, max: 3 }) })
  .chain(({ slot, revision }) =>
    fc.constantFrom(0, 1, 30, 40, 100, 130).map(base => ({ slot, revision, size: (base + slot * 7 + revision * 3) % 131 })),
  );
const byId = (reports: readonly Report[]): Report[] => [
  ...new Map(reports.map(report => [`${report.slot}.${report.revision}`, report])).values(),
];
const execution = ({ slot, revision, size }: Report): Execution => ({
  execId: `0001.${slot}.0${revision}`,
  at: epochMs(1_000 + slot),
  conId: 1,
  symbol: 'ACME',
  side: 'SELL',
  shares: shares(size),
  price: micros(50_000_000),
  orderRef: ORDER.orderRef,
  permId: 7,
  clientId: 10,
  orderId: 1,
});
const sumOf = (reports: readonly Report[]): number =>
  executionsOf(bookOf(reports.map(execution))).reduce((sum, one) => sum + one.shares, 0);

/** Takes what is told as the desk does: executions are kept by id, and the order's sum is theirs. */
function run(from: Order, told: readonly Told[]): { order: Order; heard: Report[]; trail: Order[] } {
  let order = from;
  const heard: Report[] = [];
  const trail = [from];
  for (const one of told) {
    if ('word' in one) order = stepOrder(order, one.word).order;
    else {
      heard.push(one.report);
      order = bookFilled(order, sumOf(heard));
    }
    trail.push(order);
  }
  return { order, heard, trail };
}

const aTold = fc.oneof(
  fc.constantFrom(...WORDS).map((word): Told => ({ word })),
  aReport.map((report): Told => ({ report })),
);

describe('B1, B6: all states × all that can be told', () => {
  it('filled is always what the newest word about each fill sums to, and nothing else moves it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATUSES), fc.array(aTold, { maxLength: 25 }), (status, told) => {
        const seen = new Map<string, Report>();
        // One id always tells the same.
        const honest = told.map(one => {
          if ('word' in one) return one;
          const id = `${one.report.slot}.${one.report.revision}`;
          if (!seen.has(id)) seen.set(id, one.report);
          return { report: seen.get(id) ?? one.report };
        });
        const { order, heard } = run({ ...ORDER, status }, honest);
        expect(order.filled).toBe(sumOf(heard));
        expect([order.quantity, order.orderRef, order.orderId]).toEqual([ORDER.quantity, ORDER.orderRef, ORDER.orderId]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('a full order is FILLED and stays so against every word; only a correction takes it back, and then it works no more', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATUSES), fc.array(fc.constantFrom(...WORDS), { maxLength: 10 }), (status, words) => {
        const full = bookFilled({ ...ORDER, status }, QUANTITY);
        expect(full.status).toBe('FILLED');
        const { order } = run(
          full,
          words.map(word => ({ word })),
        );
        expect(order.status).toBe('FILLED');
        expect(isFinal(bookFilled(order, QUANTITY - 1))).toBe(true);
      }),
    );
  });

  it('the order in which fills and corrections arrive, and repeats, change neither the sum nor the end', () => {
    fc.assert(
      fc.property(
        fc.array(aReport, { maxLength: 8 }).chain(reports => {
          const all = byId(reports);
          const twice: Told[] = [...all, ...all].map(report => ({ report }));
          const told: Told[] = [...twice, { word: 'cancelled' }];
          return fc.tuple(fc.constant(all), fc.shuffledSubarray(told, { minLength: told.length, maxLength: told.length }));
        }),
        fc.constantFrom<OrderStatus>('INTENT', 'SUBMITTED', 'CANCELLING', 'INACTIVE', 'LOST'),
        ([all, told], status) => {
          const { order } = run({ ...ORDER, status }, told);
          expect(order.filled).toBe(sumOf(all));
          expect(order.status).toBe(sumOf(all) >= QUANTITY ? 'FILLED' : 'CANCELLED');
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('I1: an order that may still trade never leaves the count by silence: only by a word of the broker, its time, or our own knowledge', () => {
    const silent: readonly OrderEventKind[] = ['missing', 'cancelAsked', 'cancelRefused', 'parked', 'echoed'];
    fc.assert(
      fc.property(
        fc.constantFrom<OrderStatus>('INTENT', 'SUBMITTED', 'CANCELLING', 'INACTIVE', 'LOST'),
        fc.array(fc.constantFrom(...silent), { maxLength: 20 }),
        (status, words) => {
          const { trail } = run(
            { ...ORDER, status },
            words.map(word => ({ word })),
          );
          for (const order of trail) expect(isFinal(order)).toBe(false);
        },
      ),
    );
  });

  it('an unknown pair is a surprise that keeps everything as it was', () => {
    for (const status of STATUSES)
      for (const word of WORDS) {
        const before = { ...ORDER, status };
        const { order, isSurprise } = stepOrder(before, word, 'why');
        if (isSurprise) expect(order, `${status} + ${word}`).toBe(before);
      }
  });
});
