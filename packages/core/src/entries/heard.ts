import type { Contract } from '../contract.js';
import type { EventBody } from '../events.js';
import { type BrokerOrder, CLIENT_ID, isEntryRef, isFinal, isOurs, type Order } from '../orders/order.js';
import { meaningOfStatus, type OrderEventKind, stepOrder } from '../orders/step-order.js';
import { type MonoMs, micros, shares } from '../units.js';
import { askExecutions, askSnapshot, type Draft, edit, newTracked, putEntry, say, type Tracked, update } from './desk.js';
import { entryFailed } from './enter.js';

const CLIENT = CLIENT_ID['day-trader'];

/** An openOrder message: pushed for our own orders, and part of every all-orders answer for everybody's. */
export function hearOpenOrder(d: Draft, told: BrokerOrder): void {
  // After an all-orders answer, new ids must exceed every id in it, whoever's it is (reference/ibkr-behaviour.md §2).
  if (told.orderId >= d.s.nextOrderId) update(d, { nextOrderId: told.orderId + 1 });
  if (told.clientId !== CLIENT) return;
  const tracked = d.s.entries.get(told.orderRef);
  if (tracked) applyStatus(d, withPermId(tracked, told.permId), told.status);
  else if (isOurs(told.orderRef) && isEntryRef(told.orderRef)) recover(d, told);
}

/** An entry of ours without a row: the database was lost or restored. An entry without a committed intent does not exist: it is withdrawn. */
function recover(d: Draft, told: BrokerOrder): void {
  if (meaningOfStatus(told.status) !== 'echoed') return;
  const order: Order = {
    orderRef: told.orderRef,
    worker: 'day-trader',
    clientId: CLIENT,
    orderId: told.orderId,
    permId: told.permId,
    tradeId: told.orderRef,
    contract: d.s.contracts.get(told.conId) ?? barely(told),
    role: 'entry',
    side: told.side,
    quantity: shares(Math.trunc(told.quantity)),
    type: told.type === 'LMT' ? 'LMT' : 'MKT',
    limitPrice: told.limitPrice,
    stopPrice: null,
    tif: told.tif === 'GTD' || told.tif === 'IOC' || told.tif === 'OPG' ? told.tif : 'DAY',
    goodTill: null,
    ocaGroup: null,
    status: 'SUBMITTED',
    filled: shares(0),
    createdAt: d.at,
    updatedAt: d.at,
    reason: 'found at the broker without a row',
  };
  say(d, 'entry-recovered', { orderRef: told.orderRef, symbol: told.symbol }, 'warn');
  putEntry(d, { ...newTracked(order, { session: d.s.link.session, sentAt: d.mono }), withdrawWhy: 'found at the broker without a row' });
}

/** What an order message tells of its instrument: enough to name it, not to trade it (no tick). */
const barely = (told: BrokerOrder): Contract => ({
  conId: told.conId,
  symbol: told.symbol,
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: '',
  currency: 'USD',
  tick: micros(0),
  multiplier: 1,
});

export function hearStatus(d: Draft, told: Extract<EventBody, { kind: 'order-status' }>): void {
  if (told.clientId !== CLIENT) return;
  const tracked = findByAddress(d, told.orderId, told.permId);
  if (!tracked) return;
  applyStatus(d, withHeard(withPermId(tracked, told.permId), told.filled, d.mono), told.status);
}

/** The broker's figure is not booked, only executions are; but the claim is not given back while it says more than they do. */
const withHeard = (tracked: Tracked, filled: number, mono: MonoMs): Tracked =>
  filled > Math.max(tracked.order.filled, tracked.heardFilled?.shares ?? 0)
    ? { ...tracked, heardFilled: { shares: filled, at: tracked.heardFilled?.at ?? mono } }
    : tracked;

const withPermId = (tracked: Tracked, permId: number): Tracked =>
  tracked.order.permId === null && permId !== 0 ? { ...tracked, order: { ...tracked.order, permId } } : tracked;

/** permId first, since API ids can be issued twice; then the newest order under that id. */
function findByAddress(d: Draft, orderId: number, permId: number): Tracked | undefined {
  const candidates = [...d.s.entries.values()].filter(({ order }) => order.orderId === orderId);
  return (
    candidates.find(({ order }) => permId !== 0 && order.permId === permId) ??
    candidates.filter(({ order }) => order.permId === null || permId === 0).at(-1)
  );
}

function applyStatus(d: Draft, known: Tracked, word: string): void {
  const tracked = known.unlisted === null ? known : { ...known, unlisted: null };
  const meaning = meaningOfStatus(word);
  if (meaning === 'echoed' && tracked.order.status === 'CANCELLED') {
    revive(d, tracked);
    return;
  }
  if (meaning === 'filled') {
    // Not an end by itself: only executions are counted. They are asked for if they do not come.
    const order = isFinal(tracked.order) ? tracked.order : stepOrder(tracked.order, 'echoed').order;
    putEntry(d, { ...withHeard(tracked, order.quantity, d.mono), order });
    return;
  }
  if (meaning !== null) step(d, tracked, meaning, null);
  else putEntry(d, word === 'PendingCancel' ? { ...tracked, cancelIsPending: true } : tracked);
}

/**
 * It counted as gone and works: the answer that missed it was not the whole truth, or its end was told wrongly. Its claim may have been
 * given back, so it is never left to work: it is withdrawn, with cancels of its own on this connection.
 */
function revive(d: Draft, tracked: Tracked): void {
  const { orderRef, contract, reason } = tracked.order;
  say(d, 'entry-revived', { orderRef, symbol: contract.symbol, endedAs: reason }, 'warn');
  step(
    d,
    {
      ...tracked,
      session: d.s.link.session,
      withdrawWhy: tracked.withdrawWhy ?? 'works at the broker, though it counted as gone',
      cancelAskedAt: null,
      cancels: 0,
      cancelIsPending: false,
      settledFrom: null,
    },
    'echoed',
    null,
  );
}

export function step(d: Draft, tracked: Tracked, kind: OrderEventKind, reason: string | null): void {
  const { order, isSurprise } = stepOrder(tracked.order, kind, reason ?? (kind === 'cancelled' ? tracked.withdrawWhy : null));
  if (isSurprise) {
    say(d, 'order-surprise', { orderRef: order.orderRef, status: order.status, event: kind }, 'warn');
    askSnapshot(d);
    return;
  }
  const parkedAt = order.status === 'INACTIVE' ? (tracked.parkedAt ?? d.mono) : null;
  putEntry(d, { ...tracked, order, parkedAt });
}

/** An error code on one of our order ids, already classified by the adapter. */
export function hearNotice(d: Draft, told: Extract<EventBody, { kind: 'order-notice' }>): void {
  const tracked = findByAddress(d, told.orderId, 0);
  if (!tracked) return;
  const reason = `${told.code} ${told.text}`;
  switch (told.meaning) {
    case 'advisory':
    case 'modify-refused':
      return;
    case 'cancelled':
      step(d, tracked, 'cancelled', tracked.withdrawWhy ?? reason);
      return;
    case 'rejected':
      rejected(d, tracked, reason);
      return;
    case 'unknown-order':
      // Under our own client id the broker does not work it (any more): dead, once its executions have been asked for and are in.
      edit(d, 'entries').set(tracked.order.orderRef, { ...tracked, settledFrom: tracked.settledFrom ?? d.s.nextRequest });
      askExecutions(d, 0);
      return;
    case 'already-final':
      // Filled or cancelled: the executions and the open orders will say which.
      askExecutions(d, 1_000);
      askSnapshot(d);
      return;
    case 'not-cancellable':
      say(d, 'not-cancellable', { orderRef: tracked.order.orderRef, reason }, 'warn');
      return;
  }
}

function rejected(d: Draft, tracked: Tracked, reason: string): void {
  const wasOpen = !isFinal(tracked.order);
  step(d, tracked, 'rejected', reason);
  if (!wasOpen) return;
  say(d, 'entry-rejected', { orderRef: tracked.order.orderRef, symbol: tracked.order.contract.symbol, reason }, 'warn');
  entryFailed(d, tracked.order, { code: 'BROKER_REJECTED', detail: reason });
}

/**
 * All executions of the day are in, as the question `id` asked for them: what the broker did not know before that is dead now. Not so one that its last answer did not list: a gateway
 * that has just started may know it as little when asked to cancel it, so its second answer decides (`settleSnapshot`).
 */
export function settleUnknown(d: Draft, id: number): void {
  for (const tracked of d.s.entries.values()) {
    const { unlisted, settledFrom } = tracked;
    if (settledFrom === null || id < settledFrom) continue;
    const isYoung = unlisted !== null && d.mono - unlisted.askedAt < d.s.rules.goneAgreeMs;
    if (!isFinal(tracked.order) && !isYoung) step(d, { ...tracked, settledFrom: null }, 'cancelled', 'unknown to the broker');
    else putEntry(d, { ...tracked, settledFrom: null });
  }
}

/** It certainly never left this process. */
export function hearNotSent(d: Draft, told: Extract<EventBody, { kind: 'not-sent' }>): void {
  const tracked = d.s.entries.get(told.orderRef);
  if (!tracked) return;
  step(d, tracked, 'notSent', `${told.code}: ${told.detail}`);
  entryFailed(d, tracked.order, { code: told.code, detail: told.detail });
}
