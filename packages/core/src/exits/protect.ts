import { sessionAt } from '../calendar.js';
import { exitSide } from '../events.js';
import { type Order, type OrderRole, remainingOf } from '../orders/order.js';
import { type Micros, type Shares, shares } from '../units.js';
import { isSelling, isTriggered } from './bracket.js';
import type { Care } from './care.js';
import { type Draft, emit, putCare, putOrder, type Tracked } from './desk.js';
import { cancelExit, isReplaced, modifyExit, mustGoToShrink, placeExit } from './place.js';
import { backOffMs } from './rejections.js';
import { probe, withdrawWrongWay } from './sell.js';
import { exitOrders, isReplaceable, mayLag, openEntries, sellableShares } from './sellable.js';

/** After a fill of one OCA member the broker reduces the others itself; only what is still wrong after this is changed by us. */
const BROKER_REDUCES_MS = 1_000;
/** A modification unanswered for this long may be tried again. */
const MODIFY_ANSWER_MS = 3_000;
/**
 * An entry may fill in dozens of parts, and every change of target and stop counts against the cap at the wire: the first parts of a minute are
 * followed at once, then with these pauses (by how often the order was changed in the last minute; the last one repeats). A stop is changed at
 * most 15 times a minute by this, and never short for more than 5 s; a target covers nothing and can wait.
 */
const GROWS_AFTER_MS: Readonly<Record<'stop' | 'target', readonly number[]>> = {
  stop: [500, 500, 2_000, 2_000, 2_000, 5_000],
  target: [500, 500, 15_000],
};
/** A resting stop that trails is moved at most this often. */
const TRAIL_EVERY_MS = 5_000;
/** So many refusals of one order's change in a row, and it is withdrawn instead. */
const REFUSED_CHANGES_MAX = 3;

interface Member {
  readonly role: OrderRole;
  readonly price: Micros;
  readonly isTrailing?: boolean;
  /** Where it would be in the other case, real level or disaster: a stop that must go from one to the other waits for nothing. */
  readonly otherwise?: Micros;
}

/** Which orders should rest at the broker for this position, by protection mode (DESIGN §4). The disaster stop comes first: it matters more. */
export function wantedMembers(d: Draft, care: Care): readonly Member[] {
  if (!care.levels) return [];
  const stopIsReal = d.s.rules.protection === 'resting' || care.restStop || d.s.restAll || care.quarantinedAt !== null;
  const target: Member = { role: 'target', price: care.levels.target };
  if (d.s.rules.protection === 'monitored' && !stopIsReal) return [target];
  const { stop, disaster } = care.levels;
  const [price, otherwise] = stopIsReal ? [stop, disaster] : [disaster, stop];
  return [target, { role: 'disaster-stop', price, otherwise, isTrailing: care.peak !== null }];
}

/** Keeps the resting exits as they should be: placed once the position is known, resized when it grows or shrinks, never more than is sellable. */
export function protect(d: Draft, care: Care, held: Shares): void {
  const session = sessionAt(d.at);
  if (!session.isTradingDay || d.at >= session.close) return;
  const live = exitOrders(d.s, care.contract.conId);
  if (withdrawWrongWay(d, live, held)) return;
  // A marketable order from an exit that was begun covers the position better than any resting one: wait for its word.
  if (live.some(tracked => tracked.order.status !== 'LOST' && isSelling(tracked))) return;
  // A sale that was lost is asked about until the broker says that it does not know it; nothing new rests before that.
  const lostSales = live.filter(({ order }) => order.status === 'LOST' && order.role === 'exit');
  for (const tracked of lostSales) probe(d, tracked);
  if (lostSales.length > 0) return;
  // When a member has filled, the broker cancels the others and whoever joins their group later. Those whose end we missed are asked about, and
  // what is needed rests in a new group.
  const spent = spentGroups(d, live);
  const isSpent = ({ order }: Tracked): boolean => order.ocaGroup !== null && spent.has(order.ocaGroup);
  const resting = live.filter(tracked => tracked.order.status !== 'LOST' && !isSpent(tracked));
  const group = (resting[0] ?? live.find(tracked => !isSpent(tracked)))?.order.ocaGroup ?? null;
  const lost = live.filter(tracked => isReplaceable(tracked) && tracked.order.ocaGroup === group);
  // A stop that sells is the sale: a target beside it would sell too should the price turn, and each fill of the one leaves the other too large
  // until the broker's reduction, or our change, has caught up (I1).
  const sells = resting.some(isTriggered);
  const wanted = wantedMembers(d, care).filter(({ role }) => role !== 'target' || !sells);
  // A lost one of another generation would trade besides this group; one that nothing replaces may still trade in it: both until their last word.
  const strays = live.filter(tracked => isSpent(tracked) || (tracked.order.status === 'LOST' && !lost.includes(tracked)));
  for (const tracked of strays) probe(d, tracked);
  for (const tracked of lost) if (!wanted.some(({ role }) => role === tracked.order.role)) probe(d, tracked);
  // That stop follows what is held while its target is on its way out: they are one group.
  if (resting.some(({ order }) => order.status === 'CANCELLING' && !(sells && order.role === 'target'))) return;

  const without = [...resting, ...lost].map(({ order }) => order.orderRef);
  const quantity = sellableShares(d.s, care, { mono: d.mono, without });
  // A figure of the broker's that no execution explains limits what is new; what rests is not withdrawn before two answers agree, and does not
  // grow beyond that figure, unless it may lag behind a fill.
  const kept =
    strays.length > 0 || d.s.mismatches.has(care.contract.conId)
      ? sellableShares(d.s, care, { mono: d.mono, without: live.map(({ order }) => order.orderRef), isUnlimited: true })
      : quantity;
  const isCapped = kept > quantity && !mayLag(d.s, care, d.at);
  const waits = care.restRetryAt !== null && d.mono < care.restRetryAt;
  for (const tracked of resting) {
    const member = wanted.find(({ role }) => role === tracked.order.role);
    if (kept <= 0 || (!member && !isTriggered(tracked))) withdraw(d, tracked, sells && !member ? STOP_SELLS : null);
    else if (member && strays.length === 0 && (!waits || mustShrink(d, tracked, kept)))
      fit(d, {
        tracked,
        member,
        quantity: isCapped ? shares(Math.min(kept, Math.max(quantity, remainingOf(tracked.order)))) : kept,
        isGrowing: isGrowing(d, care),
      });
  }
  if (quantity <= 0 || waits) return;
  const missing = wanted.filter(({ role }) => !resting.some(({ order }) => order.role === role));
  if (missing.length > 0) placeMissing(d, care, { missing, quantity, resting, lost, held });
}

/** Executions tell whole seconds, our own words milliseconds. */
const WITHIN_SECOND_MS = 1_000;

/**
 * Groups of these orders that are over at the broker: a member has filled to the last share; or one has traded, and another was then cancelled
 * there without our asking. The latter is how a filled member shows whose growth the broker had never heard of: by our books some of it still rests.
 * What ended before that member's last trade has another reason, and what never was at the broker says nothing about it: a stop that sells would be
 * cancelled for it.
 */
function spentGroups(d: Draft, live: readonly Tracked[]): ReadonlySet<string> {
  let spent: Set<string> | null = null;
  let known: string | null = null;
  for (const { order } of live) {
    // Members of one group stand together.
    if (order.ocaGroup === null || order.ocaGroup === known) continue;
    known = order.ocaGroup;
    if (isSpentGroup(d, known)) spent = (spent ?? new Set()).add(known);
  }
  return spent ?? NO_GROUPS;
}

const NO_GROUPS: ReadonlySet<string> = new Set();

function isSpentGroup(d: Draft, group: string): boolean {
  let tradedAt: number | null = null;
  let cancelledAt = Number.NEGATIVE_INFINITY;
  for (const { order, cancelAskedAt } of d.s.orders.values()) {
    if (order.ocaGroup !== group) continue;
    if (order.status === 'FILLED') return true;
    if (order.filled > 0) tradedAt = Math.max(tradedAt ?? 0, lastTradeOf(d, order));
    else if (
      order.status === 'CANCELLED' &&
      cancelAskedAt === null &&
      order.permId !== null &&
      !isReplaced(order) &&
      order.reason !== STOP_SELLS
    )
      cancelledAt = Math.max(cancelledAt, order.updatedAt);
  }
  return tradedAt !== null && cancelledAt >= tradedAt - WITHIN_SECOND_MS;
}

const lastTradeOf = (d: Draft, { tradeId, orderRef }: Order): number =>
  (d.s.byTrade.get(tradeId) ?? []).reduce((last, execution) => (execution.orderRef === orderRef ? Math.max(last, execution.at) : last), 0);

/** Two shrinkings of one order are at least this far apart. */
const SHRINK_AGAIN_MS = 1_000;

/**
 * It could trade more than is held. That waits for nothing but its own last refusal: the pause after another member's protects the wire, and would
 * leave an order standing that sells what nobody holds (I1).
 */
function mustShrink(d: Draft, { order, sentAt, refusedChanges }: Tracked, kept: number): boolean {
  if (order.filled + kept >= order.quantity) return false;
  return d.mono - sentAt >= Math.max(SHRINK_AGAIN_MS, backOffMs(refusedChanges, d.s.rules.transientRetryMs));
}

/** Why a target went, on its row: a successor must not take that for the end of its group. */
const STOP_SELLS = 'its stop sells';

function withdraw(d: Draft, tracked: Tracked, why: string | null): void {
  // An order that was not acknowledged yet is left alone until it is.
  if (tracked.order.status === 'SUBMITTED' || tracked.order.status === 'INACTIVE') cancelExit(d, tracked, why);
}

/** More may follow: its entry may still fill, or it is somebody else's and nobody knows. */
const isGrowing = (d: Draft, care: Care): boolean => care.origin !== 'entry' || openEntries(d.s, care.tradeId).length > 0;

const CHANGES_MS = 60_000;

/** It became more a moment ago and may become more again: the next change can wait a little. */
function growsLater(d: Draft, { order, sentAt, changes }: Tracked, grows: boolean): boolean {
  const recent = changes.filter(at => d.mono - at < CHANGES_MS).length;
  const pauses = GROWS_AFTER_MS[order.role === 'target' ? 'target' : 'stop'];
  return d.mono - sentAt < backOffMs(grows ? recent : 0, pauses);
}

function growSoon(d: Draft, tracked: Tracked): void {
  if (!tracked.growsSoon) putOrder(d, { ...tracked, growsSoon: true });
}

interface Fit {
  readonly tracked: Tracked;
  readonly member: Member;
  readonly quantity: number;
  readonly isGrowing: boolean;
}

function fit(d: Draft, { tracked, member, quantity, isGrowing: grows }: Fit): void {
  const { order, modified, settledFrom } = tracked;
  // The broker has told its end, and only what it filled is still to come.
  if (settledFrom !== null) return;
  // A modification before the acknowledgement can be answered with 103 (reference/ibkr-behaviour.md §2).
  if (order.status !== 'SUBMITTED' || (modified && d.mono - modified.at < MODIFY_ANSWER_MS)) return;
  const price = order.type === 'STP' ? order.stopPrice : order.limitPrice;
  // One that sells already stays where it was touched: moved, it would wait for its price again.
  const wanted = isTriggered(tracked) && price !== null ? price : member.price;
  const total = shares(order.filled + quantity);
  const executedAt = d.s.lastExecution.get(order.contract.conId);
  const brokerIsReducing = total < order.quantity && executedAt !== undefined && d.mono - executedAt < BROKER_REDUCES_MS;
  const brokerHasReduced = total > order.quantity && tracked.reducedAt !== null && d.mono - tracked.reducedAt < BROKER_REDUCES_MS;
  if (brokerHasReduced) {
    growSoon(d, tracked);
    return;
  }
  if (brokerIsReducing && executedAt !== undefined && price === wanted) {
    // Looked at before it is changed: a size of ours could undo what the broker has reduced meanwhile.
    if (d.mono - executedAt >= BROKER_REDUCES_MS / 2 && (tracked.queriedAt ?? 0) < executedAt) {
      emit(d, { do: 'request-open-orders' });
      putOrder(d, { ...tracked, queriedAt: d.mono });
    }
    return;
  }
  if (total <= order.quantity && tracked.growsSoon) putOrder(d, { ...tracked, growsSoon: false });
  if (total === order.quantity && price === wanted) return;
  // A stop that trails follows in steps, not at every mark: changes count against the cap at the wire.
  if (member.isTrailing && total === order.quantity && d.mono - tracked.sentAt < TRAIL_EVERY_MS) return;
  const isElsewhere = price !== null && member.otherwise !== undefined && Math.abs(price - member.otherwise) < Math.abs(price - wanted);
  if (total > order.quantity && !isElsewhere && growsLater(d, tracked, grows)) {
    growSoon(d, tracked);
    return;
  }
  // What cannot be changed is withdrawn, and placed anew as it should be; a stop that sells already sells on.
  if (tracked.refusedChanges >= REFUSED_CHANGES_MAX || mustGoToShrink(tracked, total)) {
    if (!isTriggered(tracked) || total < order.quantity) cancelExit(d, tracked);
    return;
  }
  modifyExit(d, tracked, {
    quantity: brokerIsReducing ? order.quantity : total,
    ...(order.type === 'STP' ? { stopPrice: wanted } : { limitPrice: wanted }),
  });
}

interface Missing {
  readonly missing: readonly Member[];
  readonly quantity: Shares;
  readonly resting: readonly Tracked[];
  readonly lost: readonly Tracked[];
  readonly held: Shares;
}

/**
 * A group lives as long as one member works; once all are gone its name is spent and the next generation begins. A lost member is replaced
 * under its own API order id by one of the same kind: should it live after all, the broker takes that for a change. A lost one that nothing
 * replaces is asked about; until the broker's word it counts with its group.
 */
function placeMissing(d: Draft, care: Care, { missing, quantity, resting, lost, held }: Missing): void {
  const living = (resting[0] ?? lost[0])?.order.ocaGroup ?? null;
  const generation = living === null ? care.generation + 1 : care.generation;
  const ocaGroup = living ?? `${care.tradeId}-x${d.s.lease}-g${generation}`;
  if (generation !== care.generation) putCare(d, { ...care, generation });
  const spare = [...lost];
  for (const { role, price } of missing) {
    const index = spare.findIndex(({ order }) => order.role === role);
    const inPlaceOf = index < 0 ? null : (spare.splice(index, 1)[0] ?? null);
    placeExit(d, care, {
      role,
      side: exitSide(held),
      quantity,
      type: role === 'target' ? 'LMT' : 'STP',
      tif: 'DAY',
      ...(role === 'target' ? { limitPrice: price } : { stopPrice: price }),
      ocaGroup,
      inPlaceOf,
    });
  }
  for (const tracked of spare) probe(d, tracked);
}
