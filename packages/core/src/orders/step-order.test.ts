import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMs, micros, shares } from '../units.js';
import { isFinal, isOurs, makeOrderRef, type Order, type OrderStatus } from './order.js';
import { bookFilled, meaningOfStatus, type OrderEventKind, stepOrder } from './step-order.js';

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
  quantity: shares(100),
  type: 'MKT',
  limitPrice: null,
  stopPrice: null,
  tif: 'IOC',
  goodTill: null,
  ocaGroup: null,
  status: 'INTENT',
  filled: shares(0),
  createdAt: epochMs(0),
  updatedAt: epochMs(0),
  reason: null,
};
const STATUSES: readonly OrderStatus[] = ['INTENT', 'SUBMITTED', 'CANCELLING', 'INACTIVE', 'LOST', 'CANCELLED', 'REJECTED', 'FILLED'];
const EVENTS: readonly OrderEventKind[] = [
  'echoed',
  'parked',
  'rejected',
  'cancelled',
  'cancelAsked',
  'cancelRefused',
  'neverHeardOf',
  'notSent',
];
const anOrder = fc
  .record({ status: fc.constantFrom(...STATUSES), filled: fc.integer({ min: 0, max: 100 }) })
  .map(({ status, filled }) => ({ ...ORDER, status, filled: shares(filled) }));

describe('B1: the order table', () => {
  it.each<[OrderStatus, OrderEventKind, OrderStatus | 'surprise']>([
    ['INTENT', 'echoed', 'SUBMITTED'],
    ['INTENT', 'neverHeardOf', 'LOST'],
    ['INTENT', 'notSent', 'CANCELLED'],
    ['INTENT', 'rejected', 'REJECTED'],
    ['INTENT', 'cancelRefused', 'surprise'],
    ['SUBMITTED', 'cancelAsked', 'CANCELLING'],
    ['SUBMITTED', 'parked', 'INACTIVE'],
    ['SUBMITTED', 'neverHeardOf', 'CANCELLED'],
    ['SUBMITTED', 'notSent', 'surprise'],
    ['CANCELLING', 'echoed', 'CANCELLING'],
    ['CANCELLING', 'cancelRefused', 'SUBMITTED'],
    ['CANCELLING', 'cancelled', 'CANCELLED'],
    ['INACTIVE', 'echoed', 'SUBMITTED'],
    ['LOST', 'echoed', 'SUBMITTED'],
    ['LOST', 'neverHeardOf', 'LOST'],
    ['CANCELLED', 'echoed', 'SUBMITTED'],
    ['REJECTED', 'echoed', 'surprise'],
    ['FILLED', 'echoed', 'FILLED'],
    ['FILLED', 'cancelled', 'FILLED'],
  ])('%s + %s → %s', (status, event, expected) => {
    const step = stepOrder({ ...ORDER, status }, event);
    expect(step.isSurprise ? 'surprise' : step.order.status).toBe(expected);
    if (step.isSurprise) expect(step.order.status).toBe(status);
  });

  it('what has ended stays ended, whatever is heard, and no step changes a quantity (all states × events)', () => {
    fc.assert(
      fc.property(anOrder, fc.constantFrom(...EVENTS), (order, event) => {
        const { order: next } = stepOrder(order, event, 'why');
        // Only the broker's own word that it works brings an ended order back.
        if (isFinal(order) && !(order.status === 'CANCELLED' && event === 'echoed')) expect(next.status).toBe(order.status);
        expect([next.filled, next.quantity, next.orderRef]).toEqual([order.filled, order.quantity, order.orderRef]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('I1: silence alone never ends an order that was never heard of', () => {
    const lost = stepOrder(ORDER, 'neverHeardOf').order;
    expect(isFinal(lost)).toBe(false);
    expect(isFinal(stepOrder(lost, 'neverHeardOf').order)).toBe(false);
  });
});

describe('B6: fills', () => {
  it.each<[OrderStatus, number, OrderStatus]>([
    ['INTENT', 40, 'SUBMITTED'],
    ['LOST', 40, 'SUBMITTED'],
    ['SUBMITTED', 40, 'SUBMITTED'],
    ['CANCELLING', 100, 'FILLED'],
    ['CANCELLED', 40, 'CANCELLED'],
    ['CANCELLED', 100, 'FILLED'],
    ['REJECTED', 100, 'FILLED'],
    ['SUBMITTED', 130, 'FILLED'],
  ])('%s with %i of 100 filled → %s', (status, filled, expected) => {
    expect(bookFilled({ ...ORDER, status }, filled)).toMatchObject({ status: expected, filled });
  });

  it('a correction that takes shares back leaves an order that is not working any more', () => {
    const full = bookFilled({ ...ORDER, status: 'SUBMITTED' }, 100);
    expect(bookFilled(full, 60)).toMatchObject({ status: 'CANCELLED', filled: 60 });
  });
});

it.each([
  ['PreSubmitted', 'echoed'],
  ['Submitted', 'echoed'],
  ['PendingCancel', null],
  ['ApiCancelled', 'cancelled'],
  ['Inactive', 'parked'],
  ['Filled', 'filled'],
  ['SomethingNew', null],
])('the broker says %s: %s', (word, meaning) => expect(meaningOfStatus(word)).toBe(meaning));

it('an orderRef of ours is told from any other text', () => {
  const ref = makeOrderRef('exit-manager', { tradeDate: '2026-03-09', lease: 7, counter: 12 });
  expect(ref).toBe('HFX-20260309-7-12');
  expect(isOurs(ref)).toBe(true);
  for (const other of ['', 'HF', 'HFX', 'HFX-2026-1-1', 'XHFX-20260309-7-12', 'my order']) expect(isOurs(other), other).toBe(false);
});
