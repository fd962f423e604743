import type { Care } from './care.js';
import { alert, type Draft, emit, putCare, putOrder, say, type Tracked } from './desk.js';

/** What a refusal came from: a code of the broker's with its text, or a word of our own (the wire cap, the store). */
export interface Rejection {
  readonly code: number | null;
  readonly reason: string;
}

/**
 * Refusals that speak of the moment, not of the order: the same order may be taken a little later. Everything else is final for the order as
 * it is, and counts as a failed sell (A7). Codes: reference/ibkr-behaviour.md §2, §3 and §6.
 */
const TRANSIENT: readonly { readonly code: number | null; readonly text?: RegExp; readonly why: string }[] = [
  { code: 100, why: 'more than fifty messages in a second' },
  { code: 161, why: 'not cancellable in this state' },
  { code: 201, text: /exchange is closed|closed now|not open|halted/i, why: 'the exchange is closed' },
  {
    code: 201,
    text: /try again|temporar|not available at this time|timed? ?out|no connection|disconnected|server/i,
    why: "the broker's own trouble",
  },
  { code: 201, text: /working orders are allowed/i, why: 'an order of ours that is just being cancelled takes the place' },
  { code: 201, text: /being (processed|cancell?ed)|pending (submit|cancel)/i, why: 'an earlier message is still being processed' },
  { code: null, text: /^WIRE_CAP_RATE/, why: 'our own cap on orders in a minute' },
  { code: 2102, why: 'an earlier message is still being processed' },
];

/** Why this refusal is worth another try as it is; null when it is final. */
export const transientReason = ({ code, reason }: Rejection): string | null =>
  TRANSIENT.find(row => row.code === code && (row.text === undefined || row.text.test(reason)))?.why ?? null;

/** How long to wait after the n-th transient refusal in a row (0 = the first). */
export const backOffMs = (tries: number, steps: readonly number[]): number => steps[Math.min(tries, steps.length - 1)] ?? 0;

/**
 * What an exit order's refusal leads to. A transient one is tried again with growing pauses, and counts for nothing until it has lasted
 * for `transientDeadlineMs`; a final one is a failed sell (only rejections are, A7). After `failedSellsMax` of these the symbol is quarantined:
 * its resting stop is kept, or tried with growing pauses, and the sale is tried again once a minute.
 */
export function countRejection(d: Draft, { order }: Tracked, rejection: Rejection): void {
  const care = d.s.care.get(order.contract.conId);
  if (!care) return;
  const { transientRetryMs, transientDeadlineMs } = d.s.rules;
  const why = d.s.link.phase === 'READY' ? transientReason(rejection) : 'the broker was being lost';
  const isSameTrouble = care.transient !== null && d.mono - care.transient.last < transientDeadlineMs;
  const { since, tries } = isSameTrouble && care.transient ? care.transient : { since: d.mono, tries: 0 };
  if (why !== null && care.quarantinedAt === null && d.mono - since < transientDeadlineMs) {
    const until = (d.mono + backOffMs(tries, transientRetryMs)) as Draft['mono'];
    say(d, 'exit-refused-for-now', { orderRef: order.orderRef, symbol: order.contract.symbol, why, waitMs: until - d.mono }, 'warn');
    putCare(d, { ...withRetry(care, order.role === 'exit', until), transient: { since, last: d.mono, tries: tries + 1 } });
    return;
  }
  failed(d, care, { isSale: order.role === 'exit', reason: rejection.reason });
}

/** A resting order that the broker ended by itself this soon after it was sent was as good as refused. */
const HARDLY_RESTED_MS = 2_000;

/**
 * The broker cancelled a resting exit that nobody asked it to. No failure, but the next one may fare the same: what follows at once is as much as
 * the gateway's round trip allows, so the pauses grow as after a refusal for the moment.
 */
export function countUnasked(d: Draft, { order, sentAt, cancelAskedAt }: Tracked): void {
  const care = d.s.care.get(order.contract.conId);
  if (!care || cancelAskedAt !== null || order.filled > 0 || d.mono - sentAt > HARDLY_RESTED_MS) return;
  const { transientRetryMs, transientDeadlineMs } = d.s.rules;
  const isSameTrouble = care.transient !== null && d.mono - care.transient.last < transientDeadlineMs;
  const { since, tries } = isSameTrouble && care.transient ? care.transient : { since: d.mono, tries: 0 };
  const until = (d.mono + backOffMs(tries, transientRetryMs)) as Draft['mono'];
  putCare(d, { ...care, restRetryAt: until, transient: { since, last: d.mono, tries: tries + 1 } });
}

const withRetry = (care: Care, isSale: boolean, until: Draft['mono']): Care =>
  isSale ? { ...care, retryAt: until } : { ...care, restRetryAt: until };

/** Nothing else protects while the broker refuses what is to rest: asked for again at least this often, which is four messages a minute. */
const REST_RETRY_MS_MAX = 15_000;

function failed(d: Draft, care: Care, { isSale, reason }: { isSale: boolean; reason: string }): void {
  const failedSells = care.failedSells + 1;
  const { failedSellsMax, quarantineRetryMs } = d.s.rules;
  const isQuarantined = failedSells >= failedSellsMax;
  // In quarantine what rests is all there is: where the broker refused that too, it is tried again sooner than the sale.
  const growingMs = Math.min(isSale ? quarantineRetryMs : REST_RETRY_MS_MAX, 500 * 2 ** failedSells);
  const until = (d.mono + (isQuarantined && isSale ? quarantineRetryMs : growingMs)) as Draft['mono'];
  putCare(d, {
    ...withRetry(care, isSale, until),
    failedSells,
    quarantinedAt: isQuarantined ? (care.quarantinedAt ?? d.at) : care.quarantinedAt,
  });
  if (!isQuarantined || care.quarantinedAt !== null) return;
  alert(d, {
    level: 'critical',
    code: 'SYMBOL_QUARANTINED',
    symbol: care.contract.symbol,
    happened: `${failedSells} exit orders for ${care.contract.symbol} were rejected; the last: ${reason}`,
    did: `Keeps a resting stop at the real level where the broker accepts one, and tries to sell again every ${quarantineRetryMs / 1000} s.`,
    todo: `Look at ${care.contract.symbol} in TWS now; you may sell it there by hand, Holdfast notices.`,
  });
}

/** A sale of ours traded: the broker takes them again, and earlier refusals count no more. */
export function clearRejections(d: Draft, conId: number): void {
  const care = d.s.care.get(conId);
  if (!care || (care.failedSells === 0 && care.transient === null && care.quarantinedAt === null)) return;
  if (care.quarantinedAt !== null) say(d, 'quarantine-over', { symbol: care.contract.symbol });
  putCare(d, { ...care, failedSells: 0, transient: null, quarantinedAt: null, retryAt: null, restRetryAt: null });
}

/**
 * The broker would not cancel in this state (161, or 10148 while the order is being submitted): asked again with growing pauses, within the
 * time a cancel may stay unanswered.
 */
export function cancelRefusedForNow(d: Draft, tracked: Tracked, reason: string): void {
  const { transientRetryMs } = d.s.rules;
  say(d, 'not-cancellable', { orderRef: tracked.order.orderRef, reason }, 'warn');
  if (tracked.order.status !== 'CANCELLING') return;
  const tries = tracked.cancelRetry?.tries ?? 0;
  putOrder(d, { ...tracked, cancelRetry: { tries: tries + 1, at: (d.mono + backOffMs(tries, transientRetryMs)) as Draft['mono'] } });
}

/** Repeats a cancel that was refused for the moment. The wait for the broker's word still counts from the first. */
export function cancelAgain(d: Draft, { order }: Tracked): void {
  const tracked = d.s.orders.get(order.orderRef);
  if (!tracked?.cancelRetry?.at || d.mono < tracked.cancelRetry.at) return;
  putOrder(d, { ...tracked, cancelRetry: { ...tracked.cancelRetry, at: null } });
  emit(d, { do: 'cancel', orderRef: order.orderRef, orderId: order.orderId });
}
