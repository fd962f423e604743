import type { Alert } from '../effects.js';
import type { MonoMs } from '../units.js';
import { restingStatus } from './parking.js';
import { describeExit, endingOf } from './restart.js';
import type { SupervisorEffect, SupervisorState } from './state.js';
import { join, type SupervisorCommand, type SupervisorStep, unchanged, withWatch } from './state.js';
import { isReady, type Watch, type WorkerExit } from './watch.js';

/**
 * A graceful stop of everything (requirement A4), in the reversed order of the start: the day trader first, so that nothing new is
 * opened; then what it left working is withdrawn, because an entry that fills later would find nobody; then every open position gets a
 * resting stop that the broker confirms; then the exit manager; then the supervisor.
 */
export type StopStage =
  /** The day trader was asked to end and is still there. */
  | 'ending-trader'
  /** It is gone; whether an entry of it may still fill is being looked up. */
  | 'looking'
  /** A cancel-only process withdraws what it left working. */
  | 'withdrawing'
  /** That process is gone too; what may fill in spite of it is being looked up. */
  | 'looking-again'
  /** All that can be withdrawn is. Passed at once, but an exit manager that is to stay on guard must be alive first. */
  | 'withdrawn'
  /** Nothing can be opened any more; the exit manager rests a stop at the real level for each position. */
  | 'securing'
  | 'ending-guard'
  | 'ended';

export interface Stop {
  readonly stage: StopStage;
  readonly since: MonoMs;
  /** Go on even where an entry still works or a position stays without a resting stop. */
  readonly force: boolean;
  /** The exit manager stays at work, so that nothing needs to be secured. */
  readonly keepGuard: boolean;
  /** The command row to answer; null for Ctrl+C at a terminal. */
  readonly commandId: number | null;
  /** The entries that a forced stop left working; null when none is, or not yet known. */
  readonly working: string | null;
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
    const first: Stop = { stage: 'ending-trader', since: now, force, keepGuard, commandId, working: null, unsecured: null };
    return unchanged({ ...state, stop: first });
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
    case 'looking':
    case 'looking-again':
    case 'ended':
      return unchanged(state);
    case 'ending-trader':
      return endTrader(state, now);
    case 'withdrawing':
      return awaitWithdrawal(state, now);
    case 'withdrawn':
      return secureOrLeave(state, now);
    case 'securing':
      return now - (stop?.since ?? now) >= state.policy.secureMsMax
        ? onSecured(state, { ok: false, detail: 'the exit manager did not confirm the resting stops in time' }, now)
        : unchanged(state);
    case 'ending-guard':
      return endGuard(state, now);
  }
}

/** The store's word on what the day trader left working: nothing, then on; otherwise one cancel-only process, after which it must be nothing. */
export function onEntries(state: SupervisorState, working: string | null, now: MonoMs): SupervisorStep {
  const { stop } = state;
  if (stop?.stage !== 'looking' && stop?.stage !== 'looking-again') return unchanged(state);
  if (working === null) return secureOrLeave({ ...state, stop: { ...stop, stage: 'withdrawn', since: now } }, now);
  if (stop.stage === 'looking') return withdraw(state, stop, now);
  if (!stop.force) {
    const todo = 'Try again when the gateway answers or the entry has had its time to live, or stop with --force and watch it yourself.';
    return refuse(state, stop, { why: working, todo, now });
  }
  const onward = secureOrLeave({ ...state, stop: { ...stop, stage: 'withdrawn', since: now, working } }, now);
  return join({ state, effects: [{ do: 'alert', alert: workingAlert(working, stop) }] }, onward);
}

/** Only the day trader's own client id may cancel its entries, so it is started once more. It enters nothing and needs no guard. */
function withdraw(state: SupervisorState, stop: Stop, now: MonoMs): SupervisorStep {
  const { trader } = state;
  // If the stop is refused, what a parked one owes is asked anew.
  const parking = trader.parking === null ? null : { ...trader.parking, isOwed: false };
  const starting: Watch = { ...trader, parking, status: { is: 'starting', mode: 'cancel-only' } };
  return {
    state: { ...state, trader: starting, stop: { ...stop, stage: 'withdrawing', since: now } },
    effects: [{ do: 'spawn', worker: 'day-trader', mode: 'cancel-only' }],
  };
}

/** It ends by itself when nothing works any more; after its time it is asked to. Whichever it was, the store is looked into once more. */
function awaitWithdrawal(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { stop, trader } = state;
  if (stop === null) return unchanged(state);
  if (!isRunning(trader)) {
    return { state: { ...state, stop: { ...stop, stage: 'looking-again', since: now } }, effects: [{ do: 'look-for-entries' }] };
  }
  if (trader.status.is !== 'alive' || now - stop.since < state.policy.withdrawMsMax) return unchanged(state);
  const asked = askToEnd(trader, 'rest', now);
  return { state: withWatch(state, asked.watch), effects: asked.effects };
}

/** How a stop's cancel-only process ended decides nothing, and it is not started again: what counts is what the store shows then. */
export function onWithdrawalGone(state: SupervisorState, exit: WorkerExit): SupervisorStep {
  const { trader } = state;
  const what = endingOf(trader, exit) === 'crash' ? 'crashed' : 'stopped';
  const detail = `cancel-only, ${describeExit(trader, exit)}`;
  return {
    state: withWatch(state, { ...trader, status: restingStatus(trader) }),
    effects: [{ do: 'record', worker: 'day-trader', what, pid: exit.pid, detail }],
  };
}

function secureOrLeave(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { stop } = state;
  if (stop === null) return unchanged(state);
  if (stop.keepGuard) return leaveGuard(state, stop);
  const secure: SupervisorEffect = { do: 'secure-positions', guardIsReady: isReady(state.guard) };
  return { state: { ...state, stop: { ...stop, stage: 'securing', since: now } }, effects: [secure] };
}

/** The exit manager's word on the resting stops, or what its time's end means. */
export function onSecured(state: SupervisorState, secured: Secured, now: MonoMs): SupervisorStep {
  const { stop } = state;
  if (stop?.stage !== 'securing') return unchanged(state);
  if (secured.ok || stop.force) {
    const unsecured = secured.ok ? null : secured.detail;
    const ending = endGuard({ ...state, stop: { ...stop, stage: 'ending-guard', since: now, unsecured } }, now);
    return unsecured === null ? ending : join({ state, effects: [{ do: 'alert', alert: unsecuredAlert(unsecured) }] }, ending);
  }
  return refuse(state, stop, {
    why: secured.detail,
    todo: 'Close the positions first, or stop with --force and watch them yourself.',
    now,
  });
}

/** A refused stop leaves the desk as it was: the day trader is started again (or parked, as before), and a person reads what to do. */
function refuse(state: SupervisorState, stop: Stop, { why, todo, now }: { why: string; todo: string; now: MonoMs }): SupervisorStep {
  const { trader } = state;
  const again: Watch = { ...trader, status: trader.parking === null ? { is: 'due', at: now, mode: 'normal' } : restingStatus(trader) };
  const traderNow =
    trader.parking === null ? 'the day trader, which had been ended for this, is started again' : 'the day trader stays parked';
  const answer = `Not stopped: ${why}. The exit manager runs on; ${traderNow}. ${todo}`;
  return { state: { ...withWatch(state, again), stop: null }, effects: [{ do: 'answer', id: stop.commandId, status: 'refused', answer }] };
}

function endTrader(state: SupervisorState, now: MonoMs): SupervisorStep {
  const { stop, trader } = state;
  if (stop === null) return unchanged(state);
  const asked = askToEnd(trader, 'rest', now);
  const next = withWatch(state, asked.watch);
  if (isRunning(asked.watch)) return { state: next, effects: asked.effects };
  return { state: { ...next, stop: { ...stop, stage: 'looking', since: now } }, effects: [...asked.effects, { do: 'look-for-entries' }] };
}

/** Waits for a guard that is just being restarted: the one left behind must be alive. */
function leaveGuard(state: SupervisorState, stop: Stop): SupervisorStep {
  if (state.guard.status.is !== 'alive') return unchanged(state);
  const left = stop.working === null ? '' : `. By force: ${stop.working}`;
  const answer = `day trader and supervisor are stopped; the exit manager (pid ${state.guard.status.pid}) stays on guard, but nobody would start it again${left}`;
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

/** Whether the answer to a stop tells of something that force left open: an entry at work, a position without a confirmed stop. */
export const leavesOpen = (answer: string): boolean => /\bby force: /i.test(answer);

function lastWords({ working, unsecured }: Stop): string {
  const left = [
    ...(working === null ? [] : [`${working}. What fills has nobody to protect it.`]),
    ...(unsecured === null ? [] : [`${unsecured}. Nobody watches these positions now.`]),
  ];
  return left.length === 0 ? 'everything is stopped' : `everything is stopped, by force: ${left.join(' ')}`;
}

const workingAlert = (working: string, { keepGuard }: Stop): Alert => ({
  level: 'critical',
  code: 'STOPPED_WITH_ENTRY',
  symbol: null,
  happened: `A stop by force could not withdraw what the day trader left working: ${working}.`,
  did: keepGuard
    ? 'The stop goes on, as asked. The exit manager stays on guard and protects what fills.'
    : 'The stop goes on, as asked. What fills after the end of the exit manager is not protected.',
  todo: 'Look at the account at the broker now: cancel the entry there, or start Holdfast again, which withdraws or protects it.',
});

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
