import { isOurs } from '@holdfast/core/orders/order';
import { type EpochMs, type Micros, toCents } from '@holdfast/core/units';
import type { OrderSide } from '../exchange-types.js';
import { revisionOf, rootOf } from './care-ledger.js';
import type { Violation } from './violation.js';

export interface PositionLine {
  readonly symbol: string;
  readonly quantity: number;
}

export interface ExecutionLine {
  readonly execId: string;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly shares: number;
  readonly price: Micros;
  readonly orderRef: string;
}

export interface OrderLine {
  readonly orderRef: string;
  readonly symbol: string;
}

/** One side of the comparison: the exchange's ground truth, or what the store says. Positions in care only, flat ones left out or 0. */
export interface BooksView {
  /** The store's: active_positions less the baseline, which it does not list. */
  readonly positions: readonly PositionLine[];
  /** Originals and corrections may both be there: the newest revision of a fill counts, no shares = bust. */
  readonly executions: readonly ExecutionLine[];
  /** Of the day, over the same executions, commissions treated alike on both sides. */
  readonly realizedPnl: Micros;
  /** Orders of ours: working at the exchange; in the store, rows without a final status. Compared where both sides give them. */
  readonly orders?: readonly OrderLine[];
  /** The store's alone: rows of active_positions in which nothing is held. */
  readonly claims?: readonly { readonly symbol: string; readonly status: string }[];
}

type Tell = (symbol: string, detail: string) => void;

/**
 * I6: when faults have stopped, store == broker: positions share by share, fills one by one (ours must all be there once, in their newest
 * correction; the operator's may be; none may be invented), realized P&L to the cent, no order believed working that is not, or the other
 * way round, and no claim without an order that could still fill it.
 *
 * Allowed: `vanished` symbols are left out of positions, for nothing but the broker's answer tells of them. Commissions come later than
 * fills: compare at a quiet moment.
 */
export function compareWithStore(
  truth: BooksView,
  store: BooksView,
  { at, vanished = [] }: { at: EpochMs; vanished?: readonly string[] },
): readonly Violation[] {
  const found: Violation[] = [];
  const say: Tell = (symbol, detail) => found.push({ invariant: 'I6', at, symbol, detail });
  comparePositions(truth, store, { say, vanished });
  compareExecutions(truth, store, say);
  const [earned, booked] = [toCents(truth.realizedPnl), toCents(store.realizedPnl)];
  if (earned !== booked) say('', `realized P&L is $${earned.toFixed(2)}, the store says $${booked.toFixed(2)}`);
  if (truth.orders && store.orders) compareOrders(truth.orders, store.orders, say);
  for (const { symbol, status } of store.claims ?? []) {
    if (!truth.orders?.some(order => order.symbol === symbol))
      say(symbol, `is ${status} in the store with nothing held and no order working`);
  }
  return found;
}

function comparePositions(truth: BooksView, store: BooksView, { say, vanished }: { say: Tell; vanished: readonly string[] }): void {
  const [real, kept] = [quantities(truth), quantities(store)];
  for (const symbol of [...new Set([...real.keys(), ...kept.keys()])].sort()) {
    if (vanished.includes(symbol)) continue;
    const [broker, ours] = [real.get(symbol) ?? 0, kept.get(symbol) ?? 0];
    if (broker !== ours) say(symbol, `the broker holds ${broker}, the store says ${ours}`);
  }
}

function compareExecutions(truth: BooksView, store: BooksView, say: Tell): void {
  const ids = new Set(store.executions.map(({ execId }) => execId));
  if (ids.size !== store.executions.length) say('', `the store has ${store.executions.length - ids.size} executions twice`);
  const stored = newest(store.executions);
  for (const [root, execution] of newest(truth.executions)) {
    const mine = stored.get(root);
    stored.delete(root);
    if (!mine) {
      if (isOurs(execution.orderRef)) say(execution.symbol, `the store misses execution ${execution.execId} (${line(execution)})`);
    } else if (mine.execId !== execution.execId || line(mine) !== line(execution))
      say(execution.symbol, `execution ${execution.execId} is ${line(execution)}, the store says ${mine.execId}: ${line(mine)}`);
  }
  for (const execution of stored.values())
    say(execution.symbol, `the store has execution ${execution.execId} (${line(execution)}) which never happened`);
}

function compareOrders(working: readonly OrderLine[], open: readonly OrderLine[], say: Tell): void {
  const known = new Set(open.map(({ orderRef }) => orderRef));
  for (const { orderRef, symbol } of working)
    if (!known.has(orderRef)) say(symbol, `${orderRef} works at the broker, the store does not say so`);
  const alive = new Set(working.map(({ orderRef }) => orderRef));
  for (const { orderRef, symbol } of open) if (!alive.has(orderRef)) say(symbol, `${orderRef} is not final in the store and works nowhere`);
}

/** By root of the exec id, the newest revision of each fill. */
function newest(executions: readonly ExecutionLine[]): Map<string, ExecutionLine> {
  const byRoot = new Map<string, ExecutionLine>();
  for (const execution of executions) {
    const root = rootOf(execution.execId);
    const known = byRoot.get(root);
    if (!known || revisionOf(execution.execId) > revisionOf(known.execId)) byRoot.set(root, execution);
  }
  return byRoot;
}

const quantities = (view: BooksView): ReadonlyMap<string, number> =>
  new Map(view.positions.map(({ symbol, quantity }) => [symbol, quantity]));
const line = ({ symbol, side, shares, price }: ExecutionLine): string => `${side} ${shares} ${symbol} @ ${price / 1_000_000}`;
