import type { Order, OrderStatus } from './order.js';

/** What can happen to an order, in our words. Fills are not among them: they move any state and are booked first (see `bookFilled`). */
export type OrderEventKind =
  | 'echoed' // the broker works it or holds it: any openOrder or status that is not an end
  | 'parked' // Inactive without a rejection
  | 'rejected'
  | 'cancelled'
  | 'cancelAsked'
  | 'cancelRefused' // the cancel failed and the order lives
  | 'neverHeardOf' // a full barrier on a new session under the same client id does not know it
  | 'missing' // a complete answer leaves it out though the broker had worked it and it could still rest there
  | 'expired' // its time in force is over, and a complete answer leaves it out
  | 'notSent'; // we know for sure that it never left this process

/**
 * Where an order can go, as IB really behaves. A missing cell is a surprise: keep the state and reconcile. `same` means heard
 * again, which is ordinary (orderStatus is often repeated two or three times, IB docs "order_submission").
 */
const NEXT = {
  INTENT: {
    echoed: 'SUBMITTED',
    parked: 'INACTIVE',
    rejected: 'REJECTED',
    cancelled: 'CANCELLED',
    cancelAsked: 'CANCELLING',
    neverHeardOf: 'LOST',
    missing: 'LOST',
    expired: 'CANCELLED',
    notSent: 'CANCELLED',
  },
  SUBMITTED: {
    echoed: 'SUBMITTED',
    cancelAsked: 'CANCELLING',
    parked: 'INACTIVE',
    cancelled: 'CANCELLED',
    rejected: 'REJECTED',
    neverHeardOf: 'CANCELLED',
    missing: 'LOST',
    expired: 'CANCELLED',
  },
  CANCELLING: {
    echoed: 'CANCELLING',
    cancelAsked: 'CANCELLING',
    cancelled: 'CANCELLED',
    rejected: 'REJECTED',
    cancelRefused: 'SUBMITTED',
    parked: 'CANCELLING',
    neverHeardOf: 'CANCELLED',
    missing: 'LOST',
    expired: 'CANCELLED',
  },
  // May come back to life (locates, deactivated orders): not an end.
  INACTIVE: {
    echoed: 'SUBMITTED',
    parked: 'INACTIVE',
    cancelAsked: 'CANCELLING',
    cancelled: 'CANCELLED',
    rejected: 'REJECTED',
    neverHeardOf: 'CANCELLED',
    missing: 'LOST',
    expired: 'CANCELLED',
  },
  // It was only late; or asked about once more and dead for sure.
  LOST: {
    echoed: 'SUBMITTED',
    parked: 'INACTIVE',
    cancelled: 'CANCELLED',
    rejected: 'REJECTED',
    neverHeardOf: 'LOST',
    missing: 'LOST',
    expired: 'CANCELLED',
    notSent: 'CANCELLED',
  },
  // Counted as gone from an answer that was not the whole truth (right after a gateway start): it works, and counts as working again.
  CANCELLED: {
    echoed: 'SUBMITTED',
    cancelled: 'CANCELLED',
    rejected: 'CANCELLED',
    neverHeardOf: 'CANCELLED',
    missing: 'CANCELLED',
    expired: 'CANCELLED',
    notSent: 'CANCELLED',
  },
  REJECTED: {
    rejected: 'REJECTED',
    parked: 'REJECTED',
    cancelled: 'REJECTED',
    neverHeardOf: 'REJECTED',
    missing: 'REJECTED',
    expired: 'REJECTED',
  },
  FILLED: {
    echoed: 'FILLED',
    cancelled: 'FILLED',
    rejected: 'FILLED',
    cancelRefused: 'FILLED',
    neverHeardOf: 'FILLED',
    missing: 'FILLED',
    expired: 'FILLED',
  },
} as const satisfies Record<OrderStatus, Partial<Record<OrderEventKind, OrderStatus>>>;

export interface OrderStep {
  readonly order: Order;
  /** The pair is not in the table: the state was kept, and the caller should reconcile. */
  readonly isSurprise: boolean;
}

/** One step of the table. `reason` is kept when the order ends. */
export function stepOrder(order: Order, event: OrderEventKind, reason: string | null = null): OrderStep {
  const row: Partial<Record<OrderEventKind, OrderStatus>> = NEXT[order.status];
  const status = row[event];
  if (status === undefined) return { order, isSurprise: true };
  if (status === order.status && (reason === null || order.reason !== null)) return { order, isSurprise: false };
  return { order: { ...order, status, reason: reason ?? order.reason }, isSurprise: false };
}

/**
 * The order after its executions sum to `filled`. A fill moves any state, since the cancel may have lost the race, and a correction may
 * lower the sum again: a FILLED order that is no longer full goes back to CANCELLED (it is not working any more).
 */
export function bookFilled(order: Order, filled: number): Order {
  if (filled === order.filled) return order;
  const full = filled >= order.quantity;
  const status = full
    ? 'FILLED'
    : order.status === 'FILLED'
      ? 'CANCELLED'
      : order.status === 'INTENT' || order.status === 'LOST'
        ? 'SUBMITTED'
        : order.status;
  return { ...order, filled: filled as Order['filled'], status };
}

/** IB's status words in ours. `Filled` is not an end by itself: only executions are. Null = a word that says nothing new. */
export function meaningOfStatus(word: string): OrderEventKind | 'filled' | null {
  switch (word) {
    case 'PendingSubmit':
    case 'ApiPending':
    case 'PreSubmitted':
    case 'Submitted':
      return 'echoed';
    case 'PendingCancel':
      return null;
    case 'Cancelled':
    case 'ApiCancelled':
      return 'cancelled';
    case 'Inactive':
      return 'parked';
    case 'Filled':
      return 'filled';
    default:
      return null;
  }
}
