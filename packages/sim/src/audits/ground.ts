import { type EpochMs, epochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import type { ExchangeExecution, ExchangeOrder, OrderSide, Quote } from '../exchange-types.js';
import type { Bounds } from './bounds.js';
import { type Booking, CareLedger, type CareLine } from './care-ledger.js';
import type { SentFact, WorldFact } from './facts.js';
import { Roster } from './roster.js';
import { isExitClient, markOf, OPERATOR } from './violation.js';

export type Protection = 'monitored' | 'guarded' | 'resting';

/** What all referees know beforehand. */
export interface Rules {
  readonly symbolOf: (conId: number) => string;
  readonly multiplierOf: (conId: number) => number;
  readonly stopBps: number;
  readonly disasterStopBps: number;
  readonly protection: Protection;
  /** null: I7 is not judged. */
  readonly flatMinutesBeforeClose: number | null;
  /** null: I9 is not judged. */
  readonly limits: Limits | null;
  readonly bounds: Bounds;
}

export interface Limits {
  readonly maxPositions: number;
  /** Fraction of net liquidation for one entry. */
  readonly allocation: number;
  /** Orders and modifications per symbol and machine minute, of one process. */
  readonly ordersPerMinute: number;
  /** The account's net liquidation at the exchange now, micro-dollars. Asked once per entry. */
  readonly netLiquidation: () => number;
}

/** An order event with what was known of that order before it. */
export interface OrderNews {
  readonly order: ExchangeOrder;
  readonly before: ExchangeOrder | undefined;
  /** First seen, and not refused: it has reached the exchange. */
  readonly isAccepted: boolean;
}

export interface ExecutionNews extends Booking {
  readonly execution: ExchangeExecution;
}

/** One referee. It sees everything after the ground truth has taken it in; what it does not care for it leaves out. */
export interface Audit {
  order?(news: OrderNews): void;
  execution?(news: ExecutionNews): void;
  /** Only of instruments that are held and in care. */
  quote?(quote: Quote, line: CareLine): void;
  fact?(fact: WorldFact): void;
  /** At most once per second of exchange or machine time in which anything happens, and before every report. */
  tick?(): void;
}

export interface Sending {
  readonly processId: number;
  readonly reacted: number;
  readonly machine: MonoMs;
}

const WORKING: readonly string[] = ['PreSubmitted', 'Submitted', 'PendingCancel'];
export const isWorking = ({ status }: ExchangeOrder): boolean => WORKING.includes(status);
export const isOver = ({ status }: ExchangeOrder): boolean => status === 'Cancelled' || status === 'Filled' || status === 'Inactive';

/** The state of the exchange and of the world, kept once for all referees. */
export class Ground {
  readonly ledger: CareLedger;
  readonly roster = new Roster();
  now: EpochMs = epochMs(0);
  machine: MonoMs = monoMs(0);
  session: { readonly open: EpochMs; readonly close: EpochMs };
  isEverythingAllowed = false;
  private readonly quotes = new Map<number, Quote>();
  private readonly orders = new Map<number, Map<number, ExchangeOrder>>();
  private readonly seen = new Set<number>();
  /** With the shares that no execution tells of. */
  private readonly handsOff: Map<number, number>;
  private readonly sends = new Map<string, Sending>();
  /** Shares that the exchange took back from orders while they worked, by permId. */
  private readonly returned = new Map<number, number>();

  constructor(
    readonly rules: Rules,
    { baseline, session }: { readonly baseline: ReadonlyMap<number, number>; readonly session: Ground['session'] },
  ) {
    this.ledger = new CareLedger(rules.bounds.adoptMsMax);
    this.handsOff = new Map(baseline);
    this.session = session;
  }

  isHandsOff(conId: number): boolean {
    return this.handsOff.has(conId);
  }
  get isRegular(): boolean {
    return this.now >= this.session.open && this.now < this.session.close;
  }
  quote(conId: number): Quote | undefined {
    return this.quotes.get(conId);
  }
  mark(conId: number): number {
    const quote = this.quotes.get(conId);
    return quote ? markOf(quote) : 0;
  }
  reactionMs(): number {
    return this.roster.reactionMs(this.now);
  }
  /** Whether the operator traded it, or a correction changed it, so shortly before (`asOf`, reaction time) that nobody can be blamed for not knowing. */
  isDisturbed(line: CareLine, asOf = this.reactionMs()): boolean {
    return asOf - line.disturbedAfter <= this.rules.bounds.operatorGraceMs;
  }
  /** When and by whom an order was sent, if anybody told: when its process came to that call, though it may have stood still in it. */
  sending(orderRef: string | undefined): Sending | undefined {
    return orderRef === undefined ? undefined : this.sends.get(orderRef);
  }
  /** The reaction time at which its process came to send an order; now, where nobody told. */
  decidedAfter(orderRef: string | undefined): number {
    return this.sending(orderRef)?.reacted ?? this.reactionMs();
  }
  /** Instruments held and in care, with their lines. */
  held(): readonly (readonly [number, CareLine])[] {
    const held: (readonly [number, CareLine])[] = [];
    for (const entry of this.ledger.entries()) if (entry[1].held !== 0 && !this.isHandsOff(entry[0])) held.push(entry);
    return held;
  }
  working(conId: number): Iterable<ExchangeOrder> {
    return this.orders.get(conId)?.values() ?? [];
  }
  /** Instruments for which there ever was an order. */
  ordered(): Iterable<number> {
    return this.orders.keys();
  }
  hasWorking(conId: number): boolean {
    return (this.orders.get(conId)?.size ?? 0) > 0;
  }
  allWorking(): readonly ExchangeOrder[] {
    const working: ExchangeOrder[] = [];
    for (const orders of this.orders.values()) for (const order of orders.values()) working.push(order);
    return working;
  }

  /** Shares that working orders which fit may still trade on one side; a one-cancels-all group counts by its largest member. */
  potential(conId: number, side: OrderSide, fits: (order: ExchangeOrder) => boolean): number {
    let total = 0;
    let groups: Map<string, number> | null = null;
    for (const order of this.working(conId)) {
      const { request, remaining } = order;
      if (request.side !== side || !fits(order)) continue;
      if (!request.ocaGroup) total += remaining;
      else {
        groups ??= new Map();
        groups.set(request.ocaGroup, Math.max(groups.get(request.ocaGroup) ?? 0, remaining));
      }
    }
    if (groups) for (const largest of groups.values()) total += largest;
    return total;
  }

  isTrading(conId: number): boolean {
    return this.isRegular && this.quote(conId)?.halted !== true;
  }

  /**
   * Whether what is held is being sold (bought back) by orders that trade now, foreign ones of the operator counted. Shares that the exchange took
   * back from one of them follow when it has ended: the order counts them as filled, and one order sells, never a second one beside it (DESIGN §4).
   */
  isLeaving(conId: number, line: CareLine): boolean {
    const side = exitSideOf(line);
    const quote = this.quote(conId);
    const leaves = (order: ExchangeOrder) =>
      order.request.clientId === OPERATOR || (isExitClient(order.request.clientId) && isMarketable(order, quote));
    let follow = 0;
    if (this.returned.size > 0)
      for (const order of this.working(conId))
        if (order.request.side === side && leaves(order)) follow += this.returned.get(order.permId) ?? 0;
    return this.potential(conId, side, leaves) + follow >= Math.abs(line.held);
  }

  /**
   * Whether working stops of ours, on the right side and no farther than `bps` from the reference, cover everything held. What a resting order of
   * the operator's own takes of it is not ours to sell besides: only the rest is (DESIGN §4).
   */
  isCovered(conId: number, line: CareLine, bps: number): boolean {
    const isLong = line.held > 0;
    const reference = isLong ? line.low : line.high;
    const level = reference * (1 + ((isLong ? -1 : 1) * (bps + this.rules.bounds.stopToleranceBps)) / 10_000);
    const covers = ({ request }: ExchangeOrder): boolean => {
      const { stopPrice, clientId, type } = request;
      if (!isExitClient(clientId) || stopPrice === undefined || (type !== 'STP' && type !== 'STP LMT')) return false;
      return isLong ? stopPrice >= level : stopPrice <= level;
    };
    const theirs = this.potential(conId, exitSideOf(line), ({ request }) => request.clientId === OPERATOR);
    return this.potential(conId, exitSideOf(line), covers) + theirs >= Math.abs(line.held);
  }

  takeQuote(quote: Quote): CareLine | undefined {
    this.quotes.set(quote.conId, quote);
    const line = this.ledger.known(quote.conId);
    if (!line || line.held === 0 || this.handsOff.has(quote.conId)) return undefined;
    if (line.isBeingAdopted) this.ledger.widen(line, markOf(quote), this.reactionMs());
    return line;
  }

  takeOrder(order: ExchangeOrder): OrderNews {
    const { conId } = order.request;
    const working = this.orders.get(conId) ?? new Map<number, ExchangeOrder>();
    this.orders.set(conId, working);
    const before = working.get(order.permId);
    const isAccepted = !this.seen.has(order.permId) && order.status !== 'Inactive' && order.status !== 'PendingSubmit';
    if (isAccepted) this.seen.add(order.permId);
    if (isWorking(order)) working.set(order.permId, order);
    else {
      working.delete(order.permId);
      this.returned.delete(order.permId);
    }
    return { order, before, isAccepted };
  }

  takeExecution(execution: ExchangeExecution): ExecutionNews {
    const known = { reacted: this.reactionMs(), mark: this.mark(execution.conId) };
    const booking = this.ledger.book(execution, known);
    const { conId, permId } = execution;
    const more = Math.abs(booking.line.held) - Math.abs(booking.before);
    if (booking.isCorrection && more > 0 && this.orders.get(conId)?.has(permId))
      this.returned.set(permId, (this.returned.get(permId) ?? 0) + more);
    return { ...booking, execution };
  }

  takeFact(fact: WorldFact): void {
    this.roster.take(fact, { at: this.now, machine: this.machine });
    if (fact.fact === 'sending') this.noteSending(fact);
    else if (fact.fact === 'sent' && fact.what === 'place') this.noteSending(fact);
    else if (fact.fact === 'session') this.session = fact.session;
    else if (fact.fact === 'store') this.ledger.readoptAll(this.reactionMs());
    else if (fact.fact === 'everything') this.isEverythingAllowed = fact.active;
    else if (fact.fact === 'scope') this.changeScope(fact.conId, fact.inCare);
  }

  private noteSending({ orderRef, processId }: Pick<SentFact, 'orderRef' | 'processId'>): void {
    if (this.sends.has(orderRef)) return;
    this.sends.set(orderRef, { processId, reacted: this.reactionMs(), machine: this.machine });
  }

  private changeScope(conId: number, inCare: boolean): void {
    const line = this.ledger.line(conId);
    const had = this.handsOff.get(conId) ?? 0;
    if (inCare && this.handsOff.delete(conId)) {
      line.held += had;
      line.low = line.high = this.mark(conId);
      line.isBeingAdopted = true;
      line.openedAfter = this.reactionMs();
    } else if (!inCare) this.handsOff.set(conId, 0);
    line.disturbedAfter = this.reactionMs();
  }
}

export const exitSideOf = (line: CareLine): OrderSide => (line.held > 0 ? 'SELL' : 'BUY');

/** A sale or a stop of the exit manager's that the gateway refused: it cannot be blamed for that, only for the time to its next try. */
export const isRefusedExit = (fact: WorldFact): fact is Extract<WorldFact, { readonly fact: 'refused' }> =>
  fact.fact === 'refused' && isExitClient(fact.clientId) && fact.type !== 'LMT';

/** The same that the gateway took and never passed on: it was made in time, and its silence has to be waited for before the next one. */
export const isSwallowedExit = (fact: WorldFact): fact is Extract<WorldFact, { readonly fact: 'swallowed' }> =>
  fact.fact === 'swallowed' && isExitClient(fact.clientId) && fact.type !== 'LMT';

/** It trades now, or as soon as anybody quotes the other side. */
export function isMarketable({ request, status }: ExchangeOrder, quote: Quote | undefined): boolean {
  if (request.type === 'MKT') return true;
  if (request.type === 'STP') return status === 'Submitted';
  if (request.type === 'STP LMT' && status !== 'Submitted') return false;
  const limit = request.limitPrice;
  if (limit === undefined || !quote) return false;
  return request.side === 'SELL' ? limit <= quote.bid : quote.ask > 0 && limit >= quote.ask;
}

export const dollars = (amount: number): string => (amount / 1e6).toFixed(4);

/** Says a violation, now. What has been said stays said. */
export type Say = (conId: number | null, detail: string) => void;

export interface Stand {
  readonly ground: Ground;
  readonly rules: Rules;
  readonly say: Say;
}
