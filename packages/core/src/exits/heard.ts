import type { EventBody } from '../events.js';
import { type BrokerOrder, CLIENT_ID, isFinal, isOurs, type Order } from '../orders/order.js';
import { meaningOfStatus, type OrderEventKind, stepOrder } from '../orders/step-order.js';
import { type MonoMs, type Shares, shares } from '../units.js';
import { askSnapshot } from './adopt.js';
import { askExecutions, type Draft, edit, emit, putCare, putOrder, say, setOrder, type Tracked, trackedOf, update } from './desk.js';
import { contractOf, recoveredId } from './learn.js';
import { isReplaced } from './place.js';
import { backOffMs, cancelRefusedForNow, countRejection, countUnasked, type Rejection } from './rejections.js';

const EXIT_CLIENT = CLIENT_ID['exit-manager'];
/** The broker's old figures may still arrive this long after a modification was sent. */
const MODIFY_ECHO_MS = 3_000;
const SEND_RETRY_MS = 250;
/** 103 "Duplicate order id" (IB docs, message codes). */
const DUPLICATE_ID = 103;
/** 104 "Cannot modify a filled order": the id is used up. Every other refused change means that the order under it lives. */
const FILLED_ID = 104;

/** An openOrder message: pushed for our own orders, and part of every all-orders answer for everybody's. */
export function hearOpenOrder(d: Draft, told: BrokerOrder, isComplete = false): void {
  // After an all-orders answer, new ids must exceed every id in it, whoever's it is (reference/ibkr-behaviour.md §2).
  if (told.orderId >= d.s.nextOrderId) update(d, { nextOrderId: told.orderId + 1 });
  const tracked = d.s.orders.get(told.orderRef);
  if (tracked) {
    // A late or repeated word about an order that ended proves nothing; a complete answer that lists it does, unless its end was heard since.
    if (tracked.order.status === 'CANCELLED' && !isComplete) askSnapshot(d);
    else if (isComplete && isOlderThanEnd(d, tracked)) return;
    // Its end is told by its status, which counts what it had filled; this message does not.
    else if (meaningOfStatus(told.status) === 'cancelled') return;
    else hearOwn(d, tracked, told, isComplete);
    return;
  }
  if (told.clientId === EXIT_CLIENT && isOurs(told.orderRef)) {
    recover(d, told);
    return;
  }
  if (!isOurs(told.orderRef) && told.permId !== 0) {
    const ended = meaningOfStatus(told.status) === 'cancelled' || told.status === 'Filled';
    if (ended) edit(d, 'foreign').delete(told.permId);
    else edit(d, 'foreign').set(told.permId, told);
    d.touched.add(told.conId);
  }
}

/** An answer is whole when its executions are in, which may be late: what else it tells is of the time at which it was asked for. */
const isOlderThanEnd = (d: Draft, { order, endHeardAt }: Tracked): boolean =>
  isFinal(order) && endHeardAt !== null && endHeardAt >= (d.s.link.snapshot?.askedAt ?? Number.POSITIVE_INFINITY);

function hearOwn(d: Draft, tracked: Tracked, told: BrokerOrder, isComplete: boolean): void {
  const order = tracked.order.permId === null && told.permId !== 0 ? { ...tracked.order, permId: told.permId } : tracked.order;
  const { modified } = tracked;
  if (modified !== null && isAsWorked(order, told)) {
    applyStatus(d, { ...tracked, order, modified: null, refusedChanges: 0, missedShrinks: 0 }, told.status, isComplete);
    return;
  }
  // Its old figures may still arrive for a while after a change was sent. A complete answer on a new connection tells of what has arrived.
  const isAnswerOfNewSession = isComplete && tracked.session < d.s.link.session;
  if (modified !== null && !isAnswerOfNewSession && d.mono - modified.at < MODIFY_ECHO_MS) {
    applyStatus(d, { ...tracked, order }, told.status, isComplete);
    return;
  }
  const worked = asWorked(modified ? { ...order, type: modified.from.type, tif: modified.from.tif } : order, told);
  // The broker works less than we thought: another member has filled, and its execution is still to be told.
  const isReduced = worked.quantity < order.quantity;
  if (isReduced) askExecutions(d, 0);
  const reducedAt = isReduced ? d.mono : tracked.reducedAt;
  const isRepriced = modified ? false : tracked.isRepriced;
  const missedShrinks = modified !== null && worked.quantity > order.quantity ? tracked.missedShrinks + 1 : tracked.missedShrinks;
  applyStatus(d, { ...tracked, order: worked, modified: null, isRepriced, reducedAt, missedShrinks }, told.status, isComplete);
}

const isAsWorked = (order: Order, told: BrokerOrder): boolean =>
  told.quantity === order.quantity &&
  told.type === order.type &&
  (order.type !== 'STP' || told.stopPrice === order.stopPrice) &&
  (order.type !== 'LMT' || told.limitPrice === order.limitPrice);

/** The order as the broker works it: a change that never arrived, or a member that it reduced itself when another one filled. */
function asWorked(order: Order, told: BrokerOrder): Order {
  const quantity = told.quantity === 0 ? order.quantity : shares(Math.max(told.quantity, order.filled));
  const stopPrice = order.type === 'STP' ? (told.stopPrice ?? order.stopPrice) : order.stopPrice;
  const limitPrice = order.type === 'LMT' ? (told.limitPrice ?? order.limitPrice) : order.limitPrice;
  const isSame = quantity === order.quantity && stopPrice === order.stopPrice && limitPrice === order.limitPrice;
  return isSame ? order : { ...order, quantity, stopPrice, limitPrice };
}

/** An order under our prefix and client id without a row: the database was lost or restored. It is taken up as it is. */
function recover(d: Draft, told: BrokerOrder): void {
  const care = d.s.care.get(told.conId);
  if (meaningOfStatus(told.status) !== 'echoed') return;
  const order: Order = {
    orderRef: told.orderRef,
    worker: 'exit-manager',
    clientId: EXIT_CLIENT,
    orderId: told.orderId,
    permId: told.permId,
    tradeId: care?.tradeId ?? recoveredId(d, told.conId),
    contract: care?.contract ?? contractOf(d, told),
    role: told.type === 'LMT' ? 'target' : told.type === 'STP' ? 'disaster-stop' : 'exit',
    side: told.side,
    quantity: shares(Math.trunc(told.quantity)),
    type: told.type === 'LMT' || told.type === 'STP' ? told.type : 'MKT',
    limitPrice: told.type === 'LMT' ? told.limitPrice : null,
    stopPrice: told.type === 'STP' ? told.stopPrice : null,
    tif: told.tif === 'GTC' || told.tif === 'IOC' ? told.tif : 'DAY',
    goodTill: null,
    ocaGroup: told.ocaGroup,
    status: 'SUBMITTED',
    // Its fills were told before it, in the same answer: by them its size is judged, and any change of it.
    filled: filledOf(d, told.orderRef),
    createdAt: d.at,
    updatedAt: d.at,
    reason: 'found at the broker without a row',
  };
  say(d, 'order-recovered', { orderRef: told.orderRef, symbol: told.symbol }, 'warn');
  putOrder(d, trackedOf(order, d.s.link.session, d.mono));
}

function filledOf(d: Draft, orderRef: string): Shares {
  let filled = 0;
  for (const execution of d.s.executions.values()) if (execution.orderRef === orderRef) filled += execution.shares;
  return shares(filled);
}

type StatusWord = Extract<EventBody, { kind: 'order-status' }>;

export function hearStatus(d: Draft, told: StatusWord): void {
  if (told.clientId !== EXIT_CLIENT) return;
  const tracked = findByAddress(d, told.orderId, told.permId);
  if (!tracked) return;
  const order = tracked.order.permId === null && told.permId !== 0 ? { ...tracked.order, permId: told.permId } : tracked.order;
  if (told.filled > order.filled) {
    hearUntoldFills(d, { ...tracked, order }, told);
    return;
  }
  applyStatus(d, { ...tracked, order }, told.status);
}

/** Told of fills that are not booked: how many in all, and since when they are waited for. */
const untold = (d: Draft, { heardFilled }: Tracked, count: number): Tracked['heardFilled'] => ({ count, at: heardFilled?.at ?? d.mono });

/**
 * The status counts fills that no execution has told: they are asked for, and until they are in the order does not end, or what it sold would be
 * sold again (reference/ibkr-behaviour.md §2: a cancel is confirmed by a terminal status *and* the executions summed).
 */
function hearUntoldFills(d: Draft, tracked: Tracked, { status: word, filled }: Pick<StatusWord, 'status' | 'filled'>): void {
  const isOver = meaningOfStatus(word) === 'cancelled' && !isFinal(tracked.order);
  if (!isOver) applyStatus(d, tracked, word);
  const now = d.s.orders.get(tracked.order.orderRef) ?? tracked;
  putOrder(d, {
    ...now,
    order: isOver ? tracked.order : now.order,
    heardFilled: untold(d, tracked, filled),
    settledFrom: now.settledFrom ?? (isOver ? d.s.nextRequest : null),
  });
  if (isOver) askExecutions(d, 0);
}

/** permId first, since API ids can be issued twice; then, among orders under that id, one that still lives; then the newest. */
function findByAddress(d: Draft, orderId: number, permId: number): Tracked | undefined {
  const candidates = [...d.s.orders.values()].filter(({ order }) => order.orderId === orderId);
  const exact = candidates.find(({ order }) => permId !== 0 && order.permId === permId);
  if (exact) return exact;
  const open = candidates.filter(({ order }) => order.permId === null || permId === 0);
  return open.filter(({ order }) => !isFinal(order)).at(-1) ?? open.at(-1);
}

function applyStatus(d: Draft, known: Tracked, word: string, isComplete = false): void {
  const meaning = meaningOfStatus(word);
  const tracked = meaning === 'echoed' ? { ...known, isHeldBack: word === 'PreSubmitted' } : known;
  if (meaning === 'echoed' && tracked.order.status === 'CANCELLED' && !isComplete) {
    askSnapshot(d);
    return;
  }
  if (meaning === 'filled') {
    // It works no more, and only executions are counted: those that do not come are asked for, and what they do not tell (an execution that was
    // taken back, a growth that never reached the broker) it did not fill.
    const { filled, quantity } = tracked.order;
    const isShort = filled < quantity;
    const order = stepOrder(tracked.order, 'echoed').order;
    const settledFrom = isShort ? (tracked.settledFrom ?? d.s.nextRequest) : null;
    putOrder(d, { ...tracked, order, heardFilled: isShort ? untold(d, tracked, quantity) : null, settledFrom });
    return;
  }
  if (meaning === null) {
    putOrder(d, tracked);
    return;
  }
  step(d, tracked, meaning, null);
}

export function step(d: Draft, tracked: Tracked, kind: OrderEventKind, reason: string | null): void {
  const { order, isSurprise } = stepOrder(tracked.order, kind, reason);
  if (isSurprise) {
    say(d, 'order-surprise', { orderRef: order.orderRef, status: order.status, event: kind }, 'warn');
    askSnapshot(d);
    return;
  }
  const isOver = order.status === 'CANCELLED' && tracked.order.status !== 'CANCELLED';
  const isEndHeard = kind === 'cancelled' || kind === 'rejected';
  putOrder(d, { ...tracked, order, endHeardAt: isEndHeard ? d.mono : tracked.endHeardAt });
  if (isOver && order.role === 'exit') countEmpty(d, order);
  else if (isOver && kind === 'cancelled') countUnasked(d, tracked);
}

/** A market order that ended without a single fill met nobody: no failure, but the next one may have to rest for the day. */
function countEmpty(d: Draft, order: Order): void {
  const care = d.s.care.get(order.contract.conId);
  if (!care?.exit) return;
  const emptyAttempts = order.filled === 0 ? care.exit.emptyAttempts + 1 : 0;
  if (emptyAttempts !== care.exit.emptyAttempts)
    edit(d, 'care').set(order.contract.conId, { ...care, exit: { ...care.exit, emptyAttempts } });
}

/** An error code on one of our order ids, already classified by the adapter. */
export function hearNotice(d: Draft, told: Extract<EventBody, { kind: 'order-notice' }>): void {
  const tracked = findByAddress(d, told.orderId, 0);
  if (!tracked) return;
  const reason = `${told.code} ${told.text}`;
  switch (told.meaning) {
    case 'advisory':
      return;
    case 'cancelled':
      // Its executions are being asked for: it ends when they are in.
      if (tracked.settledFrom === null) step(d, tracked, 'cancelled', reason);
      return;
    case 'rejected':
      rejected(d, tracked, { code: told.code, reason, isDuplicateId: told.code === DUPLICATE_ID });
      return;
    case 'modify-refused':
      // Told of a fresh order, it means that its id belongs to an older one (104: "cannot modify a filled order"): the id is used up.
      if (!tracked.modified && tracked.order.status === 'INTENT') {
        rejected(d, tracked, { code: told.code, reason, isDuplicateId: true });
        if (told.code !== FILLED_ID) revivePredecessor(d, tracked.order);
      } else restore(d, tracked, reason);
      return;
    case 'unknown-order':
    case 'already-final':
      // Under our own client id the broker does not work it (any more): dead, once its executions have been asked for and are in. An id is
      // used once, so a final order under it ends also the one that was lost before its id was used again.
      setOrder(d, {
        ...tracked,
        settledFrom: tracked.settledFrom ?? d.s.nextRequest,
        ...(isFilledWord(told.text) ? { heardFilled: untold(d, tracked, tracked.order.quantity) } : {}),
      });
      askExecutions(d, 0);
      return;
    case 'not-cancellable':
      // Still without the word that it is gone: asked about after 2 s, re-priced after 2 more.
      cancelRefusedForNow(d, tracked, reason);
      return;
  }
}

/** 10148 says in which state the order is: filled, it has traded, whatever the executions known so far sum to. */
const isFilledWord = (text: string): boolean => /state: Filled/i.test(text);
/**
 * So long a fill that the broker has told of may stay without its execution before the executions are believed instead (a fill that was busted, a
 * growth that never reached the broker). */
const FILL_UNTOLD_MS = 2_000;

/**
 * The broker counts more as filled than is booked: until it is, what is missing counts as working, or it would be sold again. Where a fill of it
 * was busted, that is what is missing, once the answer to a question asked since then tells nothing more.
 */
function isFillUntold(d: Draft, { order, heardFilled }: Tracked, askedAt: number | null): boolean {
  if (heardFilled === null || order.filled >= order.quantity || d.mono - heardFilled.at >= FILL_UNTOLD_MS) return false;
  if (askedAt === null || askedAt < heardFilled.at) return true;
  return !(d.s.byTrade.get(order.tradeId) ?? []).some(({ orderRef, shares: count }) => orderRef === order.orderRef && count === 0);
}

/** All executions of the day are in, as the question `id` asked for them at `askedAt` (null: some time before): what the broker does not know is dead now. */
export function settleUnknown(d: Draft, id: number, askedAt: MonoMs | null): void {
  for (const tracked of d.s.orders.values()) {
    if (tracked.settledFrom !== null && id >= tracked.settledFrom && !isFillUntold(d, tracked, askedAt))
      step(d, { ...tracked, settledFrom: null }, 'cancelled', 'not working at the broker');
  }
}

function rejected(d: Draft, tracked: Tracked, { code, reason, isDuplicateId }: Rejection & { isDuplicateId: boolean }): void {
  const { symbol } = tracked.order.contract;
  say(d, 'exit-rejected', { orderRef: tracked.order.orderRef, symbol, reason }, 'warn');
  // A bad price on a modification leaves the old order live (reference/ibkr-behaviour.md §3).
  if (tracked.modified) {
    restore(d, tracked, reason);
    return;
  }
  if (isFinal(tracked.order)) return;
  // What was working may work on: an earlier change was refused, not the order. Only a complete answer says that it is gone.
  if (tracked.order.status === 'SUBMITTED' || tracked.order.status === 'CANCELLING') askSnapshot(d);
  else step(d, tracked, 'rejected', reason);
  // The id of a lost order turned out to be used up, by it or by a later one: no failed sale, the next one takes a fresh id.
  if (isDuplicateId) askExecutions(d, 0);
  else countRejection(d, tracked, { code, reason });
}

/** The order that was thought lost lives: the broker would not change it into its successor. It counts and rests again. */
function revivePredecessor(d: Draft, successor: Order): void {
  for (const tracked of predecessors(d, successor)) step(d, { ...tracked, cancelAskedAt: null, session: d.s.link.session }, 'echoed', null);
}

/**
 * The order that was to take over a lost one's id never left: the lost one may still work under it, so it counts again, and only an order
 * under that id may follow.
 */
function loseAgain(d: Draft, successor: Order): void {
  for (const tracked of predecessors(d, successor))
    putOrder(d, { ...tracked, order: { ...tracked.order, status: 'LOST', reason: `${successor.orderRef} was not sent` } });
}

const predecessors = (d: Draft, { orderRef, orderId }: Order): readonly Tracked[] =>
  [...d.s.orders.values()].filter(({ order }) => order.orderId === orderId && isReplaced(order, orderRef));

/** The order goes on as it was before the change. `isOurs`: our own cap stopped it, which says nothing about what the broker would take. */
function restore(d: Draft, tracked: Tracked, reason: string, isOurs = false): void {
  if (!tracked.modified) return;
  const { from } = tracked.modified;
  // It may have filled to the last share while the change was under way.
  const isFull = tracked.order.filled >= from.quantity;
  putOrder(d, {
    ...tracked,
    order: {
      ...tracked.order,
      status: isFull ? 'FILLED' : tracked.order.status,
      quantity: from.quantity,
      type: from.type,
      tif: from.tif,
      limitPrice: from.limitPrice,
      stopPrice: from.stopPrice,
    },
    modified: null,
    isRepriced: false,
    refusedChanges: tracked.refusedChanges + (isOurs ? 0 : 1),
    // A cancel that was given up for this change is asked again from the start.
    cancelAskedAt: null,
    queriedAt: null,
  });
  say(d, 'modify-refused', { orderRef: from.orderRef, reason }, 'warn');
  // The same change would be refused as fast as it is asked for.
  const care = d.s.care.get(from.contract.conId);
  const until = (d.mono + backOffMs(tracked.refusedChanges, d.s.rules.transientRetryMs)) as Draft['mono'];
  if (care) putCare(d, { ...care, restRetryAt: until });
  emit(d, { do: 'request-open-orders' });
}

/** What became of our own send. Not sent means dead for sure, except that a modification not sent leaves the old order live. */
export function hearNotSent(d: Draft, told: Extract<EventBody, { kind: 'not-sent' | 'exit-refused' }>): void {
  const tracked = d.s.orders.get(told.orderRef);
  if (!tracked) return;
  const reason = `${told.code}: ${told.detail}`;
  // The same decision would follow at once and fail at once, before the socket's own word could arrive.
  const care = d.s.care.get(tracked.order.contract.conId);
  if (care) putCare(d, { ...care, sendRetryAt: (d.mono + SEND_RETRY_MS) as Draft['mono'] });
  if (tracked.modified) restore(d, tracked, reason, true);
  else {
    step(d, tracked, 'notSent', reason);
    loseAgain(d, tracked.order);
  }
  if (told.code.startsWith('WIRE_CAP') || told.kind === 'exit-refused') countRejection(d, tracked, { code: null, reason });
}
