import { sessionAt } from '../calendar.js';
import { isTradable } from '../contract.js';
import type { BrokerPosition, EventBody } from '../events.js';
import { askSnapshot, hearPosition, lacksPosition, noteContract } from '../exits/adopt.js';
import { alert, type Draft, edit, emit, putCare, putOrder, say, setOrder, type Tracked, update, updateLink, write } from '../exits/desk.js';
import { hearOpenOrder, step } from '../exits/heard.js';
import { learnExecution, recoverTrades } from '../exits/learn.js';
import { askPrices } from '../exits/price-stream.js';
import { ASK_SILENCE_MS, isMissedSoon } from '../exits/sell.js';
import { exitOrders, heldShares } from '../exits/sellable.js';
import { CLIENT_ID, isFinal, type Order } from '../orders/order.js';
import { correctionsBetween, tellCorrections } from './corrections.js';
import { endGone } from './gone.js';
import { keepMeeting, mayMeet, meetAccount } from './meet.js';

const ENTRY_OVER_MS = 60_000;

/**
 * Ours against theirs, at every start and reconnect and once a minute. It is the only recovery path. What holds afterwards:
 *
 * 1. every execution the broker knows of this day is booked;
 * 2. every order the broker works under our prefix is known here;
 * 3. no order of ours is waited for that cannot work any more (an IOC, a DAY order after its session): it is CANCELLED. What could still
 *    rest there and is left out is LOST: still counted, and replaced only under its own API order id (DESIGN §3, "Silence is never an answer");
 * 4. holdings are the broker's; what does not fit is kept as a mismatch until explained. What was heard by itself since the answer was asked
 *    for is newer than the answer, which is only whole once its executions are in;
 * 5. nothing was sent: an INTENT without an answer is asked about here, never sent again;
 * 6. the same answer taken a second time corrects nothing;
 * 7. the row of every order says what is known of it, also where it was behind its executions at the start.
 *
 * Each correction is a row of `decisions`, and together they are told to the operator (`corrections.ts`).
 */
export function settleSnapshot(d: Draft, told: Extract<EventBody, { kind: 'snapshot' }>): void {
  const asked = d.s.link.snapshot;
  if (!asked || asked.id !== told.id || told.session !== d.s.link.session) return;
  if (d.s.baseline === null) {
    if (!mayMeet(d, told)) return;
    meetAccount(d, told);
  }
  const before = d.s;
  const news = told.positions.filter(position => isNews(d, position, asked.askedAt));
  if (asked.isFirst) endGone(d, { executions: told.executions, positions: news });
  for (const execution of told.executions) learnExecution(d, execution);
  edit(d, 'foreign').clear();
  // An order of ours without a row tells no more than a symbol; its instrument stands among the positions.
  for (const { contract } of told.positions) if (isTradable(contract)) noteContract(d, contract);
  for (const order of told.openOrders) hearOpenOrder(d, order, true);
  for (const position of news) hearPosition(d, position);
  forgetHoldings(d, told, asked.askedAt);
  if (asked.isFirst) recoverTrades(d);
  const seen = new Set(told.openOrders.map(({ orderRef }) => orderRef).filter(ref => ref !== ''));
  for (const tracked of d.s.orders.values()) settleOrder(d, { tracked, isOpen: seen.has(tracked.order.orderRef), askedAt: asked.askedAt });
  forgetOldEntries(d, seen);
  writeRecounted(d);
  if (asked.isFirst) writeCared(d);
  tellCorrections(d, correctionsBetween(before, d.s));
  for (const conId of d.s.care.keys()) d.touched.add(conId);
  becomeReady(d, asked.isFirst);
  updateLink(d, { lacksPosition: lacksPosition(d, told.executions) });
}

/**
 * Exits whose row tells another sum than the executions beside it: a copy of the store, or a step that was kept in part. The store's second opinion
 * counts by the row, and would refuse every sale of what it believes to be owed.
 */
function writeRecounted(d: Draft): void {
  if (d.s.recounted.length === 0) return;
  for (const orderRef of d.s.recounted) {
    const tracked = d.s.orders.get(orderRef);
    if (tracked) putOrder(d, { ...tracked, order: { ...tracked.order } });
  }
  update(d, { recounted: [] });
}

/**
 * Once at a start: a predecessor that learned of fills from another process's rows may have died before it wrote what they sum to, and nothing would
 * change that row until the next fill.
 */
function writeCared(d: Draft): void {
  for (const care of d.s.care.values()) if (care.status !== 'CLAIMED') putCare(d, { ...care });
}

/** What an answer says otherwise than a word heard since it was asked for is older than that word. */
function isNews(d: Draft, { contract, quantity }: Pick<BrokerPosition, 'contract' | 'quantity'>, askedAt: number): boolean {
  const known = d.s.holdings.get(contract.conId);
  return known === undefined || known.quantity === quantity || known.heardAt < askedAt;
}

/** A complete positions answer leaves out what is not held. */
function forgetHoldings(d: Draft, told: Extract<EventBody, { kind: 'snapshot' }>, askedAt: number): void {
  const held = new Map(told.positions.map(position => [position.contract.conId, position]));
  for (const conId of new Set([...d.s.holdings.keys(), ...d.s.care.keys()])) {
    if (held.has(conId)) continue;
    const contract = d.s.contracts.get(conId) ?? d.s.care.get(conId)?.contract;
    const none = contract && { account: d.s.account, contract, quantity: 0, averageCost: 0 as never };
    if (none && isNews(d, none, askedAt)) hearPosition(d, none);
  }
}

function settleOrder(d: Draft, { tracked, isOpen, askedAt }: { tracked: Tracked; isOpen: boolean; askedAt: number }): void {
  const { order, session, sentAt, cancelAskedAt } = tracked;
  if (isFinal(order) || order.clientId !== CLIENT_ID['exit-manager']) return;
  const isFromBefore = session < d.s.link.session;
  if (isOpen) {
    // A cancel asked on a connection that is gone may never have arrived.
    if (order.status === 'CANCELLING' && isFromBefore && (cancelAskedAt ?? 0) < askedAt)
      step(d, { ...tracked, session: d.s.link.session, cancelAskedAt: null }, 'cancelRefused', null);
    else if (tracked.missingSince !== null) setOrder(d, { ...tracked, missingSince: null });
    return;
  }
  if (sentAt >= askedAt && !isFromBefore) return;
  if (order.status === 'INTENT' && !isFromBefore) {
    // Silence on this very connection is no answer: only a new session gives a full barrier. What should rest and does not leaves the position
    // bare, so less patience is had with it than with a sale, which may be about to trade.
    const mayTakeLong = order.role === 'exit' && !isMissedSoon(tracked);
    const isPatient = d.mono - sentAt < (mayTakeLong ? d.s.rules.exitAnswerMs : ASK_SILENCE_MS);
    if (!isPatient) emit(d, { do: 'reconnect', reason: `${order.orderRef} was never echoed` });
    return;
  }
  if (hasExpired(order, d.at)) {
    step(d, tracked, 'expired', 'its time in force is over, and a complete answer leaves it out');
    return;
  }
  if (order.tif === 'IOC') {
    step(d, tracked, 'neverHeardOf', 'not among the open orders of a complete answer');
    return;
  }
  if (waitsForSecondAnswer(d, tracked)) {
    const missingSince = tracked.missingSince ?? d.mono;
    if (askedAt - missingSince < d.s.rules.positionAgreeMs) {
      if (tracked.missingSince === null) setOrder(d, { ...tracked, missingSince });
      return;
    }
  }
  step(d, { ...tracked, missingSince: null, cancelAskedAt: null }, 'missing', null);
}

/** The broker itself ends day orders within minutes of the close (reference/ibkr-behaviour.md §3). */
const EXPIRED_AFTER_MS = 300_000;

/** A DAY order dies with the session it was made in. */
function hasExpired({ tif, createdAt }: Pick<Order, 'tif' | 'createdAt'>, at: number): boolean {
  const { isTradingDay, close } = sessionAt(createdAt);
  return tif === 'DAY' && isTradingDay && createdAt < close && at >= close + EXPIRED_AFTER_MS;
}

/**
 * Right after a gateway start an answer may be empty or partial: an order that rests as it should is doubted only when a second answer
 * agrees, so that a good one is not touched for nothing. What is under way is doubted at once, which is safe: LOST, it still counts.
 */
function waitsForSecondAnswer(d: Draft, { order }: Tracked): boolean {
  const care = d.s.care.get(order.contract.conId);
  const isAtRest = order.status === 'SUBMITTED' || order.status === 'INACTIVE';
  return isAtRest && care !== undefined && care.exit === null && heldShares(d.s, care) !== 0;
}

/** Two of these questions are at least this far apart. */
const CONFIRM_AGAIN_MS = 1_000;

/**
 * The second answer is asked for on purpose, until one comes that counts: one that was asked for too early may have come late enough, and does
 * not.
 */
function confirmMissing(d: Draft): void {
  const { link, rules } = d.s;
  if (link.snapshot !== null || link.phase !== 'READY' || d.mono - (link.lastSnapshotAt ?? 0) < CONFIRM_AGAIN_MS) return;
  for (const conId of d.s.live.keys()) {
    for (const { missingSince } of exitOrders(d.s, conId)) {
      if (missingSince === null || d.mono - missingSince < rules.positionAgreeMs) continue;
      askSnapshot(d);
      return;
    }
  }
}

/**
 * A day trader that is parked or dead gives its entries no last word. One whose good-till time is over by a minute, and which the broker's
 * complete answer does not list, cannot fill any more: a position waits for it no longer to be closed.
 */
function forgetOldEntries(d: Draft, seen: ReadonlySet<string>): void {
  for (const order of d.s.entries.values()) {
    if (isFinal(order) || seen.has(order.orderRef) || order.goodTill === null || d.at < order.goodTill + ENTRY_OVER_MS) continue;
    update(d, { goneEntries: new Set([...d.s.goneEntries, order.orderRef]) });
    edit(d, 'entries').set(order.orderRef, { ...order, status: 'CANCELLED' });
    d.touched.add(order.contract.conId);
    say(d, 'entry-gone', { orderRef: order.orderRef, symbol: order.contract.symbol, status: order.status }, 'warn');
  }
}

function becomeReady(d: Draft, isFirst: boolean): void {
  updateLink(d, { snapshot: null, lastSnapshotAt: d.mono });
  if (!isFirst) return;
  // After a gap in which no mark could be heard, suspicions wait from now on.
  updateLink(d, { phase: 'READY', heardSince: d.mono });
  write(d, { do: 'write-phase', phase: 'READY', detail: `${d.s.care.size} in care` });
  for (const conId of d.s.care.keys()) askPrices(d, conId);
}

/** Deadlines of the reconcile and its rhythm: asked again after 5 s, a new connection after two silences, anew every minute. */
export function keepReconciling(d: Draft): void {
  const { link, rules } = d.s;
  if (!link.isUp || link.phase === 'BROKER-LOST') return;
  keepMeeting(d);
  confirmMissing(d);
  if (d.s.link.snapshot === null) {
    const everyMs = link.lacksPosition ? rules.positionAgreeMs : rules.reconcileEveryMs;
    if (link.phase === 'READY' && d.mono - (link.lastSnapshotAt ?? d.mono) >= everyMs) askSnapshot(d);
    return;
  }
  if (link.snapshot === null || d.mono - link.snapshot.askedAt < rules.snapshotDeadlineMs) return;
  if (link.snapshot.tries >= 2) {
    alert(d, {
      level: 'critical',
      code: 'RECONCILE_UNANSWERED',
      symbol: null,
      happened: `The gateway did not answer open orders, executions and positions within ${(2 * rules.snapshotDeadlineMs) / 1000} s.`,
      did: 'Makes a new connection under the same client id; what rests at the broker goes on resting.',
      todo: 'Look at the gateway if this repeats.',
    });
    updateLink(d, { snapshot: null });
    emit(d, { do: 'reconnect', reason: 'reconcile unanswered' });
    return;
  }
  const { tries, isFirst } = link.snapshot;
  const id = d.s.nextRequest;
  update(d, { nextRequest: id + 1 });
  updateLink(d, { snapshot: { id, askedAt: d.mono, tries: tries + 1, isFirst } });
  emit(d, { do: 'request-snapshot', id });
}
