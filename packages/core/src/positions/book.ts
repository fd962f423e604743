import { type EpochMs, type Micros, micros, type Shares, shares } from '../units.js';
import type { Execution } from './execution.js';

/**
 * Executions → signed shares, entry price, realized P&L, for one position (one account and conId, or one trade's orders).
 *
 * The book keeps the executions, never counters: whatever was told twice, late, out of order or corrected later, the sums are those of
 * the set. `aaaa.bbbb.cccc.01` and `aaaa.bbbb.cccc.02` are one fill and its correction (IB docs, "Executions"): the higher last part
 * counts. Sums are whole micro-dollars; only a price shown as an average is rounded.
 */
export interface ExecutionBook {
  /** By root of the execId: the newest word about each fill. */
  readonly byRoot: ReadonlyMap<string, Execution>;
}

export const EMPTY_BOOK: ExecutionBook = { byRoot: new Map() };

/** The newest word about each fill, by root: a list may hold a fill and its corrections, in any order (what a dead process kept, for one). */
export function newestOf<E extends Pick<Execution, 'execId'>>(executions: readonly E[]): ReadonlyMap<string, E> {
  const newest = new Map<string, E>();
  for (const execution of executions) {
    const { root, revision } = splitExecId(execution.execId);
    const known = newest.get(root);
    if (!known || revision >= splitExecId(known.execId).revision) newest.set(root, execution);
  }
  return newest;
}

/** What a report was to the book. */
export type Booked = 'new' | 'correction' | 'commission' | 'known' | 'outdated';

/** `aaaa.bbbb.cccc.01` → root `aaaa.bbbb.cccc`, revision 1. An id whose last part is no number has no revisions: it is its own root. */
export function splitExecId(execId: string): { readonly root: string; readonly revision: number } {
  const dot = execId.lastIndexOf('.');
  const last = execId.slice(dot + 1);
  return dot > 0 && /^\d+$/.test(last) ? { root: execId.slice(0, dot), revision: Number(last) } : { root: execId, revision: 0 };
}

/** Takes an execution: a new fill, a correction of a known one, the commission that came later, or nothing new. */
export function bookExecution(book: ExecutionBook, execution: Execution): { readonly book: ExecutionBook; readonly booked: Booked } {
  const { root } = splitExecId(execution.execId);
  const { keep, booked } = judge(book.byRoot.get(root), execution);
  return { book: keep ? withExecution(book, root, keep) : book, booked };
}

/** What is to be kept of an execution, given what is known of the same fill. */
function judge(known: Execution | undefined, told: Execution): { readonly keep?: Execution; readonly booked: Booked } {
  if (!known) return { keep: told, booked: 'new' };
  const newer = splitExecId(told.execId).revision - splitExecId(known.execId).revision;
  if (newer > 0) return { keep: told, booked: 'correction' };
  if (newer < 0) return { booked: 'outdated' };
  if (told.commission === undefined || told.commission === known.commission) return { booked: 'known' };
  return { keep: { ...known, commission: told.commission }, booked: 'commission' };
}

/** Takes a commission report. False for an execution the book does not know (yet): ask again after it came. */
export function bookCommission(
  book: ExecutionBook,
  execId: string,
  commission: Micros,
): { readonly book: ExecutionBook; readonly booked: boolean } {
  const { root } = splitExecId(execId);
  const known = book.byRoot.get(root);
  if (known?.execId !== execId) return { book, booked: false };
  return { book: withExecution(book, root, { ...known, commission }), booked: true };
}

const withExecution = (book: ExecutionBook, root: string, execution: Execution): ExecutionBook => ({
  byRoot: new Map(book.byRoot).set(root, execution),
});

/** The book of a whole tape at once. */
export function bookOf(executions: Iterable<Execution>): ExecutionBook {
  const byRoot = new Map<string, Execution>();
  for (const execution of executions) {
    const { root } = splitExecId(execution.execId);
    const { keep } = judge(byRoot.get(root), execution);
    if (keep) byRoot.set(root, keep);
  }
  return { byRoot };
}

/**
 * The executions that count, in the order they happened, whatever order they were told in. The broker tells whole seconds: inside one
 * the older order (lower permId) comes first, so that an entry and its exit in the same second are not taken for a short sale.
 */
export const executionsOf = (book: ExecutionBook): readonly Execution[] =>
  [...book.byRoot.values()].sort((a, b) => a.at - b.at || a.permId - b.permId || (a.execId < b.execId ? -1 : 1));

type Traded = Pick<Execution, 'side' | 'shares'>;

/** Bought counts up, sold counts down. */
export const signedShares = ({ side, shares: quantity }: Traded): number => (side === 'BUY' ? quantity : -quantity);

/** What these fills leave: positive = long. Needs no order of events, so it is right as soon as the set is, with one word about each fill. */
export function boughtLessSold(executions: Iterable<Traded>): number {
  let net = 0;
  for (const execution of executions) net += signedShares(execution);
  return net;
}

export const netShares = (book: ExecutionBook): Shares => shares(boughtLessSold(book.byRoot.values()));

/** What the executions add up to. Money in micro-dollars × multiplier, exact. */
export interface PositionSummary {
  /** Signed: positive = long. 0 = flat. */
  readonly quantity: Shares;
  /** Average price of the shares still open (broker's convention: average cost), to the nearest micro-dollar; null when flat. */
  readonly averageEntryPrice: Micros | null;
  /** Of the shares closed so far, before commissions. */
  readonly realizedPnl: Micros;
  /** Commissions told so far, entries and exits alike. Positive = paid. */
  readonly commission: Micros;
  /** Executions whose commission was not yet told. */
  readonly commissionsMissing: number;
  readonly bought: Shares;
  readonly sold: Shares;
  readonly firstAt: EpochMs | null;
  readonly lastAt: EpochMs | null;
}

/**
 * Walks the executions in order with the average-cost rule: buying 100 at 50.00 and 100 at 51.00 gives 200 at 50.50; selling 150 at 52.00
 * realizes 225.00 and leaves 50 at 50.50. A sale through zero closes the long and opens a short at the sale's own price.
 *
 * The cost of the open shares is carried as a whole sum. A partial close takes its proportional part, to the nearest micro-dollar, and
 * leaves exactly the rest: so once the position is flat, realized P&L is proceeds less cost, without any rounding left in it.
 */
export function summarize(book: ExecutionBook, multiplier = 1): PositionSummary {
  const ordered = executionsOf(book);
  let quantity = 0;
  /** Price × shares of the open quantity, signed like it. */
  let cost = 0;
  let realized = 0;
  let commission = 0;
  let missing = 0;
  let bought = 0;
  let sold = 0;
  for (const execution of ordered) {
    const signed = signedShares(execution);
    if (signed > 0) bought += signed;
    else sold -= signed;
    if (execution.commission === undefined) missing += 1;
    else commission += execution.commission;

    const closing = Math.sign(signed) === -Math.sign(quantity) ? Math.min(Math.abs(signed), Math.abs(quantity)) : 0;
    if (closing > 0) {
      const closedSigned = Math.sign(quantity) * closing;
      const closedCost = closing === Math.abs(quantity) ? cost : share(cost, closing, Math.abs(quantity));
      realized += execution.price * closedSigned - closedCost;
      cost -= closedCost;
      quantity -= closedSigned;
    }
    const opening = signed + (signed > 0 ? -closing : closing);
    cost += execution.price * opening;
    quantity += opening;
  }
  return {
    quantity: shares(quantity),
    averageEntryPrice: quantity === 0 ? null : micros(Math.round(cost / quantity)),
    realizedPnl: micros(Math.round(realized * multiplier)),
    commission: micros(commission),
    commissionsMissing: missing,
    bought: shares(bought),
    sold: shares(sold),
    firstAt: ordered.at(0)?.at ?? null,
    lastAt: ordered.at(-1)?.at ?? null,
  };
}

/** `part` of `whole` equal pieces of a sum, to the nearest: exact in integers, where sum × part may leave the safe range. */
function share(sum: number, part: number, whole: number): number {
  const each = Math.trunc(sum / whole);
  return each * part + Math.round(((sum - each * whole) * part) / whole);
}

/** Volume-weighted price of one side, for a trade's entry and exit price; null when nothing was done on that side. */
export function averagePrice(book: ExecutionBook, side: Execution['side']): Micros | null {
  let value = 0;
  let quantity = 0;
  for (const execution of book.byRoot.values()) {
    if (execution.side !== side) continue;
    value += execution.price * execution.shares;
    quantity += execution.shares;
  }
  return quantity === 0 ? null : micros(Math.round(value / quantity));
}

/** What the open shares would gain at this price, before commissions: −100 shares entered at 50.00, now 49.00 → +100.00. */
export const unrealizedPnl = (summary: PositionSummary, price: Micros, multiplier = 1): Micros =>
  micros(summary.averageEntryPrice === null ? 0 : Math.round((price - summary.averageEntryPrice) * summary.quantity * multiplier));
