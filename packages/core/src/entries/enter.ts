import { noEntriesFrom, sessionAt } from '../calendar.js';
import type { EventBody } from '../events.js';
import { claimRow } from '../exits/care.js';
import { CLIENT_ID, makeOrderRef, type Order } from '../orders/order.js';
import { numbersOf, type Signal } from '../strategies/strategy.js';
import { type EpochMs, epochMs, shares } from '../units.js';
import { type DayTraderState, type Draft, edit, emit, newTracked, putWatched, record, say, update, watchedOf } from './desk.js';
import type { Passage } from './gate.js';
import type { Watched } from './watched.js';

type Passed = Extract<Passage, { ok: true }>;

/**
 * Asks for claim and intent in one transaction, and for the send after it. By convention the trade carries the entry's own orderRef, so
 * that a lost row can be told from an execution. Nothing is known until the store answers.
 */
export function enter(d: Draft, watched: Watched, { signal, passage }: { readonly signal: Signal; readonly passage: Passed }): void {
  const order = newEntry(d, passage);
  update(d, { nextRef: d.s.nextRef + 1, nextOrderId: order.orderId + 1 });
  edit(d, 'asked').set(order.orderRef, order);
  putWatched(d, { ...watched, lastRecorded: `enter/${signal.strategy}` });
  record(d, {
    symbol: watched.symbol,
    strategy: signal.strategy,
    verdict: 'enter',
    code: signal.strategy.toUpperCase().replaceAll('-', '_'),
    detail: signal.reason,
    numbers: {
      ...numbersOf(signal.rules),
      quantity: passage.quantity,
      limit: passage.limitPrice / 1e6,
      'limited by': passage.limitedBy,
      orderRef: order.orderRef,
    },
  });
  emit(d, {
    do: 'enter',
    claim: claimRow({
      tradeId: order.tradeId,
      account: d.s.account,
      contract: passage.contract,
      side: 1,
      agentName: 'day-trader',
      signal: signal.reason,
      now: d.at,
    }),
    order,
    tradeDate: d.s.tradeDate,
    decidedAt: d.mono,
  });
}

function newEntry(d: Draft, { contract, quantity, limitPrice }: Passed): Order {
  const { tradeDate, lease, nextRef, nextOrderId, rules } = d.s;
  const orderRef = makeOrderRef('day-trader', { tradeDate, lease, counter: nextRef });
  const rests = rules.entryStyle === 'resting';
  return {
    orderRef,
    worker: 'day-trader',
    clientId: CLIENT_ID['day-trader'],
    orderId: nextOrderId,
    permId: null,
    tradeId: orderRef,
    contract,
    role: 'entry',
    side: 'BUY',
    quantity,
    type: 'LMT',
    limitPrice,
    stopPrice: null,
    tif: rests ? 'GTD' : 'IOC',
    goodTill: rests ? goodTill(d.s, d.at) : null,
    ocaGroup: null,
    status: 'INTENT',
    filled: shares(0),
    createdAt: d.at,
    updatedAt: d.at,
    reason: null,
  };
}

/** The time to live, but never beyond the last moment for entries; whole seconds, as the broker takes them. */
function goodTill({ rules, strategyRules }: DayTraderState, at: EpochMs): EpochMs {
  const end = Math.min(at + rules.ttlSeconds * 1_000, noEntriesFrom(sessionAt(at), strategyRules.phases));
  return epochMs(Math.ceil(end / 1_000) * 1_000);
}

/** Claim and intent are on record; the order is on its way out, or `not-sent` follows. */
export function hearClaimed(d: Draft, { order }: Extract<EventBody, { kind: 'entry-claimed' }>): void {
  edit(d, 'asked').delete(order.orderRef);
  edit(d, 'entries').set(order.orderRef, newTracked(order, { session: d.s.link.session, sentAt: d.mono }));
}

/** Nothing was written. The next look is at the next bar, but a block or the baseline lasts for the day. */
export function hearRefused(d: Draft, told: Extract<EventBody, { kind: 'entry-refused' }>): void {
  const { tradeId, symbol, code, detail } = told;
  const order = d.s.asked.get(tradeId);
  edit(d, 'asked').delete(tradeId);
  record(d, { symbol, strategy: 'day-trader', verdict: 'reject', code, detail, numbers: { orderRef: tradeId } });
  say(d, 'entry-refused', { symbol, code, detail });
  const watched = watchedFor(d, order?.contract.conId);
  if (!watched) return;
  const lasts = code === 'CLOSED_TODAY' || code === 'BASELINE';
  putWatched(d, { ...watched, lastRecorded: `reject/${code}`, shut: lasts ? { on: d.s.tradeDate, code, detail } : watched.shut });
}

/** An entry ended without ever working: recorded, and after a few rejections its symbol is left alone for the day. */
export function entryFailed(d: Draft, order: Order, failure: { readonly code: string; readonly detail: string }): void {
  const { symbol, conId } = order.contract;
  const { code, detail } = failure;
  record(d, { symbol, strategy: 'day-trader', verdict: 'reject', code, detail, numbers: { orderRef: order.orderRef } });
  const watched = watchedFor(d, conId);
  if (!watched || code !== 'BROKER_REJECTED') return;
  const rejections = watched.rejections + 1;
  const isEnough = rejections >= d.s.rules.rejectionsMax;
  const shut = { on: d.s.tradeDate, code: 'REJECTED_TODAY', detail: `the broker rejected ${rejections} entries, the last: ${detail}` };
  putWatched(d, { ...watched, rejections, shut: isEnough ? shut : watched.shut });
}

function watchedFor(d: Draft, conId: number | undefined): Watched | undefined {
  const symbol = conId === undefined ? undefined : d.s.symbols.get(conId);
  return symbol === undefined ? undefined : watchedOf(d.s, symbol);
}
