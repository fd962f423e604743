import type { EventBody } from '../events.js';
import { CLIENT_ID, isEntryRef, isFinal } from '../orders/order.js';

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

/** A lost entry keeps its claim for this long after its good-till time, and then for one more clean answer (DESIGN §3). */
const LOST_KEPT_MS = 60_000;
type Snapshot = Extract<EventBody, { kind: 'snapshot' }>;
type Asked = NonNullable<DayTraderState['link']['snapshot']>;

/**
 * Our entries against the broker's answer, at every start and reconnect and once a minute. It is the only recovery path. What holds
 * afterwards: every execution of our entries is booked; every entry the broker works is known here; none counts as working that the
 * broker has forgotten: it is CANCELLED when the broker once worked it, and LOST when nobody ever heard of it. Silence is never an
 * answer: a lost entry keeps its claim until it cannot reach the exchange any more, and a clean answer after that still does not know it.
 */
export function settleSnapshot(d: Draft, told: Snapshot): void {
  const asked = d.s.link.snapshot;
  if (!asked || asked.id !== told.id || told.session !== d.s.link.session) return;
  for (const execution of told.executions) learnExecution(d, execution);
  for (const order of told.openOrders) hearOpenOrder(d, order);
  settleUnknown(d);
  const open = new Set(told.openOrders.filter(({ clientId }) => clientId === CLIENT_ID['day-trader']).map(({ orderRef }) => orderRef));
  for (const tracked of d.s.entries.values()) settleEntry(d, tracked, { asked, isOpen: open.has(tracked.order.orderRef) });
  updateLink(d, { snapshot: null, lastSnapshotAt: d.mono });
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
  const { order, session, sentAt, cancelAskedAt } = tracked;
  if (isFinal(order)) return;
  const isFromBefore = session < d.s.link.session;
  if (isOpen) {
    // A cancel asked on a connection that is gone may never have arrived: it is asked again.
    if (order.status === 'CANCELLING' && isFromBefore && (cancelAskedAt ?? 0) < asked.askedAt)
      step(d, { ...tracked, session: d.s.link.session, cancelAskedAt: null, cancels: 0, cancelIsPending: false }, 'cancelRefused', null);
    else if (isFromBefore) putEntry(d, { ...tracked, session: d.s.link.session });
    return;
  }
  if (sentAt >= asked.askedAt && !isFromBefore) return;
  if (order.status === 'LOST') {
    const isOver = asked.askedOn >= expiryOf(order, d.s.rules.ttlSeconds) + LOST_KEPT_MS;
    if (isOver) step(d, tracked, 'cancelled', 'never heard of at the broker, and its time is over');
    return;
  }
  // Silence on the very connection it was sent on is no answer: steerEntries asks for a new one.
  if (order.status === 'INTENT' && !isFromBefore) return;
  step(d, tracked, 'neverHeardOf', tracked.withdrawWhy ?? 'not among the open orders of a complete answer');
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
  const working = [...d.s.entries.values()].filter(({ order }) => !isFinal(order)).length;
  write(d, { do: 'write-phase', phase, detail: `${working} entries working` });
  startFollowing(d);
}

/** Deadlines of the reconcile and its rhythm: asked again after 5 s, a new connection after two silences, anew every minute. */
export function keepReconciling(d: Draft): void {
  const { link, rules } = d.s;
  if (!link.isUp || link.phase === 'BROKER-LOST' || link.phase === 'CONNECTING') return;
  if (link.snapshot === null) {
    if (isReconciled(d.s) && d.mono - (link.lastSnapshotAt ?? d.mono) >= rules.reconcileEveryMs) askSnapshot(d);
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
