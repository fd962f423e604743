import { noEntriesFrom, sessionAt } from '../calendar.js';
import { isFinal, type Order } from '../orders/order.js';
import { stepOrder } from '../orders/step-order.js';
import type { CommandRow } from '../shared-view.js';
import { type EpochMs, epochMs } from '../units.js';
import {
  alert,
  askReconnect,
  type DayTraderState,
  type Draft,
  edit,
  emit,
  isReconciled,
  putEntry,
  type Tracked,
  update,
  write,
} from './desk.js';

/** The broker ends an entry by itself at its good-till time; after this much more we ask. */
const TTL_GRACE_MS = 5_000;
/** An Inactive order often is a rejection whose error comes a moment later. */
const PARKED_MS = 2_000;
const CANCELS_MAX = 2;

/** The last moment an entry can still reach or rest at the exchange, exchange time: IOC orders are held to the same time to live. */
export const expiryOf = ({ goodTill, createdAt }: Order, ttlSeconds: number): EpochMs =>
  goodTill ?? epochMs(createdAt + ttlSeconds * 1_000);

/**
 * Withdraws what must not work any more, and asks after what is not answered. Level-triggered: it compares what should be with what is,
 * so it may be called after any event, any number of times.
 */
export function steerEntries(d: Draft): void {
  for (const tracked of d.s.entries.values()) {
    if (isFinal(tracked.order)) continue;
    const why = tracked.withdrawWhy ?? whyWithdraw(d.s, tracked, d);
    const current = why === tracked.withdrawWhy ? tracked : { ...tracked, withdrawWhy: why };
    if (current !== tracked) edit(d, 'entries').set(tracked.order.orderRef, current);
    if (isReconciled(d.s)) steerOne(d, current);
  }
}

/** Why this entry must go, or null. The first reason is kept. */
function whyWithdraw(s: DayTraderState, { order, parkedAt }: Tracked, now: Pick<Draft, 'at' | 'mono'>): string | null {
  if (s.view.killSwitch.on || s.isHalted) return 'kill switch';
  if (s.isCancelOnly) return 'cancel-only';
  if (now.at >= noEntriesFrom(sessionAt(now.at), s.strategyRules.phases)) return 'no entries any more today';
  if (now.at >= expiryOf(order, s.rules.ttlSeconds) + TTL_GRACE_MS) return 'time to live is over';
  if (parkedAt !== null && now.mono - parkedAt >= PARKED_MS) return 'the broker parked it';
  return null;
}

function steerOne(d: Draft, tracked: Tracked): void {
  const { order, withdrawWhy, cancelAskedAt, cancels, cancelIsPending, sentAt, session, unlisted } = tracked;
  const { answerMs } = d.s.rules;
  const isThisSession = session === d.s.link.session;
  switch (order.status) {
    case 'SUBMITTED':
    case 'INACTIVE':
      if (withdrawWhy !== null) cancel(d, tracked);
      return;
    case 'CANCELLING':
      if (cancelAskedAt !== null && d.mono - cancelAskedAt < answerMs) return;
      if (cancels < CANCELS_MAX) {
        emit(d, { do: 'request-open-orders' });
        cancel(d, tracked);
        // One that the last answer did not list waits for the next one: a new connection would begin that wait anew.
      } else if (!cancelIsPending && unlisted === null) unanswered(d, tracked, 'its cancel');
      return;
    case 'INTENT':
      // Never sent again: only a new session under the same client id tells for sure (DESIGN §3).
      if (isThisSession && d.mono - sentAt >= 2 * answerMs) unanswered(d, tracked, 'it');
      return;
    default:
      return;
  }
}

/** The word that it is gone comes from the broker, never from here. */
function cancel(d: Draft, tracked: Tracked): void {
  const { order } = stepOrder(tracked.order, 'cancelAsked', tracked.withdrawWhy);
  putEntry(d, { ...tracked, order, cancelAskedAt: d.mono, cancels: tracked.cancels + 1 });
  emit(d, { do: 'cancel', orderRef: order.orderRef, orderId: order.orderId });
}

function unanswered(d: Draft, { order }: Tracked, what: string): void {
  const before = d.s.link.reconnectAskedAt;
  askReconnect(d, `${order.orderRef}: ${what} was never answered`);
  if (d.s.link.reconnectAskedAt === before) return;
  alert(d, {
    level: 'warning',
    code: 'ENTRY_UNANSWERED',
    symbol: order.contract.symbol,
    happened: `The broker did not answer entry ${order.orderRef} (${what}) for ${(2 * d.s.rules.answerMs) / 1000} s.`,
    did: 'Makes a new connection under the same client id and asks what became of it. It is never sent twice.',
    todo: 'Nothing, unless this repeats: then look at the gateway and its line to the broker.',
  });
}

/**
 * Gives back the claims of entries that ended without a share. Those with fills are positions, and the exit manager's: also where what filled was
 * taken back, until it has closed them (I4).
 */
export function releaseClaims(d: Draft): void {
  for (const tracked of d.s.entries.values()) {
    const { order, heardFilled, settledFrom, isReleased } = tracked;
    if (isReleased || !isFinal(order) || order.filled > 0 || heardFilled !== null || settledFrom !== null) continue;
    if (d.s.view.positions.some(({ tradeId, status }) => tradeId === order.tradeId && status !== 'CLAIMED')) continue;
    edit(d, 'entries').set(order.orderRef, { ...tracked, isReleased: true });
    write(d, {
      do: 'release-claim',
      tradeId: order.tradeId,
      symbol: order.contract.symbol,
      reason: `entry ${order.status.toLowerCase()}: ${order.reason ?? 'by the broker'}`,
    });
  }
}

const answer = (d: Draft, id: number, status: 'done' | 'refused', text: string): void => {
  // The HALT file's command has no row (id 0) and gets no answer.
  if (id > 0) write(d, { do: 'answer-command', id, status, answer: text });
};

/** Commands from the exit manager, the operator or the supervisor; each is executed once, however often its row is read. */
export function hearCommand(d: Draft, command: CommandRow): void {
  const { id, kind, payload } = command;
  if (id > 0 && d.s.commands.has(id)) return;
  if (id > 0) edit(d, 'commands').set(id, kind);
  switch (kind) {
    case 'withdraw-entry':
      withdrawEntry(d, id, String(payload.tradeId ?? ''));
      return;
    case 'halt':
      update(d, { isHalted: true });
      answer(d, id, 'done', 'no entries from now on; working ones are being withdrawn');
      return;
    case 'resume':
      update(d, { isHalted: false });
      answer(d, id, 'done', d.s.view.killSwitch.on ? 'resumed, but the kill switch is still on' : 'entries are on again');
      return;
    default:
      answer(d, id, 'refused', `the day trader knows no command "${kind}"`);
  }
}

/** An exit first withdraws the entry (DESIGN §4). Answered when the entry has had its last word. */
function withdrawEntry(d: Draft, id: number, tradeId: string): void {
  for (const tracked of d.s.entries.values()) {
    if (tracked.order.tradeId !== tradeId || isFinal(tracked.order) || tracked.withdrawWhy !== null) continue;
    edit(d, 'entries').set(tracked.order.orderRef, { ...tracked, withdrawWhy: 'its position is being closed' });
  }
  update(d, { waiting: [...d.s.waiting, { id, tradeId }] });
}

export function answerWaiting(d: Draft): void {
  if (d.s.waiting.length === 0 || !isReconciled(d.s)) return;
  const isOpen = (tradeId: string): boolean =>
    d.s.asked.has(tradeId) || [...d.s.entries.values()].some(({ order }) => order.tradeId === tradeId && !isFinal(order));
  const rest = d.s.waiting.filter(({ tradeId }) => isOpen(tradeId));
  if (rest.length === d.s.waiting.length) return;
  for (const waiting of d.s.waiting) {
    if (!rest.includes(waiting)) answer(d, waiting.id, 'done', `no entry of ${waiting.tradeId} works any more`);
  }
  update(d, { waiting: rest });
}
