import type { MonoMs } from '../units.js';
import { startCancelOnly } from './parking.js';
import type { SupervisionPolicy } from './policy.js';
import { type SupervisorEffect, type SupervisorState, type SupervisorStep, withWatch } from './state.js';
import { isReady, stillForTooLong, type Watch, type WatchStatus } from './watch.js';

/** The rounds the supervisor makes after every event: who has fallen silent, who does not end, who is due to be started. */

interface Looked {
  readonly watch: Watch;
  readonly effects: readonly SupervisorEffect[];
}

const NONE: readonly SupervisorEffect[] = [];

/** How often SIGKILL is repeated for a process that does not go: only a stalled disk in the kernel holds one that long. */
const KILL_AGAIN_MS = 1_000;

export function makeRounds(state: SupervisorState, now: MonoMs): SupervisorStep {
  const guard = lookAfter(state.guard, now, state.policy);
  const trader = lookAfter(state.trader, now, state.policy);
  // After most events everybody is as before, and nothing is copied then.
  const isAsBefore = guard.watch === state.guard && trader.watch === state.trader;
  const looked = isAsBefore ? state : { ...state, guard: guard.watch, trader: trader.watch };
  return startCancelOnly(startDue({ state: looked, effects: [...guard.effects, ...trader.effects] }, now), now);
}

function lookAfter(watch: Watch, now: MonoMs, policy: SupervisionPolicy): Looked {
  const { status, worker } = watch;
  if (status.is === 'alive') {
    const still = stillForTooLong(status.pulse, now, policy);
    return still === null
      ? tellNotReady(watch, status, now, policy)
      : kill(watch, status.pid, now, `its heartbeat stood still for ${(still / 1000).toFixed(1)} s`);
  }
  if (status.is === 'ending' && now - status.askedAt >= policy.stopMsMax) {
    return {
      watch: { ...watch, status: { ...status, askedAt: now } },
      effects: [
        { do: 'signal', worker, pid: status.pid, signal: 'SIGKILL' },
        { do: 'record', worker, what: 'killed', pid: status.pid, detail: 'it did not end when asked' },
      ],
    };
  }
  if (status.is === 'killed' && now - status.askedAt >= KILL_AGAIN_MS) {
    return {
      watch: { ...watch, status: { ...status, askedAt: now } },
      effects: [{ do: 'signal', worker, pid: status.pid, signal: 'SIGKILL' }],
    };
  }
  return { watch, effects: NONE };
}

function kill(watch: Watch, pid: number, now: MonoMs, why: string): Looked {
  return {
    watch: { ...watch, status: { is: 'killed', pid, askedAt: now, why } },
    effects: [
      { do: 'signal', worker: watch.worker, pid, signal: 'SIGKILL' },
      { do: 'record', worker: watch.worker, what: 'hung', pid, detail: why },
    ],
  };
}

/** A counter that moves is a worker that lives: not being READY (the gateway is down) is told, never punished. */
function tellNotReady(watch: Watch, status: Extract<WatchStatus, { is: 'alive' }>, now: MonoMs, policy: SupervisionPolicy): Looked {
  const { pulse } = status;
  if (pulse.notReadySince === null) return { watch, effects: NONE };
  const times = Math.floor((now - pulse.notReadySince) / policy.notReadyMsMax);
  if (times <= pulse.notReadyTold) return { watch, effects: [] };
  const detail = `phase ${pulse.phase ?? 'unknown'}, not READY for ${Math.round((now - pulse.notReadySince) / 1000)} s`;
  return {
    watch: { ...watch, status: { ...status, pulse: { ...pulse, notReadyTold: times } } },
    effects: [{ do: 'record', worker: watch.worker, what: 'not-ready', pid: status.pid, detail }],
  };
}

/** Exit manager first; the day trader only while the exit manager is READY and there is a store, and never during a stop: no guard, no entry. */
function startDue({ state, effects }: SupervisorStep, now: MonoMs): SupervisorStep {
  let next = state;
  const spawns: SupervisorEffect[] = [];
  for (const watch of [state.guard, state.trader]) {
    const { status, worker } = watch;
    if (status.is !== 'due' || now < status.at) continue;
    const mayStart =
      worker === 'exit-manager'
        ? isSpaced(watch, now, state.policy)
        : isReady(state.guard) && state.stop === null && state.store.is === 'well';
    if (!mayStart) continue;
    next = withWatch(next, { ...watch, status: { is: 'starting', mode: status.mode } });
    spawns.push({ do: 'spawn', worker, mode: status.mode });
  }
  return { state: next, effects: spawns.length === 0 ? effects : [...effects, ...spawns] };
}

/** A broken installation must not eat both cores: two starts of the exit manager lie a spacing apart, whatever ended the first. */
const isSpaced = (guard: Watch, now: MonoMs, policy: SupervisionPolicy): boolean =>
  guard.startedAt === null || now - guard.startedAt >= policy.guardSpacingMs;
