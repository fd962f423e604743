import type { Alert, Effect, Write } from '../effects.js';
import type { BrokerPosition } from '../events.js';
import { type BreachWatch, EMPTY_MARK_BOOK, type MarkBook } from '../market/mark.js';
import { type BrokerOrder, isFinal, type Order } from '../orders/order.js';
import type { Execution } from '../positions/execution.js';
import type { CommandRow, WorkerPhase } from '../shared-view.js';
import { type EpochMs, epochMs, type Micros, type MonoMs, type TradeDate } from '../units.js';
import type { Care } from './care.js';
import type { ExitRules } from './rules.js';

/** An exit order of ours with what only this process knows about it. */
export interface Tracked {
  readonly order: Order;
  /** Connection it was last sent on; 0 = before this process. */
  readonly session: number;
  readonly sentAt: MonoMs;
  readonly cancelAskedAt: MonoMs | null;
  /** A cancel the broker refused for the moment: how often, and when it is asked again (null: under way). */
  readonly cancelRetry: { readonly tries: number; readonly at: MonoMs | null } | null;
  /** When the broker was heard to work fewer shares of it than we asked for. */
  readonly reducedAt: MonoMs | null;
  /** When it was changed, for a minute and longer as long as nothing changes. */
  readonly changes: readonly MonoMs[];
  /** Changes the broker refused in a row. */
  readonly refusedChanges: number;
  /** Changes to fewer shares in a row that never arrived. */
  readonly missedShrinks: number;
  /** The broker was asked about it again after silence. */
  readonly queriedAt: MonoMs | null;
  /** One before it never arrived: it uses the API order id of that one, or sells what another sale of its trade left. */
  readonly followsLost: boolean;
  /** The broker's last word of it was PreSubmitted: it waits for its price. */
  readonly isHeldBack: boolean;
  /** Turned into a marketable order because its cancel stayed unanswered: it is the exit now. */
  readonly isRepriced: boolean;
  /** More is held than it would sell, and its change waits out the pause after the one before, in machine time. */
  readonly growsSoon: boolean;
  /** A modification in flight, and the order as it was before. */
  readonly modified: { readonly from: Order; readonly at: MonoMs } | null;
  /** The broker counts so many shares as filled, and executions sum to fewer; since when. */
  readonly heardFilled: { readonly count: number; readonly at: MonoMs } | null;
  /**
   * The broker said that it has ended, or that it does not know it: settled by the answer to a question with this number or a later one, since
   * what was asked before that word may leave out its last fills.
   */
  readonly settledFrom: number | null;
  /** A complete answer of this session did not list it though the broker had worked it; a second one must agree. */
  readonly missingSince: MonoMs | null;
  /** When its end was heard in a word of its own; null while it lives, and where an answer showed its end. */
  readonly endHeardAt: MonoMs | null;
}

/** An order as it is on record, with nothing under way about it. */
export const trackedOf = (order: Order, session: number, sentAt: MonoMs): Tracked => ({
  order,
  session,
  sentAt,
  cancelAskedAt: null,
  cancelRetry: null,
  reducedAt: null,
  changes: [],
  refusedChanges: 0,
  missedShrinks: 0,
  queriedAt: null,
  followsLost: false,
  isHeldBack: false,
  isRepriced: false,
  growsSoon: false,
  modified: null,
  heardFilled: null,
  settledFrom: null,
  missingSince: null,
  endHeardAt: null,
});

/** What the broker last said about a holding, and when. */
export interface Holding {
  readonly quantity: number;
  readonly heardAt: MonoMs;
}

/** The broker's position and our executions disagree; kept until they agree or two answers far enough apart have. */
export interface Mismatch {
  readonly quantity: number;
  readonly since: MonoMs;
  readonly answers: number;
  readonly lastAsked: MonoMs;
  /** So often was the whole answer asked for before two could count as agreeing. */
  readonly earlyLooks: number;
}

export const freshMismatch = (quantity: number, now: MonoMs): Mismatch => ({
  quantity,
  since: now,
  answers: 1,
  lastAsked: now,
  earlyLooks: 0,
});

export interface Sight {
  readonly book: MarkBook;
  readonly breach: BreachWatch | undefined;
  /** The live mark before this one: a better price is believed when the next one agrees (trailing stop). */
  readonly lastLive: Micros | null;
  readonly blindSince: EpochMs | null;
  readonly seeingSince: EpochMs | null;
  /** When its P&L stream was asked for; null once it has said anything. */
  readonly pricesAskedAt: MonoMs | null;
  /** When a person was told that it has no price at all. */
  readonly noPriceToldAt: EpochMs | null;
}

export const NO_SIGHT: Sight = {
  book: EMPTY_MARK_BOOK,
  breach: undefined,
  lastLive: null,
  blindSince: null,
  seeingSince: null,
  pricesAskedAt: null,
  noPriceToldAt: null,
};

export interface Booked extends Execution {
  /** Null: not ours, and no position of ours explains it. */
  readonly tradeId: string | null;
}

/** What the account's own stream says beside position answers, on this connection. */
export interface Meeting {
  /** Signed quantities of the portfolio, by conId. */
  readonly portfolio: ReadonlyMap<number, number>;
  readonly netLiquidation: number | null;
  readonly cash: number | null;
  /** The first positions answer, while a second one must agree before it becomes the baseline. */
  readonly first: { readonly holdings: string; readonly at: MonoMs } | null;
}

export const NO_MEETING: Meeting = { portfolio: new Map(), netLiquidation: null, cash: null, first: null };

export interface Link {
  readonly phase: WorkerPhase;
  /** Number of the present connection; 0 before the first. */
  readonly session: number;
  readonly isUp: boolean;
  readonly snapshot: { readonly id: number; readonly askedAt: MonoMs; readonly tries: number; readonly isFirst: boolean } | null;
  readonly lastSnapshotAt: MonoMs | null;
  readonly executionsAsked: { readonly id: number; readonly at: MonoMs } | null;
  /** When they were last asked for on this connection, answered or not: the answer to one is no reason to ask again at once. */
  readonly executionsAskedAt: MonoMs | null;
  readonly accountReady: boolean;
  /** When this connection came up: positions may be empty or partial for a while after a gateway start. */
  readonly upSince: MonoMs | null;
  /** The broker has been heard since then: reconciled, and no gap in between. Null (or absent, in a state that an older version recorded): for long. */
  readonly heardSince: MonoMs | null;
  /** The broker's last word, as the last tick told it. */
  readonly heardAt: MonoMs | null;
  /** When it was asked for something only to be heard. */
  readonly wordAskedAt: MonoMs | null;
  /** The last complete answer, soon after a connect, told fills of somebody's own and not the position they make: another one is awaited. */
  readonly lacksPosition: boolean;
}

/** A command that is answered later: `rest-stops` once the broker works them, exits once the reconcile has said what there is. */
export interface Waiting {
  readonly command: CommandRow;
  readonly since: MonoMs;
}

/** Everything the exit manager knows. Values only; maps are never changed in place once a step is over. */
export interface ExitManagerState {
  readonly rules: ExitRules;
  readonly account: string;
  readonly lease: number;
  readonly isMinimal: boolean;
  readonly link: Link;
  readonly nextOrderId: number;
  readonly nextRef: number;
  readonly nextRequest: number;
  readonly tradeDate: TradeDate;
  /** By conId. */
  readonly care: ReadonlyMap<number, Care>;
  /** Trades closed on this date and the one before it, in case a late fill, a correction or a commission still belongs to one. By tradeId. */
  readonly closed: ReadonlyMap<string, Care>;
  readonly orders: ReadonlyMap<string, Tracked>;
  /** Orders whose row was older at the start than what executions sum to: set right once reconciled. */
  readonly recounted: readonly string[];
  /** Exit orders that have not ended, by instrument. */
  readonly live: ReadonlyMap<number, readonly string[]>;
  /** The day trader's orders, as its rows tell. */
  readonly entries: ReadonlyMap<string, Order>;
  /** Entries that the broker no longer knows, long after their time to live, whatever their row says. */
  readonly goneEntries: ReadonlySet<string>;
  /** Working orders at the broker that are not ours, by permId. */
  readonly foreign: ReadonlyMap<number, BrokerOrder>;
  /** The newest word about each fill, by the root of its execId. */
  readonly executions: ReadonlyMap<string, Booked>;
  /** The same executions by trade: what a position is summed from, at every mark. */
  readonly byTrade: ReadonlyMap<string, readonly Booked[]>;
  /** Machine time at which the newest execution of a conId was learned. */
  readonly lastExecution: ReadonlyMap<number, MonoMs>;
  readonly holdings: ReadonlyMap<number, Holding>;
  readonly mismatches: ReadonlyMap<number, Mismatch>;
  readonly contracts: ReadonlyMap<number, BrokerPosition['contract']>;
  /** What the account held before Holdfast first met it; null until then. */
  readonly baseline: ReadonlyMap<number, number> | null;
  readonly meeting: Meeting;
  readonly sights: ReadonlyMap<number, Sight>;
  readonly marketMovedAt: EpochMs;
  readonly waiting: readonly Waiting[];
  readonly restAll: boolean;
  /** Date for which a position held over the close has been told. */
  readonly carriedTold: TradeDate | null;
}

type MapKey =
  | 'care'
  | 'closed'
  | 'orders'
  | 'live'
  | 'byTrade'
  | 'entries'
  | 'foreign'
  | 'executions'
  | 'lastExecution'
  | 'holdings'
  | 'mismatches'
  | 'contracts'
  | 'sights';
type MapOf<K extends MapKey> = ExitManagerState[K] extends ReadonlyMap<infer I, infer V> ? Map<I, V> : never;

/**
 * One step of the exit manager in the making: the state so far and what it will ask of the world. Maps are copied at their first
 * change, so the state given to `decide` stays as it was.
 */
export interface Draft {
  s: ExitManagerState;
  readonly at: EpochMs;
  readonly mono: MonoMs;
  readonly effects: Effect[];
  /** A list: most steps copy nothing, and an empty one costs nothing. */
  readonly copied: MapKey[];
  /** conIds whose position must be looked at before the step ends. */
  readonly touched: Set<number>;
}

export const openDraft = (s: ExitManagerState, at: EpochMs, mono: MonoMs): Draft => ({
  s,
  at,
  mono,
  effects: [],
  copied: [],
  touched: new Set(),
});

/** The map for writing. */
export function edit<K extends MapKey>(d: Draft, key: K): MapOf<K> {
  if (!d.copied.includes(key)) {
    d.copied.push(key);
    d.s = { ...d.s, [key]: new Map<unknown, unknown>(d.s[key] as ReadonlyMap<unknown, unknown>) };
  }
  return d.s[key] as MapOf<K>;
}

export const update = (d: Draft, change: Partial<ExitManagerState>): void => {
  d.s = { ...d.s, ...change };
};
export const updateLink = (d: Draft, change: Partial<Link>): void => update(d, { link: { ...d.s.link, ...change } });

export const emit = (d: Draft, effect: Effect): void => {
  // One new connection serves every reason for it.
  if (effect.do === 'reconnect' && d.effects.some(({ do: known }) => known === 'reconnect')) return;
  d.effects.push(effect);
};
export const write = (d: Draft, effect: Write): void => emit(d, effect);
export const alert = (d: Draft, content: Alert): void => emit(d, { do: 'write-alert', alert: content });
export const say = (
  d: Draft,
  event: string,
  fields: Readonly<Record<string, string | number | boolean | null>>,
  level: 'debug' | 'info' | 'warn' | 'error' = 'info',
): void => emit(d, { do: 'say', level, event, fields });

export const putCare = (d: Draft, care: Care): void => {
  edit(d, 'care').set(care.contract.conId, care);
  d.touched.add(care.contract.conId);
};

/** Sets an order of ours, and keeps the index of those that live. */
export function setOrder(d: Draft, tracked: Tracked): void {
  const { order } = tracked;
  edit(d, 'orders').set(order.orderRef, tracked);
  const { conId } = order.contract;
  const live = d.s.live.get(conId) ?? [];
  const isLive = order.role !== 'entry' && !isFinal(order);
  if (isLive === live.includes(order.orderRef)) return;
  edit(d, 'live').set(conId, isLive ? [...live, order.orderRef] : live.filter(ref => ref !== order.orderRef));
}

/** Sets an execution under its root, and keeps the index by trade. */
export function setExecution(d: Draft, root: string, booked: Booked): void {
  const known = d.s.executions.get(root);
  edit(d, 'executions').set(root, booked);
  if (known && known.tradeId !== null)
    edit(d, 'byTrade').set(
      known.tradeId,
      (d.s.byTrade.get(known.tradeId) ?? []).filter(other => other !== known),
    );
  if (booked.tradeId !== null) edit(d, 'byTrade').set(booked.tradeId, [...(d.s.byTrade.get(booked.tradeId) ?? []), booked]);
}

/** The indexes of a state made anew: at the start, and when a date turns. */
export function indexed(orders: Iterable<Tracked>, executions: Iterable<Booked>): Pick<ExitManagerState, 'live' | 'byTrade'> {
  const live = new Map<number, string[]>();
  for (const { order } of orders) {
    if (order.role === 'entry' || isFinal(order)) continue;
    live.set(order.contract.conId, [...(live.get(order.contract.conId) ?? []), order.orderRef]);
  }
  const byTrade = new Map<string, Booked[]>();
  for (const booked of executions)
    if (booked.tradeId !== null) byTrade.set(booked.tradeId, [...(byTrade.get(booked.tradeId) ?? []), booked]);
  return { live, byTrade };
}

/**
 * Records what is now known of an order of ours; a changed order becomes a row in the same commit. The time of that word stays with the order:
 * a testament with an older one would lose to the rows of an old copy of the store, and an order that has ended would live in them for ever.
 */
export function putOrder(d: Draft, tracked: Tracked): void {
  const known = d.s.orders.get(tracked.order.orderRef);
  d.touched.add(tracked.order.contract.conId);
  if (known?.order === tracked.order) {
    setOrder(d, tracked);
    return;
  }
  // The exchange tells its time in whole seconds: a successor's clock may lie up to one behind the word that is on record, and a later word
  // that looked older would be dropped where kept steps are merged.
  const order = { ...tracked.order, updatedAt: epochMs(Math.max(d.at, tracked.order.updatedAt)) };
  setOrder(d, { ...tracked, order });
  write(d, { do: 'write-order', order });
}

/** The exit manager may send: connected, reconciled, and the gateway has its line to the broker. */
export const mayAct = (d: Draft): boolean => d.s.link.phase === 'READY' && d.s.link.isUp;

export function requestId(d: Draft): number {
  const id = d.s.nextRequest;
  update(d, { nextRequest: id + 1 });
  return id;
}

/** Asks for all executions of the day; one request at a time, repeated at most every `everyMs`. */
export function askExecutions(d: Draft, everyMs: number): void {
  const { link } = d.s;
  if (!link.isUp || (link.executionsAskedAt !== null && d.mono - link.executionsAskedAt < everyMs)) return;
  const id = requestId(d);
  updateLink(d, { executionsAsked: { id, at: d.mono }, executionsAskedAt: d.mono });
  emit(d, { do: 'request-executions', id });
}
