import type { EventBody } from '@holdfast/core/events';
import type { FaultAbout, FaultKind, Lane } from './broker-faults.js';

/** Which messages travel together, and what may be done to them. */

export type LineKind = EventBody['kind'];

export const LANE_OF: Partial<Record<LineKind, Lane>> = {
  execution: 'execution',
  commission: 'commission',
  position: 'position',
  'open-order': 'order',
  'order-status': 'order',
  'order-notice': 'order-notice',
  'pnl-mark': 'pnl-mark',
  quote: 'quote',
  bar: 'quote',
  snapshot: 'answer',
  'executions-end': 'answer',
  contract: 'answer',
  history: 'answer',
  'history-failed': 'answer',
  'contract-unknown': 'answer',
  scanner: 'answer',
  account: 'account',
  'portfolio-mark': 'account',
};

export const LATE_KIND: Record<Lane, FaultKind> = {
  execution: 'late execution',
  commission: 'late commission',
  position: 'late position',
  order: 'late order',
  'order-notice': 'late order-notice',
  'pnl-mark': 'late pnl-mark',
  quote: 'late quote',
  answer: 'late answer',
  account: 'late account',
};

/** What may be said again long after: everything else repeats at once or not at all. */
export const REPEATS_LATE: readonly LineKind[] = ['execution', 'commission', 'order-notice'];
export const REPEATS: readonly LineKind[] = [...REPEATS_LATE, 'open-order', 'order-status', 'position'];
export const REPEAT_MS_MAX = 3_000;
export const REORDER_MS_MAX = 2_500;
/** How long a crazy mark stands before the true one: a breach nobody contradicts for 3 s is believed, and rightly. */
export const CRAZY_MS_MAX = 2_000;
/** Thousandths of the true price. */
export const CRAZY_FACTORS = [1, 100, 500, 2_000, 10_000] as const;

/** Which order of which client a message is about. */
export function aboutOf(clientId: number, body: EventBody): FaultAbout {
  switch (body.kind) {
    case 'execution':
      return { clientId, orderId: body.execution.orderId, orderRef: body.execution.orderRef };
    case 'open-order':
      return { clientId, orderId: body.order.orderId, orderRef: body.order.orderRef };
    case 'order-status':
    case 'order-notice':
      return { clientId, orderId: body.orderId, orderRef: null };
    default:
      return { clientId, orderId: null, orderRef: null };
  }
}
