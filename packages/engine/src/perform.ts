import type { Alert, Effect, Enter, Send, Write } from '@holdfast/core/effects';
import type { OutcomeEvent } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { BrokerPort, BrokerSend, Clock } from '@holdfast/core/ports';
import type { MonoMs } from '@holdfast/core/units';
import { claimEntry } from '@holdfast/store/claims';
import type { Db } from '@holdfast/store/db';
import { type Lease, refuseLostLease } from '@holdfast/store/leases';
import { orderIsKnown } from '@holdfast/store/orders';
import { attempt } from '@holdfast/store/refusal';
import type { Books } from './books.js';
import type { Log } from './log.js';
import type { WireCap } from './wire-cap.js';

/** An order decided longer ago than this (machine time) is not sent: entries are dropped, exits decided again (DESIGN §1). */
export const INTENT_AGE_MS_MAX = 1_000;

/** What the mode forbids. `orders`: nothing at all is placed, changed or cancelled (observe). `entries`: exits only. */
export interface SendPolicy {
  readonly orders: NotSent | null;
  readonly entries: NotSent | null;
}

/** Why an order did not go out, for sure. */
export interface NotSent {
  readonly code: string;
  readonly detail: string;
}

const NOT_CONNECTED: NotSent = { code: 'NOT_CONNECTED', detail: 'no connection to the gateway' };

export type Performed =
  | { readonly kind: 'done' }
  /** Nothing of the step happened; the same effects are to be performed again. */
  | { readonly kind: 'held'; readonly code: string; readonly detail: string }
  /** Nothing more may be sent by this process. */
  | { readonly kind: 'lease-lost'; readonly detail: string };

export interface PerformParts {
  readonly db: Db;
  readonly lease: Lease;
  readonly books: Books;
  readonly broker: BrokerPort;
  readonly clock: Clock;
  readonly cap: WireCap;
  readonly policy: SendPolicy;
  readonly log: Log;
  /** The exit manager: a cancel does not wait for its commit. */
  readonly cancelsFirst: boolean;
  /** Where outcomes go: events like any other. */
  readonly tell: (outcome: OutcomeEvent) => void;
}

const isSendOrEnter = (effect: Effect): effect is Send | Enter => effect.do !== 'later' && !isWrite(effect);
const WRITES: ReadonlySet<string> = new Set([
  'write-intent',
  'write-order',
  'write-execution',
  'write-commission',
  'write-position',
  'close-position',
  'release-claim',
  'write-baseline',
  'write-phase',
  'write-command',
  'answer-command',
  'write-decision',
  'write-alert',
  'write-equity',
] satisfies Write['do'][]);
const isWrite = (effect: Effect): effect is Write => WRITES.has(effect.do);

/** An alert of the same kind about the same symbol is told once a minute; the log has every one. */
const SAME_ALERT_MS = 60_000;

/**
 * Performs the effects of one step: commit first, then act. Whatever the writes say is in the store (or, for the exit manager, in the
 * emergency file) before the first byte leaves; a crash in between leaves intents that the next start asks about, never re-sends.
 */
export function createPerformer(parts: PerformParts): (effects: readonly Effect[]) => Performed {
  const { db, lease, books, broker, clock, cap, policy, log, tell } = parts;
  const alertedAt = new Map<string, MonoMs>();

  function alertOnce(alert: Alert): void {
    const key = `${alert.code} ${alert.symbol}`;
    const last = alertedAt.get(key);
    const now = clock.mono();
    if (last !== undefined && now - last < SAME_ALERT_MS) return;
    alertedAt.set(key, now);
    books.alert(alert);
  }

  const tooOld = (decidedAt: MonoMs): string | null => {
    const age = clock.mono() - decidedAt;
    return age > INTENT_AGE_MS_MAX ? `decided ${Math.round(age)} ms ago, allowed ${INTENT_AGE_MS_MAX}` : null;
  };

  /** Sends the order, or says why it certainly did not go out. */
  function trySend(order: Order, decidedAt: MonoMs): NotSent | null {
    const forbidden = policy.orders ?? (order.role === 'entry' ? policy.entries : null);
    if (forbidden) return forbidden;
    const verdict = cap.check(order, { at: clock.exchange(), mono: clock.mono() });
    if (!verdict.ok) {
      alertOnce(capAlert(order, verdict));
      return verdict;
    }
    // Last of all: whatever stood in between (a stop signal, a slow disk) is over now.
    const old = tooOld(decidedAt);
    if (old) return { code: 'INTENT_TOO_OLD', detail: old };
    if (!broker.send({ do: 'place', order, decidedAt })) return NOT_CONNECTED;
    cap.sent(order, { at: clock.exchange(), mono: clock.mono() });
    return null;
  }

  function notSent({ orderRef, contract: { symbol } }: Order, { code, detail }: NotSent): void {
    log('warn', 'not-sent', { orderRef, symbol, code, detail });
    tell({ kind: 'not-sent', orderRef, code, detail });
  }

  function place(order: Order, decidedAt: MonoMs): void {
    const { orderRef, orderId, role, side, quantity, type, contract } = order;
    const { symbol } = contract;
    const why = trySend(order, decidedAt);
    if (why) notSent(order, why);
    else {
      log('info', 'sent', { orderRef, orderId, symbol, role, side, quantity, type, ageMs: clock.mono() - decidedAt });
      tell({ kind: 'sent', orderRef });
    }
  }

  function enter(effect: Enter): Performed {
    const { order, decidedAt } = effect;
    const { tradeId } = order;
    const refuse = (code: string, detail: string): Performed => {
      log('info', 'entry-refused', { symbol: order.contract.symbol, tradeId, code, detail });
      tell({ kind: 'entry-refused', tradeId, symbol: order.contract.symbol, code, detail });
      return { kind: 'done' };
    };
    const forbidden = policy.orders ?? policy.entries;
    if (forbidden) return refuse(forbidden.code, forbidden.detail);
    const old = tooOld(decidedAt);
    if (old) return refuse('INTENT_TOO_OLD', old);
    if (!broker.isUp) return refuse(NOT_CONNECTED.code, NOT_CONNECTED.detail);
    const claimed = claimEntry(db, { lease, enter: effect, now: clock.exchange() });
    if (!claimed.ok && claimed.code === 'LEASE_LOST') return { kind: 'lease-lost', detail: claimed.detail };
    const isOnRecord = claimed.ok || isDoneAllTheSame(order, claimed.code);
    if (!claimed.ok && !isOnRecord) return refuse(claimed.code, claimed.detail);
    tell({ kind: 'entry-claimed', order });
    if (claimed.ok) place(order, decidedAt);
    else notSent(order, claimed);
    return { kind: 'done' };
  }

  /**
   * A commit may be done and reported as failed (an I/O error after the last byte). Then claim and intent are on record and nobody would give
   * them back: they are told as they are, and nothing is sent, because whoever hears of a failure may not send.
   */
  const isDoneAllTheSame = ({ orderRef }: Order, code: string): boolean =>
    code.startsWith('STORE_') && attempt(() => orderIsKnown(db, orderRef)) === true;

  function send(effect: Send): void {
    switch (effect.do) {
      case 'say':
        log(effect.level, effect.event, effect.fields);
        break;
      case 'place':
        place(effect.order, effect.decidedAt);
        break;
      case 'reconnect':
        log('warn', 'reconnect', { reason: effect.reason });
        broker.close();
        broker.connect();
        break;
      default:
        ask(effect);
    }
  }

  /** Not told to the brain when it fails: a cancel or request without an answer has its deadline there, and a lost connection is an event. */
  function ask(request: Exclude<BrokerSend, { do: 'place' }>): void {
    const isForbidden = request.do === 'cancel' && policy.orders !== null;
    if (request.do === 'request-snapshot') cap.snapshotRequested(request.id);
    else if (request.do === 'request-executions') cap.executionsRequested(request.id);
    if (isForbidden || !broker.send(request)) log('warn', 'request-not-sent', { what: request.do, isForbidden });
  }

  /**
   * A step of the exit manager that cancels and places nothing: the lease is looked at, and the cancel leaves before the commit. Nothing it
   * writes has to stand first: after a kill in between the next reconcile finds the order gone, or still there (docs/decisions/0015).
   */
  function cancelFirst(effects: readonly Effect[]): 'no' | 'done' | 'lease-lost' {
    const cancels = effects.filter(effect => effect.do === 'cancel');
    if (!parts.cancelsFirst || cancels.length === 0 || effects.some(effect => effect.do === 'place')) return 'no';
    if (books.isLeaseLost()) return 'lease-lost';
    for (const cancel of cancels) send(cancel);
    return 'done';
  }

  return effects => {
    const cancelled = cancelFirst(effects);
    if (cancelled === 'lease-lost') return { kind: 'lease-lost', detail: refuseLostLease(lease).detail };
    const writes = effects.filter(isWrite);
    // A power cut must not forget an execution. Where an exit waits to leave, its bytes go first and the sync follows.
    const isUrgent = effects.some(effect => effect.do === 'place' || effect.do === 'cancel');
    const matters = writes.some(write => write.do === 'write-execution' || write.do === 'write-intent');
    const booked = books.commit(writes, matters && !isUrgent);
    if (booked.kind === 'held' || booked.kind === 'lease-lost') return booked;
    for (const write of writes) cap.written(write);
    for (const [orderRef, { code, detail }] of booked.refused) {
      // Without a send it was the broker's own word, and nothing of ours was stopped.
      if (!effects.some(effect => effect.do === 'place' && effect.order.orderRef === orderRef)) continue;
      log('error', 'exit-refused', { orderRef, code, detail });
      tell({ kind: 'exit-refused', orderRef, code, detail });
    }
    for (const effect of effects) {
      if (!isSendOrEnter(effect) || effect.do === 'say' || (cancelled === 'done' && effect.do === 'cancel')) continue;
      if (effect.do === 'place' && booked.refused.has(effect.order.orderRef)) continue;
      if (effect.do !== 'enter') send(effect);
      else {
        const entered = enter(effect);
        if (entered.kind !== 'done') return entered;
      }
    }
    const later = effects.flatMap(effect => (effect.do === 'later' ? [effect.write] : []));
    const kept = books.commit(later, false);
    if (kept.kind === 'held' || kept.kind === 'lease-lost') return kept;
    // A log line is a write to disk: the order goes first, the words about it follow.
    for (const effect of effects) if (effect.do === 'say') send(effect);
    if (matters && isUrgent) books.makeDurable();
    return { kind: 'done' };
  };
}

const capAlert = (order: Order, { code, detail }: NotSent): Alert => ({
  level: 'critical',
  code,
  symbol: order.contract.symbol,
  happened: `The cap at the wire stopped a ${order.role} order for ${order.contract.symbol} (${order.side} ${order.quantity}): ${detail}.`,
  did: 'It was not sent. The symbol keeps what rests at the broker.',
  todo: `Compare \`holdfast positions\` and \`holdfast orders\` with TWS for ${order.contract.symbol}; protect it there by hand if needed.`,
});
