import { isRegularHours } from '../calendar.js';
import { exitSide } from '../events.js';
import { type Shares, shares } from '../units.js';
import { askSnapshot } from './adopt.js';
import { isSelling, isTriggered } from './bracket.js';
import type { Care } from './care.js';
import { alert, askExecutions, type Draft, emit, putCare, putOrder, say, type Tracked } from './desk.js';
import { cancelExit, modifyExit, mustGoToShrink, placeExit, repriceExit } from './place.js';
import { cancelAgain } from './rejections.js';
import { exitOrders, isReplaceable, isWrongWay, openEntries, sellableShares } from './sellable.js';

/** Two sends of one exit are at least this far apart, so that a thin book can fill up again. */
const BETWEEN_ATTEMPTS_MS = 1_000;
/** After so many IOC orders that met nobody (or so many in all) a market order rests for the day instead. */
const EMPTY_ATTEMPTS_MAX = 2;
const ATTEMPTS_MAX = 5;
/** Resting orders and changes without an answer are asked about after this long, and again as often. */
export const ASK_SILENCE_MS = 4_000;
/** The day trader is asked again this often to withdraw entries that are still working. */
const ASK_WITHDRAW_EVERY_MS = 60_000;

/**
 * Carries a decided exit on: withdraw the entry → cancel what rests, the disaster stop last, each to the broker's word → sell exactly
 * what is left, market IOC → wait → re-evaluate. Called after every event and every beat; it does the next thing that is due, so a crash
 * at any point is carried on from what the broker and the store say.
 */
export function sellOut(d: Draft, care: Care, held: Shares): void {
  withdrawEntries(d, care);
  const live = exitOrders(d.s, care.contract.conId);
  if (withdrawWrongWay(d, live, held)) return;
  const lost = live.filter(({ order }) => order.status === 'LOST');
  const rested = live.filter(tracked => tracked.order.status !== 'LOST' && !isSale(tracked));
  const resting = rested.filter(({ settledFrom }) => settledFrom === null);
  const sales = live.filter(tracked => tracked.order.status !== 'LOST' && isSale(tracked));

  if (resting.length > 0) {
    const others = resting.filter(({ order }) => order.role !== 'disaster-stop');
    const going = others.length > 0 ? others : resting.filter(tracked => !isKept(d, care, tracked));
    for (const tracked of going) cancelToTheEnd(d, care, tracked);
    return;
  }
  if (rested.length > 0) {
    askLastFills(d, rested);
    return;
  }
  for (const tracked of sales) {
    askWhenSilent(d, tracked);
    fitSale(d, care, tracked);
  }
  if (sales.length === 0) sellWhatIsLeft(d, care, { held, lost });
}

/** Whether something still works that would make the position larger: nothing else is done before its last word. */
export function withdrawWrongWay(d: Draft, live: readonly Tracked[], held: Shares): boolean {
  const wrong = live.filter(tracked => isWrongWay(tracked, held));
  for (const tracked of wrong) {
    if (tracked.order.status === 'LOST') probe(d, tracked);
    else if (tracked.order.status === 'INTENT') askWhenSilent(d, tracked);
    else if (tracked.order.status !== 'CANCELLING') cancelExit(d, tracked);
    else repeatCancel(d, tracked);
  }
  return wrong.length > 0;
}

/** What an order that has ended filled is asked for this often until it is told; unanswered, the whole answer is asked for. */
const LAST_FILLS_EVERY_MS = 1_000;

/** The broker has told the end of these: nothing can be asked of them any more, and what they filled is wanted before anything else is sold. */
function askLastFills(d: Draft, over: readonly Tracked[]): void {
  askExecutions(d, LAST_FILLS_EVERY_MS);
  const since = Math.max(d.s.link.lastSnapshotAt ?? 0, ...over.map(({ cancelAskedAt, sentAt }) => cancelAskedAt ?? sentAt));
  if (d.mono - since >= d.s.rules.exitAnswerMs) askSnapshot(d);
}

/**
 * As long as the broker's figure is in doubt and allows nothing (right after a gateway start answers may be empty), a stop that is withdrawn has no
 * sale to make room for, and leaves the position bare until two answers agree. It goes as soon as something may be sold.
 */
function isKept(d: Draft, care: Care, { order }: Tracked): boolean {
  const { conId } = care.contract;
  if (order.status !== 'SUBMITTED' || !d.s.mismatches.has(conId)) return false;
  const without = exitOrders(d.s, conId).map(live => live.order.orderRef);
  return sellableShares(d.s, care, { mono: d.mono, without }) === 0;
}

const isSale = (tracked: Tracked): boolean => isSelling(tracked) || isTriggered(tracked);

function withdrawEntries(d: Draft, care: Care): void {
  if (openEntries(d.s, care.tradeId).length === 0) return;
  if (care.withdrawAskedAt !== null && d.mono - care.withdrawAskedAt < ASK_WITHDRAW_EVERY_MS) return;
  putCare(d, { ...care, withdrawAskedAt: d.mono });
  emit(d, {
    do: 'write-command',
    target: 'day-trader',
    kind: 'withdraw-entry',
    payload: { tradeId: care.tradeId, symbol: care.contract.symbol },
    expiresAt: (d.at + ASK_WITHDRAW_EVERY_MS) as Draft['at'],
  });
}

/**
 * A7: ask, wait 2 s for the broker's word, ask about it, wait 2 s more, then turn that same order into a marketable one: one order
 * cannot sell twice. If even that stays unanswered the connection is made anew under the same client id.
 */
function cancelToTheEnd(d: Draft, care: Care, tracked: Tracked): void {
  const { order, cancelAskedAt, queriedAt } = tracked;
  const { cancelAnswerMs } = d.s.rules;
  if (order.status !== 'CANCELLING' || cancelAskedAt === null) {
    cancelExit(d, tracked);
    return;
  }
  cancelAgain(d, tracked);
  if (queriedAt === null) {
    if (d.mono - cancelAskedAt < cancelAnswerMs) return;
    emit(d, { do: 'request-open-orders' });
    putOrder(d, { ...tracked, queriedAt: d.mono });
    say(d, 'cancel-unanswered', { symbol: order.contract.symbol, orderRef: order.orderRef, waitedMs: d.mono - cancelAskedAt }, 'warn');
    return;
  }
  if (d.mono - queriedAt < cancelAnswerMs) return;
  const now = d.s.orders.get(order.orderRef) ?? tracked;
  // Its siblings can trade only instead of it, never besides.
  const group = exitOrders(d.s, care.contract.conId).filter(
    ({ order: other }) => other.orderRef === order.orderRef || (order.ocaGroup !== null && other.ocaGroup === order.ocaGroup),
  );
  // A sibling is the sale already: it is only asked again to go.
  if (exitOrders(d.s, care.contract.conId).some(other => other.order.status !== 'LOST' && isSale(other))) {
    cancelExit(d, now);
    return;
  }
  const quantity = order.filled + sellableShares(d.s, care, { mono: d.mono, without: group.map(({ order: member }) => member.orderRef) });
  if (quantity <= order.filled) {
    cancelExit(d, now);
    return;
  }
  repriceExit(d, care, now, shares(quantity));
  alert(d, {
    level: 'warning',
    code: 'CANCEL_UNANSWERED',
    symbol: order.contract.symbol,
    happened: `The broker did not answer the cancel of ${order.role} ${order.orderRef} for ${d.mono - cancelAskedAt} ms.`,
    did: 'Turned that same order into a market order: one order cannot sell twice.',
    todo: 'Nothing, unless this repeats: then look at the gateway and the connection to the broker.',
  });
}

/**
 * Outside an exit nothing is urgent about a cancel, yet an unanswered one must not hold the position for ever: asked about after 2 s,
 * asked again after 2 more.
 */
export function repeatCancels(d: Draft, conId: number): void {
  for (const tracked of exitOrders(d.s, conId)) if (tracked.order.status === 'CANCELLING') repeatCancel(d, tracked);
}

function repeatCancel(d: Draft, tracked: Tracked): void {
  const { cancelAnswerMs } = d.s.rules;
  const { cancelAskedAt, queriedAt, settledFrom } = tracked;
  if (settledFrom !== null) {
    askLastFills(d, [tracked]);
    return;
  }
  cancelAgain(d, tracked);
  if (cancelAskedAt === null || (queriedAt !== null && d.mono - queriedAt >= cancelAnswerMs)) cancelExit(d, tracked);
  else if (queriedAt === null && d.mono - cancelAskedAt >= cancelAnswerMs) {
    putOrder(d, { ...tracked, queriedAt: d.mono });
    askSnapshot(d);
  }
}

/**
 * Orders and changes the broker has not answered: an order is looked for among all open orders (a connection it never reached is made
 * anew by the reconcile), a change is compared with the order as the broker works it.
 */
export function askAboutSilence(d: Draft, conId: number): void {
  for (const tracked of exitOrders(d.s, conId)) {
    const { order, sentAt, modified, queriedAt } = tracked;
    const since = Math.max(queriedAt ?? 0, modified?.at ?? sentAt);
    if (d.mono - since < ASK_SILENCE_MS || !(modified || order.status === 'INTENT')) continue;
    putOrder(d, { ...tracked, queriedAt: d.mono });
    if (modified) emit(d, { do: 'request-open-orders' });
    else askSnapshot(d);
  }
}

/**
 * A market IOC may be about to trade, and is given its ten seconds (A5). One that would rest is echoed at once or never arrived, and so is any of a
 * trade of which a sale has never arrived: they are given less, because several of them in a row would leave the position bare for long, also where
 * one between them sold a part or another process sent the first.
 */
export const isMissedSoon = ({ order, followsLost }: Tracked): boolean => order.status === 'INTENT' && (followsLost || order.tif !== 'IOC');

/**
 * A sent exit that is not answered is asked about, never sent again: where the complete answer leaves it out, or does not come for as long again,
 * the connection is made anew.
 */
function askWhenSilent(d: Draft, tracked: Tracked): void {
  const { order, sentAt, queriedAt, modified } = tracked;
  const isResting = order.status === 'SUBMITTED' && order.tif !== 'IOC' && modified === null;
  // What was asked before it was sent (a cancel that stayed unanswered until it was re-priced) says nothing about it.
  const askedAt = queriedAt !== null && queriedAt >= sentAt ? queriedAt : null;
  const patienceMs = modified === null && !isMissedSoon(tracked) ? d.s.rules.exitAnswerMs : ASK_SILENCE_MS;
  if (isResting || d.mono - (askedAt ?? sentAt) < patienceMs) return;
  if (askedAt === null) {
    askSnapshot(d);
    putOrder(d, { ...tracked, queriedAt: d.mono });
    say(d, 'exit-unanswered', { symbol: order.contract.symbol, orderRef: order.orderRef, waitedMs: d.mono - sentAt }, 'warn');
    return;
  }
  putOrder(d, { ...tracked, queriedAt: d.mono });
  emit(d, { do: 'reconnect', reason: `exit ${order.orderRef} unanswered for ${d.mono - sentAt} ms` });
}

/** Machine time in which the answer with the executions must have come; a sale by hand shrinks ours within twice as long (DESIGN §4). */
const EXECUTIONS_COME_MS = 1_000;

/**
 * A market order that rests (for the reopening, or re-priced) must not sell what somebody else has sold meanwhile (A7), and takes along what was
 * bought: one order sells, never a second one beside it.
 */
function fitSale(d: Draft, care: Care, tracked: Tracked): void {
  const { order, modified, heardFilled, settledFrom } = tracked;
  if (settledFrom !== null || order.status !== 'SUBMITTED' || order.tif === 'IOC' || (modified && d.mono - modified.at < ASK_SILENCE_MS))
    return;
  const allowed = order.filled + sellableShares(d.s, care, { mono: d.mono, without: [order.orderRef] });
  if (allowed === order.quantity) return;
  // A position that fell may have fallen by this very order: its executions have been asked for, and come before anybody else's sale is assumed.
  const mismatch = d.s.mismatches.get(care.contract.conId);
  const isUntold = heardFilled !== null || (mismatch !== undefined && d.mono - mismatch.since < EXECUTIONS_COME_MS);
  if (allowed < order.quantity && isUntold) return;
  // A change that was refused is not asked for again at once.
  if (care.restRetryAt !== null && d.mono < care.restRetryAt && allowed > order.filled) return;
  if (allowed > order.filled && !mustGoToShrink(tracked, allowed)) modifyExit(d, tracked, { quantity: shares(allowed) });
  else cancelExit(d, tracked);
}

function sellWhatIsLeft(d: Draft, care: Care, { held, lost }: { held: Shares; lost: readonly Tracked[] }): void {
  const current = d.s.care.get(care.contract.conId) ?? care;
  const plan = current.exit;
  if (!plan || !isRegularHours(d.at)) return;
  if (current.retryAt !== null && d.mono < current.retryAt) return;
  if (plan.lastAttempt !== null && d.mono - plan.lastAttempt < BETWEEN_ATTEMPTS_MS) return;
  // One live successor cannot stand for two lost orders: the others are asked about until the broker says they are unknown.
  const inPlaceOf = lost.find(isReplaceable) ?? null;
  const others = lost.filter(tracked => tracked !== inPlaceOf);
  for (const other of others) probe(d, other);
  if (others.length > 0) return;
  const quantity = sellableShares(d.s, current, { mono: d.mono, without: lost.map(({ order }) => order.orderRef) });
  if (quantity <= 0) return;

  const restsForTheDay = plan.emptyAttempts >= EMPTY_ATTEMPTS_MAX || plan.attempts >= ATTEMPTS_MAX;
  placeExit(d, current, { role: 'exit', side: exitSide(held), quantity, type: 'MKT', tif: restsForTheDay ? 'DAY' : 'IOC', inPlaceOf });
  putCare(d, { ...current, retryAt: null, status: 'CLOSING', exit: { ...plan, attempts: plan.attempts + 1, lastAttempt: d.mono } });
}

/** Cancelling an order the broker has never heard of is answered with 10147, and that is a fact. Asked again when nothing answers. */
export function probe(d: Draft, tracked: Tracked): void {
  if (tracked.cancelAskedAt !== null && d.mono - tracked.cancelAskedAt < d.s.rules.cancelAnswerMs) return;
  putOrder(d, { ...tracked, cancelAskedAt: d.mono });
  emit(d, { do: 'cancel', orderRef: tracked.order.orderRef, orderId: tracked.order.orderId });
}
