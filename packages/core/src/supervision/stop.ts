import type { Alert } from '../effects.js';
import type { MonoMs } from '../units.js';
import { restingStatus } from './parking.js';
import type { SupervisorEffect, SupervisorState } from './state.js';
import { join, type SupervisorCommand, type SupervisorStep, unchanged, withWatch } from './state.js';
import { isReady, type Watch } from './watch.js';

/**
 * A graceful stop of everything (requirement A4), in the reversed order of the start: the day trader first, so that nothing new is
 * opened; then every open position gets a resting stop that the broker confirms; then the exit manager; then the supervisor.
 */
export type StopStage =
  /** The day trader was asked to end and is still there. */
  | 'ending-trader'
  /** Nothing can be opened any more; the exit manager rests a stop at the real level for each position. */
  | 'securing'
  | 'ending-guard'
  | 'ended';

export interface Stop {
  readonly stage: StopStage;
  readonly since: MonoMs;
  /** Go on even where a position stays without a resting stop. */
  readonly force: boolean;
  /** The exit manager stays at work, so that nothing needs to be secured. */
  readonly keepGuard: boolean;
  /** The command row to answer; null for Ctrl+C at a terminal. */
  readonly commandId: number | null;
  /** What a forced stop left without a confirmed resting stop; null when everything is secured, or not yet known. */
  readonly unsecured: string | null;
}

/** Whether every open position is protected at the broker; ok with nothing open. */
export interface Secured {
  readonly ok: boolean;
  readonly detail: string;
}

/** Asking a second time (or a second Ctrl+C) never starts over; with force it hurries the first. */
export function beginStop(state: SupervisorState, command: Extract<SupervisorCommand, { kind: 'stop' }>, now: MonoMs): SupervisorStep {
  const { stop } = state;
  const { force, keepGuard, id: commandId } = command;
  if (stop === null) {
    return unchanged({ ...state, stop: { stage: 'ending-trader', since: now, force, keepGuard, commandId, unsecured: null } });
  }
  const joined = {
    ...state,
    stop: { ...stop, force: stop.force || force, keepGuard: stop.keepGuard && keepGuard, commandId: commandId ?? stop.commandId },
  };
  if (commandId === null || stop.commandId === null) return unchanged(joined);
  return {
    state: joined,
    effects: [{ do: 'answer', id: stop.commandId, status: 'done', answer: 'joined by a later request, which is answered instead' }],
  };
}

/** Moves a stop on when its stage is over. Called after every event. */
export function carryStop(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { stop } = state;
  switch (stop?.stage) {
    case undefined:
    case 'ended':
      return unchanged(state);
    case 'ending-trader':
      return endTrader(state, now);
    case 'securing':
      return now - (stop?.since ?? now) >= state.policy.secureMsMax
        ? onSecured(state, { ok: false, detail: 'the exit manager did not confirm the resting stops in time' }, now)
        : unchanged(state);
    case 'ending-guard':
      return endGuard(state, now);
  }
}

/** A refused stop leaves the desk as it was: the day trader is started again, and the refusal says what a person can do. */
export function onSecured(state: SupervisorState, secured: Secured, now: MonoMs): SupervisorStep {
  const { stop, trader } = state;
  if (stop?.stage !== 'securing') return unchanged(state);
  if (secured.ok || stop.force) {
    const unsecured = secured.ok ? null : secured.detail;
    const ending = endGuard({ ...state, stop: { ...stop, stage: 'ending-guard', since: now, unsecured } }, now);
    return unsecured === null ? ending : join({ state, effects: [{ do: 'alert', alert: unsecuredAlert(unsecured) }] }, ending);
  }
  const again: Watch = trader.status.is === 'stopped' ? { ...trader, status: { is: 'due', at: now, mode: 'normal' } } : trader;
  const answer = `Not stopped: ${secured.detail}. Everything runs on. Close the positions first, or stop with --force and watch them yourself.`;
  return { state: { ...withWatch(state, again), stop: null }, effects: [{ do: 'answer', id: stop.commandId, status: 'refused', answer }] };
}

function endTrader(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { stop, trader } = state;
  if (stop === null) return unchanged(state);
  const asked = askToEnd(trader, 'rest', now);
  const next = withWatch(state, asked.watch);
  if (isRunning(asked.watch)) return { state: next, effects: asked.effects };
  if (stop.keepGuard) return join({ state: next, effects: asked.effects }, leaveGuard(next, stop));
  const secure: SupervisorEffect = { do: 'secure-positions', guardIsReady: isReady(state.guard) };
  return { state: { ...next, stop: { ...stop, stage: 'securing', since: now } }, effects: [...asked.effects, secure] };
}

/** Waits for a guard that is just being restarted: the one left behind must be alive. */
function leaveGuard(state: SupervisorState, stop: Stop): SupervisorStep {
  if (state.guard.status.is !== 'alive') return unchanged(state);
  const answer = `day trader and supervisor are stopped; the exit manager (pid ${state.guard.status.pid}) stays on guard, but nobody would start it again`;
  return {
    state: { ...state, stop: { ...stop, stage: 'ended' } },
    effects: [{ do: 'answer', id: stop.commandId, status: 'done', answer }, { do: 'end' }],
  };
}

function endGuard(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { stop } = state;
  if (stop === null) return unchanged(state);
  const asked = askToEnd(state.guard, 'rest', now);
  const next = { state: withWatch(state, asked.watch), effects: asked.effects };
  if (isRunning(asked.watch)) return next;
  return join(next, {
    state: { ...next.state, stop: { ...stop, stage: 'ended' } },
    effects: [{ do: 'answer', id: stop.commandId, status: 'done', answer: lastWords(stop) }, { do: 'end' }],
  });
}

const lastWords = ({ unsecured }: Stop): string =>
  unsecured === null ? 'everything is stopped' : `everything is stopped, by force: ${unsecured}. Nobody watches these positions now.`;

const unsecuredAlert = (detail: string): Alert => ({
  level: 'critical',
  code: 'STOPPED_UNSECURED',
  symbol: null,
  happened: `A stop by force left positions without a confirmed resting stop: ${detail}.`,
  did: 'The exit manager is being stopped all the same, as asked. What rests at the broker stays there.',
  todo: 'Look at the account at the broker now; start Holdfast again, or close the positions there by hand.',
});

export const isRunning = ({ status }: Watch): boolean =>
  status.is === 'alive' || status.is === 'starting' || status.is === 'killed' || status.is === 'ending';

export interface Asked {
  readonly watch: Watch;
  readonly effects: readonly SupervisorEffect[];
}

/** Asks a worker's process to end and says what follows: rest (stopped, or parked), or the next start. Where nothing runs it rests at once. Repeatable. */
export function askToEnd(watch: Watch, then: 'rest' | 'due', now: MonoMs): Asked {
  const { status, worker } = watch;
  switch (status.is) {
    case 'alive':
      return {
        watch: { ...watch, status: { is: 'ending', pid: status.pid, askedAt: now, then } },
        effects: [{ do: 'signal', worker, pid: status.pid, signal: 'SIGTERM' }],
      };
    case 'killed':
      return { watch: { ...watch, status: { is: 'ending', pid: status.pid, askedAt: status.askedAt, then } }, effects: [] };
    case 'ending':
      return { watch: { ...watch, status: { ...status, then } }, effects: [] };
    case 'starting':
      return { watch, effects: [] };
    case 'due':
    case 'held':
    case 'parked':
    case 'stopped':
      return { watch: then === 'due' ? watch : { ...watch, status: restingStatus(watch) }, effects: [] };
  }
}
