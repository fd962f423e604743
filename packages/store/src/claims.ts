import type { Enter } from '@holdfast/core/effects';
import type { EpochMs } from '@holdfast/core/units';
import { baselineHolding } from './baseline.js';
import { blockReason } from './blocks.js';
import type { Db } from './db.js';
import { readKillSwitch } from './kill-switch.js';
import { holdsLease, type Lease, readLease, refuseLostLease } from './leases.js';
import { insertOrder, orderIsKnown } from './orders.js';
import { insertPosition, readPosition } from './positions.js';
import { unstorableReason } from './quarantine.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import { openTrade } from './trades.js';

export interface EntryClaim {
  readonly lease: Lease;
  readonly enter: Enter;
  readonly now: EpochMs;
}

/**
 * Claims a symbol for one new entry and writes its intent, or says why not. Called before sending, never after.
 * - One immediate transaction: both workers write this file, and check-then-insert must not interleave.
 * - Durable before it returns (synchronous FULL): a power cut must not forget an order that was sent.
 * - A known `orderRef` is refused, not welcomed: whoever hears `ok` sends, and nobody may send twice.
 * - `tradeDate` is the session's date, not UTC's: the block must not lapse in the evening.
 */
export function claimEntry(db: Db, claim: EntryClaim): { readonly ok: true } | Refusal {
  const { order, claim: position } = claim.enter;
  if (order.role !== 'entry' || order.tradeId !== position.tradeId) throw new Error(`${order.orderRef} is no entry of ${position.tradeId}`);
  try {
    return attempt(() => db.withSynchronous('FULL', () => db.immediate(() => writeClaim(db, claim))));
  } catch (error) {
    const reason = unstorableReason(error);
    if (reason === null) throw error;
    return refuse('UNSTORABLE', `${order.orderRef} cannot be put on record (${reason}), so it must not be sent`);
  }
}

function writeClaim(db: Db, { lease, enter }: EntryClaim): { readonly ok: true } | Refusal {
  const { order, claim, tradeDate } = enter;
  const refusal = whyNot(db, { lease, enter });
  if (refusal) return refusal;
  openTrade(db, claim, tradeDate);
  insertPosition(db, claim);
  insertOrder(db, order, tradeDate);
  return { ok: true };
}

/** Rules from top to bottom; the first that fires is the answer. */
function whyNot(db: Db, { lease, enter }: Omit<EntryClaim, 'now'>): Refusal | null {
  const { order, tradeDate } = enter;
  const { symbol } = order.contract;
  if (!holdsLease(db, lease)) return refuseLostLease(lease);
  if (orderIsKnown(db, order.orderRef))
    return refuse('ALREADY_INTENDED', `${order.orderRef} is on record: reconcile it, never send it again`);

  const killSwitch = readKillSwitch(db);
  if (killSwitch.on) return refuse('KILL_SWITCH', `entries are off until a person resumes (${killSwitch.reason})`);

  const guard = readLease(db, 'exit-manager');
  if (!guard?.holder || guard.phase !== 'READY')
    return refuse('EXIT_MANAGER_NOT_READY', `no guard, no entry: the exit manager is ${guard?.holder ? guard.phase : 'not running'}`);

  const closedFor = blockReason(db, symbol, tradeDate);
  if (closedFor !== null) return refuse('CLOSED_TODAY', `${symbol} was closed on ${tradeDate} (${closedFor})`);

  const active = readPosition(db, symbol);
  if (active) return refuse('ALREADY_ACTIVE', `${symbol} is already ${active.status} (${active.agentName})`);

  const baseline = baselineHolding(db, order.contract);
  if (baseline) return refuse('BASELINE', `the account held ${baseline.quantity} ${baseline.symbol} before: hands off`);
  return null;
}
