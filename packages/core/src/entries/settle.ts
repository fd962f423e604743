import type { EventBody } from '../events.js';
import { CLIENT_ID, isEntryRef, isFinal, type Order } from '../orders/order.js';
import type { MonoMs } from '../units.js';
import {
  alert,
  askExecutions,
  askSnapshot,
  type DayTraderState,
  type Draft,
  dropLink,
  emit,
  isReconciled,
  putEntry,
  requestId,
  type Tracked,
  updateLink,
  write,
} from './desk.js';
import { hearOpenOrder, settleUnknown, step } from './heard.js';
import { learnExecution } from './learn.js';
import { startFollowing } from './watchlist.js';
import { expiryOf } from './withdraw.js';

/** So long after its good-till time an entry is over at the exchange, and one clean answer ends it; a lost one waits for that (DESIGN §3). */
const OVER_MS = 60_000;
const overAt = (d: Draft, order: Order): number => expiryOf(order, d.s.rules.ttlSeconds) + OVER_MS;
type Snapshot = Extract<EventBody, { kind: 'snapshot' }>;
type Asked = NonNullable<DayTraderState['link']['snapshot']>;

/**
 * Our entries against the broker's answer, at every start and reconnect and once a minute. It is the only recovery path. What holds
 * afterwards: every execution of our entries is booked; every entry the broker works is known here; none counts as working that the
 * broker has forgotten: it is CANCELLED when the broker once worked it, and LOST when nobody ever heard of it. Silence is never an
 * answer: a lost entry keeps its claim until it cannot reach the exchange any more, and a clean answer after that still does not know it.
 * Nor is one answer: right after a gateway start it may be empty or partial (reference/ibkr-behaviour.md §7), so an entry that the broker
 * worked is gone when two answers of one session, `goneAgreeMs` apart, do not list it, or one that was asked for when its time was over.
 */
export function settleSnapshot(d: Draft, told: Snapshot): void {
  const asked = d.s.link.snapshot;
  if (!asked || asked.id !== told.id || told.session !== d.s.link.session) return;
  for (const execution of told.executions) learnExecution(d, execution);
  for (const order of told.openOrders) hearOpenOrder(d, order);
  settleUnknown(d, told.id);
  const open = new Set(told.openOrders.filter(({ clientId }) => clientId === CLIENT_ID['day-trader']).map(({ orderRef }) => orderRef));
  for (const tracked of d.s.entries.values()) settleEntry(d, tracked, { asked, isOpen: open.has(tracked.order.orderRef) });
  updateLink(d, { snapshot: null, lastSnapshotAt: d.mono, lastAskedOn: asked.askedOn });
  if (!asked.isFirst) return;
  releaseOrphans(d);
  writeRecounted(d);
  becomeReady(d);
}

/** Entries whose row is older than what executions sum to (its writer died, the exit manager booked the fill): the row is set right. */
function writeRecounted(d: Draft): void {
  const rows = new Map(d.s.view.orders.map(order => [order.orderRef, order]));
  const written = new Set(d.effects.map(effect => (effect.do === 'write-order' ? effect.order.orderRef : '')));
  for (const { order } of d.s.entries.values()) {
    const row = rows.get(order.orderRef);
    if (row && !written.has(order.orderRef) && (row.filled !== order.filled || row.status !== order.status))
      write(d, { do: 'write-order', order: { ...order, updatedAt: d.at } });
  }
}

function settleEntry(d: Draft, tracked: Tracked, { asked, isOpen }: { readonly asked: Asked; readonly isOpen: boolean }): void {
  const { order, session, sentAt } = tracked;
  if (isFinal(order)) return;
  const isFromBefore = session < d.s.link.session;
  if (isOpen) {
    if (isCancelLost(d, tracked, asked)) step(d, withCancelsAnew(d, tracked), 'cancelRefused', null);
    else if (isFromBefore) putEntry(d, { ...tracked, session: d.s.link.session });
    return;
  }
  if (sentAt >= asked.askedAt && !isFromBefore) return;
  // Found without a row, it carries no good-till time that could be over.
  const endsByItself = order.goodTill !== null || order.tif === 'IOC';
  const isOver = asked.askedOn >= overAt(d, order);
  // Silence on the very connection it was sent on is no answer: steerEntries asks for a new one.
  if (order.status === 'INTENT' && !isFromBefore) return;
  if (order.status === 'LOST' || (order.status === 'INTENT' && isOver && endsByItself)) {
    if (isOver) step(d, tracked, 'cancelled', 'never heard of at the broker, and its time is over');
    return;
  }
  if (order.status === 'INTENT' || (isOver && endsByItself) || isSecondAnswer(d, tracked, asked.askedAt))
    step(d, { ...tracked, unlisted: null }, 'neverHeardOf', tracked.withdrawWhy ?? 'not among the open orders of a complete answer');
  else missedOnce(d, tracked, asked);
}

/** A cancel asked on a connection that is gone may never have arrived: it is asked again. */
const isCancelLost = (d: Draft, { order, session, cancelAskedAt }: Tracked, asked: Asked): boolean =>
  order.status === 'CANCELLING' && session < d.s.link.session && (cancelAskedAt ?? 0) < asked.askedAt;

const withCancelsAnew = (d: Draft, tracked: Tracked): Tracked => ({
  ...tracked,
  session: d.s.link.session,
  cancelAskedAt: null,
  cancels: 0,
  cancelIsPending: false,
});

/** Is (or would be) an answer asked for now the second of this session that agrees? */
const isSecondAnswer = (d: Draft, { unlisted }: Tracked, askedAt: MonoMs): boolean =>
  unlisted !== null && unlisted.session === d.s.link.session && askedAt - unlisted.askedAt >= d.s.rules.goneAgreeMs;

/**
 * Its time is over at the exchange, and no answer was asked for since: the claim waits for that one. Exchange time may run many times faster
 * than the rhythm of the reconcile.
 */
const isUnasked = (d: Draft, { order }: Tracked): boolean => d.at >= overAt(d, order) && (d.s.link.lastAskedOn ?? d.at) < overAt(d, order);

/** Counts as working until a second answer agrees: its claim stays, and a cancel under way is asked for on this connection too. */
function missedOnce(d: Draft, tracked: Tracked, asked: Asked): void {
  const { session } = d.s.link;
  const unlisted = tracked.unlisted?.session === session ? tracked.unlisted : { session, askedAt: asked.askedAt };
  const current = isCancelLost(d, tracked, asked) ? withCancelsAnew(d, tracked) : tracked;
  putEntry(d, { ...current, unlisted });
}

/** Claims of ours whose order ended on an earlier date, or never had one: given back (the store refuses where fills are on record). */
function releaseOrphans(d: Draft): void {
  for (const { tradeId, status, contract } of d.s.view.positions) {
    if (status !== 'CLAIMED' || !isEntryRef(tradeId) || d.s.entries.has(tradeId) || d.s.asked.has(tradeId)) continue;
    if ([...d.s.executions.values()].some(({ orderRef }) => orderRef === tradeId)) continue;
    write(d, { do: 'release-claim', tradeId, symbol: contract.symbol, reason: 'claim without an entry that could still fill' });
  }
}

function becomeReady(d: Draft): void {
  const phase = d.s.isCancelOnly ? 'CANCEL-ONLY' : 'READY';
  updateLink(d, { phase });
  const open = [...d.s.entries.values()].filter(({ order }) => !isFinal(order));
  const lost = open.filter(({ order }) => order.status === 'LOST').length;
  const detail = `${open.length - lost} entries working${lost > 0 ? `, ${lost} never heard of at the broker` : ''}`;
  write(d, { do: 'write-phase', phase, detail });
  startFollowing(d);
}

/** Deadlines of the reconcile and its rhythm: asked again after 5 s, a new connection after two silences, anew every minute, to agree or to end a claim. */
export function keepReconciling(d: Draft): void {
  const { link, rules } = d.s;
  if (!link.isUp || link.phase === 'BROKER-LOST' || link.phase === 'CONNECTING') return;
  if (link.snapshot === null) {
    const isDue = d.mono - (link.lastSnapshotAt ?? d.mono) >= rules.reconcileEveryMs;
    const isAwaited = [...d.s.entries.values()].some(
      tracked => !isFinal(tracked.order) && (isSecondAnswer(d, tracked, d.mono) || isUnasked(d, tracked)),
    );
    if (isReconciled(d.s) && (isDue || isAwaited)) askSnapshot(d);
    return;
  }
  if (d.mono - link.snapshot.askedAt < rules.snapshotDeadlineMs) return;
  if (link.snapshot.tries >= 2) noAnswer(d);
  else {
    const id = requestId(d);
    updateLink(d, { snapshot: { ...link.snapshot, id, askedAt: d.mono, askedOn: d.at, tries: link.snapshot.tries + 1 } });
    emit(d, { do: 'request-snapshot', id });
  }
}

function noAnswer(d: Draft): void {
  alert(d, {
    level: 'warning',
    code: 'RECONCILE_UNANSWERED',
    symbol: null,
    happened: `The gateway did not answer the day trader's open orders and executions within ${(2 * d.s.rules.snapshotDeadlineMs) / 1000} s.`,
    did: 'Makes a new connection under the same client id; no entries until it is reconciled. Exits are not concerned.',
    todo: 'Look at the gateway if this repeats.',
  });
  dropLink(d, 'reconcile unanswered');
}

/** Executions the broker has spoken of but not told are asked for after this long, and again as often. */
const ASK_MISSING_MS = 1_000;
const EXECUTIONS_MS_MAX = 10_000;

export function askMissingExecutions(d: Draft): void {
  const { executionsAsked } = d.s.link;
  if (executionsAsked && d.mono - executionsAsked.at >= EXECUTIONS_MS_MAX) {
    updateLink(d, { executionsAsked: null });
    askSnapshot(d);
  }
  const isMissing = [...d.s.entries.values()].some(({ heardFilled }) => heardFilled !== null && d.mono - heardFilled.at >= ASK_MISSING_MS);
  if (isMissing) askExecutions(d, ASK_MISSING_MS);
}
