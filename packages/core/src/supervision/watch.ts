import type { WorkerPhase } from '../shared-view.js';
import type { MonoMs } from '../units.js';
import type { SupervisionPolicy } from './policy.js';

/** The two workers a supervisor keeps. The exit manager is the guard: it is never given up. */
export type SupervisedWorker = 'exit-manager' | 'day-trader';

/**
 * `minimal`: reconcile, hard stop, target and end of day only, after repeated crashes. `cancel-only`: the parked day trader withdraws what
 * it left working and ends by itself.
 */
export type StartMode = 'normal' | 'minimal' | 'cancel-only';

/** Liveness is progress: what the newest heartbeat said, and since when it has said nothing new. */
export interface Pulse {
  /** null until the first heartbeat of this very process. */
  readonly counter: number | null;
  readonly stillSince: MonoMs;
  readonly phase: WorkerPhase | null;
  /** null while READY (or CANCEL-ONLY, which is as far as such a process comes). */
  readonly notReadySince: MonoMs | null;
  readonly notReadyTold: number;
}

export type WatchStatus =
  /** Not running; to be started at `at` (the day trader not before the exit manager is READY). */
  | { readonly is: 'due'; readonly at: MonoMs; readonly mode: StartMode }
  /** Start asked for; the pid is not known yet. */
  | { readonly is: 'starting'; readonly mode: StartMode }
  | { readonly is: 'alive'; readonly pid: number; readonly adopted: boolean; readonly mode: StartMode; readonly pulse: Pulse }
  /** SIGKILL sent; its successor waits until it is gone, because a stopped process would act again when resumed. */
  | { readonly is: 'killed'; readonly pid: number; readonly askedAt: MonoMs; readonly why: string }
  | { readonly is: 'ending'; readonly pid: number; readonly askedAt: MonoMs; readonly then: 'rest' | 'due' }
  /** Another process holds its lease and is alive (the emergency tool): not started until that one is gone. */
  | { readonly is: 'held'; readonly by: number }
  | { readonly is: 'parked'; readonly why: string }
  | { readonly is: 'stopped' };

/** The day trader waits for a person (parking.ts). Kept through the cancel-only processes it gets meanwhile. */
export interface Parking {
  readonly why: string;
  /** No cancel-only start before this; null: none at all, because its configuration is refused. */
  readonly nextTryAt: MonoMs | null;
  /** The store shows work for a cancel-only process: an entry of its own without a last word, or a request to withdraw one. */
  readonly isOwed: boolean;
}

export interface Watch {
  readonly worker: SupervisedWorker;
  readonly status: WatchStatus;
  /** null while it may run. */
  readonly parking: Parking | null;
  /** When it crashed, within the longer of the windows. */
  readonly crashes: readonly MonoMs[];
  /** Starts in a row that ended with a refused configuration. */
  readonly configRefusals: number;
  readonly startedAt: MonoMs | null;
  readonly restarts: number;
}

/** How a process ended. Of an adopted one nobody learns the code: both are null. */
export interface WorkerExit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it refused to start, in its own words; only of a process whose code says that it did. */
  readonly lastWords?: string;
}

export interface Beat {
  readonly pid: number;
  readonly counter: number;
  readonly phase: WorkerPhase;
}

export const newWatch = (worker: SupervisedWorker, status: WatchStatus): Watch => ({
  worker,
  status,
  parking: null,
  crashes: [],
  configRefusals: 0,
  startedAt: null,
  restarts: 0,
});

export const freshPulse = (now: MonoMs): Pulse => ({ counter: null, stillSince: now, phase: null, notReadySince: now, notReadyTold: 0 });

export const isReady = (watch: Watch): boolean => watch.status.is === 'alive' && watch.status.pulse.phase === 'READY';

/** The process this watch cares about now, if there is one. */
export function pidOf(watch: Watch): number | null {
  const { status } = watch;
  return status.is === 'alive' || status.is === 'killed' || status.is === 'ending' ? status.pid : null;
}

/** Takes a heartbeat in. One written by another process (an earlier one's file) says nothing about this one. */
export function feelPulse(pulse: Pulse, beat: Beat, now: MonoMs): Pulse {
  const moved = beat.counter !== pulse.counter;
  const isAtWork = beat.phase === 'READY' || beat.phase === 'CANCEL-ONLY';
  const notReadySince = isAtWork ? null : (pulse.notReadySince ?? now);
  return {
    counter: beat.counter,
    stillSince: moved ? now : pulse.stillSince,
    phase: beat.phase,
    notReadySince,
    notReadyTold: notReadySince === null ? 0 : pulse.notReadyTold,
  };
}

/** How long the pulse has been still, when that is too long; null while all is well. */
export function stillForTooLong(pulse: Pulse, now: MonoMs, policy: SupervisionPolicy): number | null {
  const still = now - pulse.stillSince;
  return still >= (pulse.counter === null ? policy.firstBeatMsMax : policy.stillMsMax) ? still : null;
}

/** After the watcher itself stood still nobody else's silence means anything: timing starts afresh. */
export function timeAfresh(watch: Watch, now: MonoMs): Watch {
  const { status } = watch;
  return status.is === 'alive' ? { ...watch, status: { ...status, pulse: { ...status.pulse, stillSince: now } } } : watch;
}
