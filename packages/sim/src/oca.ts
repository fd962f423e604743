import type { LiveOrder } from './live-order.js';

/** What a fill takes from another member of its one-cancels-all group. */
export interface OcaShrink {
  readonly order: LiveOrder;
  /** Shares less; at or below what is filled the order ends. */
  readonly by: number;
  readonly why: string;
  /** Without block (type 3) the others learn of it only after the market step: both may fill in it. */
  readonly delayed: boolean;
}

/** IB reports 3 when a client gives a group and no type (reference §1.5). */
const DEFAULT_TYPE = 3;

/**
 * Consequences of a fill of `shares` for the other members (reference §3, "ocaType"). Type 1: any fill cancels them. Types 2 and 3: they
 * shrink in proportion to their own size, rounded so that never too much is left; a completed member cancels them.
 * Worked: a 100-share target fills 40; the 100-share stop shrinks by 40, a 50-share one by 20.
 */
export function afterFill(filled: LiveOrder, shares: number, others: readonly LiveOrder[]): readonly OcaShrink[] {
  const type = filled.request.ocaType ?? DEFAULT_TYPE;
  const cancelsAll = type === 1 || filled.status === 'Filled';
  return others.map(order => ({
    order,
    by: cancelsAll ? order.request.quantity : Math.ceil((shares * order.sentQuantity) / filled.sentQuantity),
    why: 'another member of its OCA group filled',
    delayed: type === 3,
  }));
}
