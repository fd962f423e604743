import { type MonoMs, monoMs } from '../units.js';
import type { SupervisorStep } from './state.js';
import type { Parking, Watch, WatchStatus } from './watch.js';

/**
 * A parked day trader makes no entry until a person releases it. What it left working at the broker must be withdrawn all the same
 * (DESIGN §1, §4), and only its own client id can do that: while the store shows such an entry, it is started cancel-only, and each such
 * process leads back here, however it ends.
 */
export function park(watch: Watch, why: string, nextTryAt: MonoMs | null): Watch {
  const parking: Parking = { why, nextTryAt, isOwed: false };
  return { ...watch, parking, status: { is: 'parked', why } };
}

/** What a watch is once its process has ended as asked and no other is to follow. */
export const restingStatus = ({ parking }: Watch): WatchStatus =>
  parking === null ? { is: 'stopped' } : { is: 'parked', why: parking.why };

/** Back to rest after a cancel-only process, or the attempt to start one. */
export const parkAgain = (watch: Watch, parking: Parking, nextTryAt: MonoMs | null): Watch => ({
  ...watch,
  parking: { ...parking, nextTryAt },
  status: { is: 'parked', why: parking.why },
});

/** When the next cancel-only process may start: a spacing after the last one, and not before `waitMs` from now. */
export const nextCancelOnly = (watch: Watch, now: MonoMs, { everyMs, waitMs }: { everyMs: number; waitMs: number }): MonoMs =>
  monoMs(Math.max((watch.startedAt ?? now) + everyMs, now + waitMs));

/** Starts the cancel-only process that is owed. It enters nothing, so it waits for no guard; during a stop nothing is started. */
export function startCancelOnly({ state, effects }: SupervisorStep, now: MonoMs): SupervisorStep {
  const { trader } = state;
  const { status, parking } = trader;
  if (status.is !== 'parked' || parking === null || !parking.isOwed || state.stop !== null) return { state, effects };
  if (parking.nextTryAt === null || now < parking.nextTryAt) return { state, effects };
  // What is owed is asked anew once this process has ended.
  const starting: Watch = { ...trader, parking: { ...parking, isOwed: false }, status: { is: 'starting', mode: 'cancel-only' } };
  return { state: { ...state, trader: starting }, effects: [...effects, { do: 'spawn', worker: 'day-trader', mode: 'cancel-only' }] };
}
