import { tradeDateOf } from '@holdfast/core/calendar';
import type { TradeDate } from '@holdfast/core/units';
import type { ExchangeExecution } from '../exchange-types.js';
import { isExitClient, isOurClient } from './violation.js';

/** What the executions say about one instrument outside the baseline. */
export interface CareLine {
  /** Shares held, signed: everything bought and sold by anyone. */
  held: number;
  /** When it last was flat no more, as reaction time. */
  openedAfter: number;
  /**
   * Between these the reference price of the present holding must lie, micro-dollars; 0 while flat. What the desk bought counts from what
   * was paid; what appeared by hand from any mark in the time of its adoption.
   */
  low: number;
  high: number;
  /** Marks widen the reference until it is certain that the position has been adopted. */
  isBeingAdopted: boolean;
  /** When the operator last traded it, or a correction changed it, as reaction time. */
  disturbedAfter: number;
  /** Our own exit crossed through zero, excused or not: what it left must be bought back. As reaction time. */
  crossedAfter: number | null;
  /** It came to an end on this date, as far as the desk must know. */
  closedOn: TradeDate | null;
  /** A split changed shares and prices: levels are suspended until it is flat. */
  isSplit: boolean;
  /** Shares that the day trader's entries bought, less what exits sold: only the baseline needs it. */
  ours: number;
  /** Cost of the opening executions of the present holding, for averages. */
  opened: { shares: number; value: number };
  cost: number;
  /** Someone of ours traded the present holding: then the desk knows of it for certain. */
  isOursToo: boolean;
}

/** One fill, signed, at micro-dollars. */
interface Told {
  readonly signed: number;
  readonly price: number;
}

/** From flat to flat. What it was is kept with its end, in case a correction brings it back. */
interface Holding {
  ended: (Pick<CareLine, 'low' | 'high' | 'opened' | 'cost'> & { readonly side: number }) | null;
}

export interface Booking {
  readonly line: CareLine;
  readonly before: number;
  /** The exchange corrected or busted an earlier execution. */
  readonly isCorrection: boolean;
}

const fresh = (): CareLine => ({
  held: 0,
  openedAfter: 0,
  low: 0,
  high: 0,
  isBeingAdopted: false,
  disturbedAfter: Number.NEGATIVE_INFINITY,
  crossedAfter: null,
  closedOn: null,
  isSplit: false,
  ours: 0,
  opened: { shares: 0, value: 0 },
  cost: 0,
  isOursToo: false,
});

/**
 * The referees' own book of what is in care: sums over executions and nothing else. A corrected execution (same root, higher last part)
 * replaces the earlier one; a bust is a correction to no shares.
 */
export class CareLedger {
  private readonly lines = new Map<number, CareLine>();
  private readonly newest = new Map<string, Told>();
  /** What each execution belonged to, by its root: a correction after the end brings back that holding, not the one that ended last. */
  private readonly holdings = new Map<string, Holding>();
  /** The holding that each line now has. */
  private readonly current = new Map<CareLine, Holding>();

  /** `adoptMs`: reaction time after which the desk must have seen a position. */
  constructor(private readonly adoptMs: number) {}

  /** The line without making one: most quotes are of symbols nobody ever traded. */
  known(conId: number): CareLine | undefined {
    return this.lines.get(conId);
  }
  entries(): IterableIterator<[number, CareLine]> {
    return this.lines.entries();
  }
  line(conId: number): CareLine {
    const known = this.lines.get(conId);
    if (known) return known;
    const line = fresh();
    this.lines.set(conId, line);
    return line;
  }

  /** Books an execution; `reacted` is the reaction time so far and `mark` the instrument's mark, 0 when none is known. */
  book(execution: ExchangeExecution, { reacted, mark }: { readonly reacted: number; readonly mark: number }): Booking {
    const { conId, execId, side, shares, price, clientId } = execution;
    const line = this.line(conId);
    const before = line.held;
    const root = rootOf(execId);
    const known = this.newest.get(root);
    const signed = side === 'BUY' ? shares : -shares;
    this.newest.set(root, { signed, price });
    const holding = this.holdings.get(root) ?? this.holdingOf(line);
    this.holdings.set(root, holding);
    if (known) {
      this.correct(line, holding, known, { signed, price });
      if (before === 0 && line.held !== 0) this.reopen(line, holding, { reacted, price });
    } else {
      if (before === 0) open(line, { reacted });
      count(line, { signed, price });
      if (isOurClient(clientId)) line.ours += signed;
      if (before === 0 || Math.sign(before) === Math.sign(signed))
        takeReference(line, { price, mark, appearedByHand: before === 0 && !isOurClient(clientId) });
      line.isOursToo ||= isOurClient(clientId);
    }
    if (known || !isOurClient(clientId)) line.disturbedAfter = reacted;
    const hasCrossed = before !== 0 && Math.sign(line.held) === -Math.sign(before);
    if (hasCrossed) open(line, { reacted, price });
    if (!known && isExitClient(clientId) && (before === 0 || hasCrossed)) line.crossedAfter = reacted;
    else if (line.crossedAfter !== null && !isOurClient(clientId)) line.crossedAfter = reacted;
    if (line.held === 0 && before !== 0) this.close(line, execution, reacted);
    return { line, before, isCorrection: known !== undefined };
  }

  /** Marks while a position is being adopted: any of them may become its reference. */
  widen(line: CareLine, mark: number, reacted: number): void {
    if (mark > 0) widen(line, mark);
    if (reacted - line.openedAfter > this.adoptMs) line.isBeingAdopted = false;
  }

  /** The store was lost: the desk may take every reference anew. */
  readoptAll(reacted: number): void {
    for (const line of this.lines.values()) {
      if (line.held === 0) continue;
      line.isBeingAdopted = true;
      line.openedAfter = reacted;
    }
  }

  /** The broker multiplied the shares overnight, without an execution. */
  split(conId: number, after: number): void {
    const line = this.lines.get(conId);
    if (!line) return;
    line.held = after;
    line.isSplit = after !== 0;
  }

  private holdingOf(line: CareLine): Holding {
    const holding = this.current.get(line) ?? { ended: null };
    this.current.set(line, holding);
    return holding;
  }

  private correct(line: CareLine, holding: Holding, known: Told, now: Told): void {
    if (line.held === 0) correctEnded(holding, known, now);
    line.held += now.signed - known.signed;
    const isOpening = line.opened.shares > 0 && Math.sign(known.signed) === Math.sign(line.held - now.signed + known.signed);
    if (!isOpening) return;
    line.opened = correctedSum(line.opened, known, now);
    if (line.opened.shares > 0) widen(line, line.opened.value / line.opened.shares);
  }

  /** A correction after the end: the same holding with the reference it had, or one of the other side that nobody ever meant to hold. */
  private reopen(line: CareLine, holding: Holding, { reacted, price }: { readonly reacted: number; readonly price: number }): void {
    this.current.set(line, holding);
    const was = holding.ended;
    if (was === null || was.side !== Math.sign(line.held)) open(line, { reacted, price });
    else Object.assign(line, { openedAfter: reacted, low: was.low, high: was.high, opened: was.opened, cost: was.cost });
  }

  private close(line: CareLine, execution: ExchangeExecution, reacted: number): void {
    const { low, high, opened, cost } = line;
    const side = execution.side === 'SELL' ? 1 : -1;
    if (high > 0) this.holdingOf(line).ended = { low, high, opened, cost, side };
    this.current.delete(line);
    // Opened and closed by hand before anybody could see it: then the desk owes no block.
    const wasSeen = line.isOursToo || reacted - line.openedAfter > this.adoptMs;
    const { closedOn, disturbedAfter, ours } = line;
    Object.assign(line, fresh(), { closedOn: wasSeen ? tradeDateOf(execution.at) : closedOn, disturbedAfter, ours });
  }
}

/** What was paid for a holding that ended is corrected: should it come back, that is its reference. */
function correctEnded(holding: Holding, known: Told, now: Told): void {
  const was = holding.ended;
  if (was === null || Math.sign(known.signed) !== was.side) return;
  const corrected = { ...was, opened: correctedSum(was.opened, known, now) };
  if (corrected.opened.shares <= 0) return;
  widen(corrected, corrected.opened.value / corrected.opened.shares);
  holding.ended = corrected;
}

/** A new holding, also the other side of one that was crossed. */
function open(line: CareLine, { reacted, price }: { readonly reacted: number; readonly price?: number }): void {
  line.openedAfter = reacted;
  line.isOursToo = price !== undefined;
  line.isBeingAdopted = false;
  const over = price === undefined ? 0 : Math.abs(line.held);
  line.opened = { shares: over, value: over * (price ?? 0) };
  line.cost = price ?? 0;
  line.low = price ?? Number.POSITIVE_INFINITY;
  line.high = price ?? 0;
}

function count(line: CareLine, { signed, price }: { readonly signed: number; readonly price: number }): void {
  if (line.held === 0 || Math.sign(line.held) === Math.sign(signed)) {
    const before = Math.abs(line.held);
    line.cost = (line.cost * before + price * Math.abs(signed)) / (before + Math.abs(signed));
    line.opened.shares += Math.abs(signed);
    line.opened.value += price * Math.abs(signed);
  }
  line.held += signed;
}

/**
 * What was paid counts for the desk's own; a position that appears by hand is adopted at some mark soon after. Both averages are kept: the
 * desk counts all opening executions of a trade, partial sales between them or not.
 */
function takeReference(line: CareLine, { price, mark, appearedByHand }: { price: number; mark: number; appearedByHand: boolean }): void {
  widen(line, line.opened.value / line.opened.shares);
  widen(line, line.cost);
  if (!appearedByHand) return;
  line.isBeingAdopted = true;
  widen(line, price);
  if (mark > 0) widen(line, mark);
}

const correctedSum = (opened: CareLine['opened'], known: Told, now: Told): CareLine['opened'] => ({
  shares: opened.shares + Math.abs(now.signed) - Math.abs(known.signed),
  value: opened.value + Math.abs(now.signed) * now.price - Math.abs(known.signed) * known.price,
});

function widen(line: Pick<CareLine, 'low' | 'high'>, price: number): void {
  line.low = Math.min(line.low, price);
  line.high = Math.max(line.high, price);
}

/** `aaaa.bbbb.cc.01` → `aaaa.bbbb.cc`: what a fill and its corrections share. An id without a last number is its own root. */
export function rootOf(execId: string): string {
  const dot = execId.lastIndexOf('.');
  return dot > 0 && revisionOf(execId) > 0 ? execId.slice(0, dot) : execId;
}

/** The last part, 0 where it is no number: the higher one replaces the lower. */
export function revisionOf(execId: string): number {
  const last = Number(execId.slice(execId.lastIndexOf('.') + 1));
  return Number.isInteger(last) ? last : 0;
}
