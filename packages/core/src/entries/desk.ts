import type { Contract } from '../contract.js';
import type { Alert, DecisionRow, Effect, Write } from '../effects.js';
import type { Order } from '../orders/order.js';
import type { Execution } from '../positions/execution.js';
import type { SharedView, WorkerPhase } from '../shared-view.js';
import type { EntryRules } from '../strategies/decide-entry.js';
import type { EpochMs, Micros, MonoMs, TradeDate } from '../units.js';
import type { DayTraderRules } from './rules.js';
import type { Watched } from './watched.js';

/** An entry order of ours with what only this process knows about it. */
export interface Tracked {
  readonly order: Order;
  /** Connection it was last sent on; 0 = before this process. */
  readonly session: number;
  readonly sentAt: MonoMs;
  /** Why it is to be withdrawn, once that is decided; kept until its last word. */
  readonly withdrawWhy: string | null;
  readonly cancelAskedAt: MonoMs | null;
  /** Cancels sent on this connection. */
  readonly cancels: number;
  /** The broker said it holds the cancel (PendingCancel): that is an answer. */
  readonly cancelIsPending: boolean;
  readonly parkedAt: MonoMs | null;
  /** The broker spoke of this many shares in all, more than its executions tell so far. */
  readonly heardFilled: { readonly shares: number; readonly at: MonoMs } | null;
  /** The broker said it does not know it: settled by the answer to a question for executions with this number or a later one. */
  readonly settledFrom: number | null;
  /** First complete answer of this session that did not list it, though the broker once worked it; null once it is heard of again. */
  readonly unlisted: { readonly session: number; readonly askedAt: MonoMs } | null;
  /** Its claim was given back. */
  readonly isReleased: boolean;
}

export const newTracked = (order: Order, known: { readonly session: number; readonly sentAt: MonoMs }): Tracked => ({
  order,
  session: known.session,
  sentAt: known.sentAt,
  withdrawWhy: null,
  cancelAskedAt: null,
  cancels: 0,
  cancelIsPending: false,
  parkedAt: null,
  heardFilled: null,
  settledFrom: null,
  unlisted: null,
  isReleased: false,
});

export interface Link {
  readonly phase: WorkerPhase;
  /** Number of the present connection; 0 before the first. */
  readonly session: number;
  readonly isUp: boolean;
  readonly snapshot: {
    readonly id: number;
    readonly askedAt: MonoMs;
    /** The same moment in exchange time: good-till times are told in it. */
    readonly askedOn: EpochMs;
    readonly tries: number;
    /** The phase READY waits for this one. */
    readonly isFirst: boolean;
  } | null;
  readonly lastSnapshotAt: MonoMs | null;
  /** Exchange time at which the last answer that came was asked for. */
  readonly lastAskedOn: EpochMs | null;
  readonly executionsAsked: { readonly id: number; readonly at: MonoMs } | null;
  readonly reconnectAskedAt: MonoMs | null;
  /** Connection on which the market data were asked for; another one means: ask again. */
  readonly followedSession: number;
}

/** What the account can pay, as last told. */
export interface Funds {
  readonly netLiquidation: Micros | null;
  readonly buyingPower: Micros | null;
  readonly isReady: boolean;
  /** Paid for fills since the buying power was told. */
  readonly spentSince: Micros;
}

export interface Waiting {
  readonly id: number;
  readonly tradeId: string;
}

export interface Scan {
  readonly requestId: number;
  readonly takenAt: EpochMs | null;
}

/** Everything the day trader knows. Values only; maps are never changed in place once a step is over. */
export interface DayTraderState {
  readonly rules: DayTraderRules;
  readonly strategyRules: EntryRules;
  readonly account: string;
  readonly lease: number;
  /** Started only to withdraw its own entries (parked, or the desk stops). */
  readonly isCancelOnly: boolean;
  readonly link: Link;
  readonly nextOrderId: number;
  readonly nextRef: number;
  readonly nextRequest: number;
  readonly tradeDate: TradeDate;
  readonly view: SharedView;
  readonly funds: Funds;
  /** A `halt` command was heard: like the kill switch, until `resume` or a restart without it. */
  readonly isHalted: boolean;
  /** By orderRef. Of this trading date, and older ones that are not final. */
  readonly entries: ReadonlyMap<string, Tracked>;
  /** `enter` effects whose outcome the store has not told yet, by orderRef. */
  readonly asked: ReadonlyMap<string, Order>;
  /** Fills of our entries, the newest word about each, by the root of its execId. */
  readonly executions: ReadonlyMap<string, Execution>;
  readonly contracts: ReadonlyMap<number, Contract>;
  /** In order of importance. A list, because one of them changes at every price: a list is copied in a tenth of the time of a map. */
  readonly watch: readonly Watched[];
  readonly symbols: ReadonlyMap<number, string>;
  readonly scan: Scan | null;
  /** Forming bars are closed by the clock from this moment on, should their last part not come. */
  readonly sweepAt: EpochMs;
  /** Commands heard, by id; each is executed once however often its row is read. */
  readonly commands: ReadonlyMap<number, string>;
  readonly waiting: readonly Waiting[];
}

type MapKey = 'entries' | 'asked' | 'executions' | 'contracts' | 'symbols' | 'commands';
type MapOf<K extends MapKey> = DayTraderState[K] extends ReadonlyMap<infer I, infer V> ? Map<I, V> : never;

/** One step of the day trader in the making. Maps are copied at their first change, so the state given to `decide` stays as it was. */
export interface Draft {
  s: DayTraderState;
  readonly at: EpochMs;
  readonly mono: MonoMs;
  readonly effects: Effect[];
  /** A list: most steps copy nothing, and an empty one costs nothing. */
  readonly copied: MapKey[];
}

export const openDraft = (s: DayTraderState, at: EpochMs, mono: MonoMs): Draft => ({ s, at, mono, effects: [], copied: [] });

/** The map for writing. */
export function edit<K extends MapKey>(d: Draft, key: K): MapOf<K> {
  if (!d.copied.includes(key)) {
    d.copied.push(key);
    d.s = { ...d.s, [key]: new Map<unknown, unknown>(d.s[key] as ReadonlyMap<unknown, unknown>) };
  }
  return d.s[key] as MapOf<K>;
}

export const update = (d: Draft, change: Partial<DayTraderState>): void => {
  d.s = { ...d.s, ...change };
};
export const updateLink = (d: Draft, change: Partial<Link>): void => update(d, { link: { ...d.s.link, ...change } });

export const emit = (d: Draft, effect: Effect): void => {
  d.effects.push(effect);
};
export const write = (d: Draft, effect: Write): void => emit(d, effect);
export const alert = (d: Draft, content: Alert): void => emit(d, { do: 'write-alert', alert: content });
export const record = (d: Draft, decision: DecisionRow): void => emit(d, { do: 'write-decision', decision });
export const say = (
  d: Draft,
  event: string,
  fields: Readonly<Record<string, string | number | boolean | null>>,
  level: 'debug' | 'info' | 'warn' | 'error' = 'info',
): void => emit(d, { do: 'say', level, event, fields });

/** Records what is now known of an entry of ours; a changed order becomes a row in the same commit. */
export function putEntry(d: Draft, tracked: Tracked): void {
  const known = d.s.entries.get(tracked.order.orderRef);
  edit(d, 'entries').set(tracked.order.orderRef, tracked);
  if (known?.order !== tracked.order) write(d, { do: 'write-order', order: { ...tracked.order, updatedAt: d.at } });
}

const indexIn = (watch: readonly Watched[], symbol: string): number => watch.findIndex(watched => watched.symbol === symbol);

export const watchedOf = ({ watch }: Pick<DayTraderState, 'watch'>, symbol: string): Watched | undefined => watch[indexIn(watch, symbol)];

/** A newcomer comes last. */
export function putWatched(d: Draft, watched: Watched): void {
  const watch = d.s.watch.slice();
  const index = indexIn(watch, watched.symbol);
  watch[index < 0 ? watch.length : index] = watched;
  d.s = { ...d.s, watch };
}

export const dropWatched = (d: Draft, symbol: string): void => update(d, { watch: d.s.watch.filter(watched => watched.symbol !== symbol) });

/** Orders may be cancelled (and, unless cancel-only, entered): connected, reconciled, and the gateway has its line to the broker. */
export const isReconciled = (s: DayTraderState): boolean => s.link.isUp && (s.link.phase === 'READY' || s.link.phase === 'CANCEL-ONLY');

export function requestId(d: Draft): number {
  const id = d.s.nextRequest;
  update(d, { nextRequest: id + 1 });
  return id;
}

/** Asks for all executions of the day; one request at a time, repeated at most every `everyMs`. */
export function askExecutions(d: Draft, everyMs: number): void {
  const { link } = d.s;
  if (!link.isUp || (link.executionsAsked && d.mono - link.executionsAsked.at < everyMs)) return;
  const id = requestId(d);
  updateLink(d, { executionsAsked: { id, at: d.mono } });
  emit(d, { do: 'request-executions', id });
}

/** Asks for open orders of all clients, executions and positions, unless an answer is already under way. */
export function askSnapshot(d: Draft, isFirst = false): void {
  if (!d.s.link.isUp || (d.s.link.snapshot && !isFirst)) return;
  const id = requestId(d);
  updateLink(d, { snapshot: { id, askedAt: d.mono, askedOn: d.at, tries: 1, isFirst } });
  emit(d, { do: 'request-snapshot', id });
}

/** Nothing is decided on this connection any more; the next one is reconciled from the start. */
export function dropLink(d: Draft, reason: string): void {
  updateLink(d, { phase: 'CONNECTING', isUp: false, snapshot: null, executionsAsked: null });
  write(d, { do: 'write-phase', phase: 'CONNECTING', detail: reason });
  emit(d, { do: 'reconnect', reason });
}

/** A new connection at most this often: a broker that answers nothing is not helped by a storm of them. */
const RECONNECT_EVERY_MS = 30_000;

export function askReconnect(d: Draft, reason: string): void {
  const { reconnectAskedAt } = d.s.link;
  if (reconnectAskedAt !== null && d.mono - reconnectAskedAt < RECONNECT_EVERY_MS) return;
  updateLink(d, { reconnectAskedAt: d.mono });
  dropLink(d, reason);
}
