import { type EpochMs, type Micros, micros } from '@holdfast/core/units';
import type { ExchangeOrder, ExchangeOrderStatus, OrderRequest } from './exchange-types.js';

/**
 * Why an order does not stand in the market yet.
 * `transmit`: its client has not released it · `parent`: its parent has no fill · `session`: regular hours have not begun ·
 * `cross`: waits for the opening print · `trigger`: a stop not touched.
 */
export type Hold = 'none' | 'transmit' | 'parent' | 'session' | 'cross' | 'trigger';

/** An order while the exchange works with it. Outside the desk only snapshots of it are seen. */
export interface LiveOrder {
  /** As in force: price and quantity change by modification, quantity also by OCA reductions. */
  request: OrderRequest;
  readonly permId: number;
  readonly acceptedAt: EpochMs;
  status: ExchangeOrderStatus;
  hold: Hold;
  filled: number;
  /** Sum of price × shares over the fills, micro-dollars. */
  filledValue: number;
  commission: Micros;
  lastFillPrice: Micros;
  /** What it was sent for, before OCA reductions: the base of "in proportion". */
  sentQuantity: number;
  parent?: LiveOrder;
  finishedAt?: EpochMs;
  reason?: string;
}

export const isFinal = (status: ExchangeOrderStatus): boolean => status === 'Filled' || status === 'Cancelled' || status === 'Inactive';

/** Shares it may trade now: a child of a partly filled parent only what the parent has filled. */
export function tradableShares(order: LiveOrder): number {
  const left = order.request.quantity - order.filled;
  if (order.parent === undefined || order.parent.status === 'Filled') return left;
  return Math.max(0, Math.min(left, order.parent.filled - order.filled));
}

/** The order as others may see it, unchanging. */
export function snapshot(order: LiveOrder): ExchangeOrder {
  return {
    request: order.request,
    permId: order.permId,
    status: order.status,
    filled: order.filled,
    remaining: order.request.quantity - order.filled,
    averageFillPrice: micros(order.filled === 0 ? 0 : Math.round(order.filledValue / order.filled)),
    lastFillPrice: order.lastFillPrice,
    acceptedAt: order.acceptedAt,
    ...(order.finishedAt === undefined ? {} : { finishedAt: order.finishedAt }),
    ...(order.reason === undefined ? {} : { reason: order.reason }),
  };
}
