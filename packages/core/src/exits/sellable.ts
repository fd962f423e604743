import { exitSide } from '../events.js';
import { type BrokerOrder, isEntryRef, isFinal, isOurs, type Order, remainingOf } from '../orders/order.js';
import { signedShares } from '../positions/book.js';
import { type Shares, shares } from '../units.js';
import type { Care } from './care.js';
import type { ExitManagerState, Tracked } from './desk.js';

/** How long after an execution older position answers are not believed: answers lag by seconds (reference/ibkr-behaviour.md §4). */
export const ANSWER_LAG_MS = 10_000;

/** Signed shares held under a trade: what executions sum to, plus what no execution explains. */
export function heldShares(s: ExitManagerState, care: Care): Shares {
  let sum = care.base;
  for (const execution of s.byTrade.get(care.tradeId) ?? []) {
    if (execution.conId === care.contract.conId) sum += signedShares(execution);
  }
  return shares(sum);
}

/**
 * Whether what is held is what an exit of ours sold (or bought) too much: it has the other side than the trade, or an exit of ours took the
 * position through flat and nobody else has since. That is undone at once and never protected as if it were meant (DESIGN §4).
 */
export function isOvershot(s: ExitManagerState, care: Care, held: number): boolean {
  if (held === 0) return false;
  if (Math.sign(held) !== care.side) return true;
  const openingSide = care.side > 0 ? 'BUY' : 'SELL';
  const known = s.byTrade.get(care.tradeId) ?? [];
  if (!known.some(({ side, orderRef }) => side === openingSide && isExitOfOurs(orderRef))) return false;
  let sum = care.base;
  let isOver = false;
  for (const execution of [...known].sort((a, b) => a.at - b.at || (a.execId < b.execId ? -1 : 1))) {
    const before = sum;
    sum += signedShares(execution);
    if (Math.sign(before) !== Math.sign(sum)) isOver = sum !== 0 && isExitOfOurs(execution.orderRef);
  }
  return isOver;
}

const isExitOfOurs = (orderRef: string): boolean => isOurs(orderRef) && !isEntryRef(orderRef);

/**
 * An exit that makes the position larger instead of smaller: what is held has turned round since it left, because a purchase (a short's sale) was
 * taken back of which a part was sold already. It is withdrawn whatever it is, and never changed or re-priced.
 */
export const isWrongWay = ({ order }: Tracked, held: Shares): boolean => held !== 0 && order.side !== exitSide(held);

/** Asked several times at every look at a position. */
export function exitOrders(s: ExitManagerState, conId: number): readonly Tracked[] {
  const orders: Tracked[] = [];
  for (const ref of s.live.get(conId) ?? []) {
    const tracked = s.orders.get(ref);
    if (tracked) orders.push(tracked);
  }
  return orders;
}

/**
 * Lost, and a successor may use its API order id. Not where it has filled in part: the broker certainly had it, and a change's size would count
 * what is filled already. Such a one is asked about instead.
 */
export const isReplaceable = ({ order }: Tracked): boolean => order.status === 'LOST' && order.filled === 0;

/** The day trader's entry orders of a trade that may still fill. */
export const openEntries = (s: ExitManagerState, tradeId: string): readonly Order[] =>
  [...s.entries.values()].filter(order => order.tradeId === tradeId && !isFinal(order));

/** The most that these orders together can trade: an OCA group counts once, by its largest remaining member (DESIGN §4). */
export function committedShares(orders: readonly Order[]): number {
  let groups: Map<string, number> | null = null;
  let loose = 0;
  for (const order of orders) {
    const remaining = Math.max(0, remainingOf(order));
    if (order.ocaGroup === null) loose += remaining;
    else {
      groups ??= new Map();
      groups.set(order.ocaGroup, Math.max(groups.get(order.ocaGroup) ?? 0, remaining));
    }
  }
  if (groups) for (const largest of groups.values()) loose += largest;
  return loose;
}

/** What others (a person in TWS, another tool) have working on the exit side of this instrument and may still fill. */
export function foreignExitShares(s: ExitManagerState, care: Care, held: Shares): number {
  const side = exitSide(held);
  let sum = 0;
  for (const order of s.foreign.values())
    if (order.conId === care.contract.conId && order.side === side) sum += remainingOfForeign(s, order);
  return sum;
}

/** An openOrder message tells the order's whole size, however much of it has filled: what is still to come is that less its executions. */
export function remainingOfForeign(s: ExitManagerState, { permId, quantity }: BrokerOrder): number {
  let filled = 0;
  for (const execution of s.executions.values()) if (execution.permId === permId) filled += execution.shares;
  return Math.max(0, quantity - filled);
}

/**
 * What the broker's own figure allows, or null when it says nothing usable. A lower figure limits at once; one that is older than our
 * newest execution is not believed for ten seconds, because answers lag.
 */
export function brokerLimit(s: ExitManagerState, care: Care, held: Shares, mono: number): number | null {
  const { conId } = care.contract;
  const holding = s.holdings.get(conId);
  if (!holding) return null;
  const executedAt = s.lastExecution.get(conId);
  if (executedAt !== undefined && holding.heardAt < executedAt && mono - executedAt <= ANSWER_LAG_MS) return null;
  const inCare = holding.quantity - (s.baseline?.get(conId) ?? 0);
  return Math.sign(inCare) === Math.sign(held) ? Math.abs(inCare) : 0;
}

/** Whether a fill of this trade is so young, by the broker's own clock, that the position may lag behind it though it was told later. */
export const mayLag = (s: ExitManagerState, { tradeId }: Care, now: number): boolean =>
  (s.byTrade.get(tradeId) ?? []).some(({ at }) => now - at <= ANSWER_LAG_MS);

/**
 * How many shares may be put into a new exit order: the smaller of executions and broker position, less what already works or is in
 * doubt over all clients. `without` leaves out orders that the new one replaces under the same API order id.
 */
export function sellableShares(
  s: ExitManagerState,
  care: Care,
  {
    mono,
    without = [],
    isUnlimited = false,
  }: { readonly mono: number; readonly without?: readonly string[]; readonly isUnlimited?: boolean },
): Shares {
  const held = heldShares(s, care);
  const limit = isUnlimited ? null : brokerLimit(s, care, held, mono);
  // What overshot is bought back only when the broker says so too: executions alone may belong to a trade whose start is not known here.
  const isOver = isOvershot(s, care, held);
  if (limit === null && isOver && !s.holdings.has(care.contract.conId)) return shares(0);
  const available = limit === null ? Math.abs(held) : Math.min(Math.abs(held), limit);
  const working = exitOrders(s, care.contract.conId)
    .map(({ order }) => order)
    .filter(order => !without.includes(order.orderRef));
  // What our own exit sold too much is ours to buy back, whatever somebody else means to buy some time (I1).
  const foreign = isOver ? 0 : foreignExitShares(s, care, held);
  return shares(Math.max(0, Math.floor(available - committedShares(working) - foreign)));
}
