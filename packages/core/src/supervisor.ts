import type { Alert } from './effects.js';
import { park, parkAgain, restingStatus } from './supervision/parking.js';
import type { SupervisionPolicy } from './supervision/policy.js';
import { afterExit } from './supervision/restart.js';
import { makeRounds } from './supervision/rounds.js';
import {
  type EventOf,
  join,
  type SupervisorCommand,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
  type SupervisorStep,
  unchanged,
  watchOf,
  withWatch,
} from './supervision/state.js';
import { askToEnd, beginStop, carryStop, onEntries, onSecured, onWithdrawalGone } from './supervision/stop.js';
import { keepRestoring, onStoreLost, onStoreNotRestored, onStoreRestored, STORE_WELL } from './supervision/store-loss.js';
import {
  feelPulse,
  freshPulse,
  newWatch,
  pidOf,
  type StartMode,
  type SupervisedWorker,
  timeAfresh,
  type Watch,
  type WatchStatus,
} from './supervision/watch.js';
import { type MonoMs, monoMs } from './units.js';

/**
 * The supervisor's whole policy: who is started when, what a silence means, what follows an end. Pure, like the workers' rules;
 * the live supervisor (engine/supervise.ts) and the simulated one run this same function.
 */
export function decide(state: SupervisorState, event: SupervisorEvent): SupervisorStep {
  const heard = hear(state, event);
  const rounds = join(heard, makeRounds(heard.state, event.mono));
  const carried = join(rounds, carryStop(rounds.state, event.mono));
  return join(carried, showStatus(carried, event.mono));
}

export const newSupervisor = (policy: SupervisionPolicy): SupervisorState => ({
  policy,
  guard: newWatch('exit-manager', { is: 'stopped' }),
  trader: newWatch('day-trader', { is: 'stopped' }),
  stop: null,
  tradeDate: null,
  store: STORE_WELL,
  statusShownAt: null,
  statusNews: null,
});

function hear(state: SupervisorState, event: SupervisorEvent): SupervisorStep {
  const now = event.mono;
  switch (event.kind) {
    case 'started':
      return onStarted(state, event, now);
    case 'spawned':
      return onSpawned(state, event, now);
    case 'spawn-failed':
      return onSpawnFailed(state, event, now);
    case 'beat':
      return onBeat(state, event, now);
    case 'gone':
      return onGone(state, event, now);
    case 'lease-free':
      return onLeaseFree(state, event.worker, now);
    case 'paused':
      return unchanged({ ...state, guard: timeAfresh(state.guard, now), trader: timeAfresh(state.trader, now) });
    case 'trade-date':
      return onTradeDate(state, event);
    case 'withdrawal-owed':
      return onWithdrawalOwed(state, event.isOwed);
    case 'entries':
      return onEntries(state, event.working, now);
    case 'secured':
      return onSecured(state, event.secured, now);
    case 'store-lost':
      return onStoreLost(state, event.why, now);
    case 'store-restored':
      return onStoreRestored(state, event);
    case 'store-not-restored':
      return onStoreNotRestored(state, event.detail, now);
    case 'command':
      return onCommand(state, event.command, now);
    case 'tick':
      return keepRestoring(state, now);
  }
}

/**
 * Adopts what is alive; what is not becomes due. A worker found parked stays so: only a person releases it. If a process of it is alive
 * (the last supervisor did not live to end it, or it is a cancel-only one), it is asked to end: what it leaves to withdraw is seen to anew.
 */
function onStarted(state: SupervisorState, event: EventOf<'started'>, now: MonoMs): SupervisorStep {
  const effects: SupervisorEffect[] = [];
  const firstStatus = (worker: SupervisedWorker): WatchStatus => {
    const holder = event.found.find(found => found.worker === worker)?.holder;
    if (holder?.isWorker) {
      effects.push({ do: 'record', worker, what: 'adopted', pid: holder.pid, detail: 'alive, and holds its lease' });
      return { is: 'alive', pid: holder.pid, adopted: true, mode: 'normal', pulse: freshPulse(now) };
    }
    if (holder) return { is: 'held', by: holder.pid };
    return { is: 'due', at: now, mode: 'normal' };
  };
  const guard = newWatch('exit-manager', firstStatus('exit-manager'));
  const trader = newWatch('day-trader', firstStatus('day-trader'));
  if (!event.traderIsParked) return { state: { ...state, guard, trader }, effects };
  const parked = park(trader, 'it was parked before this start', now);
  const asked = trader.status.is === 'alive' ? askToEnd({ ...parked, status: trader.status }, 'rest', now) : { watch: parked, effects: [] };
  return { state: { ...state, guard, trader: asked.watch }, effects: [...effects, ...asked.effects] };
}

function onSpawned(state: SupervisorState, { worker, pid }: EventOf<'spawned'>, now: MonoMs): SupervisorStep {
  const watch = watchOf(state, worker);
  if (watch.status.is !== 'starting') return unchanged(state);
  const { mode } = watch.status;
  const alive: WatchStatus = { is: 'alive', pid, adopted: false, mode, pulse: freshPulse(now) };
  const restarts = watch.startedAt === null ? 0 : watch.restarts + 1;
  return {
    state: withWatch(state, { ...watch, status: alive, startedAt: now, restarts }),
    effects: [{ do: 'record', worker, what: 'started', pid, detail: startedAs(mode, watch) }],
  };
}

function startedAs(mode: StartMode, { parking }: Watch): string {
  switch (mode) {
    case 'normal':
      return '';
    case 'minimal':
      return 'in minimal mode';
    case 'cancel-only':
      return `cancel-only: ${parking === null ? 'being stopped' : 'parked'}, but an entry of its own must be withdrawn`;
  }
}

/** The machine could not start a process at all (no memory, no such program): tried again at a calm pace, for ever. */
function onSpawnFailed(state: SupervisorState, { worker, reason }: EventOf<'spawn-failed'>, now: MonoMs): SupervisorStep {
  const watch = watchOf(state, worker);
  if (watch.status.is !== 'starting') return unchanged(state);
  const { policy } = state;
  const at = monoMs(now + (worker === 'exit-manager' ? policy.guardSpacingMs : policy.backoffMsMax));
  const alert: Alert = {
    level: 'critical',
    code: 'SPAWN_FAILED',
    symbol: null,
    happened: `The ${worker} could not be started: ${reason}.`,
    did: 'It is tried again until it works.',
    todo: 'Check memory, disk and the installation (`npm run setup`).',
  };
  const next: Watch =
    watch.parking === null ? { ...watch, status: { is: 'due', at, mode: watch.status.mode } } : parkAgain(watch, watch.parking, at);
  return {
    state: withWatch(state, next),
    effects: [
      { do: 'record', worker, what: 'spawn-failed', pid: null, detail: reason },
      { do: 'alert', alert },
    ],
  };
}

function onBeat(state: SupervisorState, { worker, beat }: EventOf<'beat'>, now: MonoMs): SupervisorStep {
  const watch = watchOf(state, worker);
  const { status } = watch;
  if (status.is !== 'alive' || status.pid !== beat.pid) return unchanged(state);
  const becameReady = beat.phase === 'READY' && status.pulse.phase !== 'READY';
  return {
    state: withWatch(state, { ...watch, status: { ...status, pulse: feelPulse(status.pulse, beat, now) } }),
    effects: becameReady ? [{ do: 'record', worker, what: 'ready', pid: beat.pid, detail: '' }] : [],
  };
}

function onGone(state: SupervisorState, { worker, exit, holder }: EventOf<'gone'>, now: MonoMs): SupervisorStep {
  const watch = watchOf(state, worker);
  const { status } = watch;
  if (pidOf(watch) !== exit.pid) return unchanged(state);
  if (status.is === 'ending') {
    const after: WatchStatus = status.then === 'due' ? { is: 'due', at: now, mode: 'normal' } : restingStatus(watch);
    return {
      state: withWatch(state, { ...watch, status: after }),
      effects: [{ do: 'record', worker, what: 'stopped', pid: exit.pid, detail: 'as asked' }],
    };
  }
  if (worker === 'day-trader' && state.stop?.stage === 'withdrawing') return onWithdrawalGone(state, exit);
  const after = afterExit(watch, exit, now, { policy: state.policy, holder });
  const what = after.ending === 'crash' ? 'crashed' : 'stopped';
  const effects: SupervisorEffect[] = [{ do: 'record', worker, what, pid: exit.pid, detail: after.story }];
  if (after.watch.status.is === 'parked' && watch.parking === null)
    effects.push({ do: 'record', worker, what: 'parked', pid: null, detail: after.watch.status.why });
  if (after.alert !== null) effects.push({ do: 'alert', alert: after.alert });
  return { state: withWatch(state, after.watch), effects };
}

function onLeaseFree(state: SupervisorState, worker: SupervisedWorker, now: MonoMs): SupervisorStep {
  const watch = watchOf(state, worker);
  return unchanged(watch.status.is === 'held' ? withWatch(state, { ...watch, status: { is: 'due', at: now, mode: 'normal' } }) : state);
}

function onWithdrawalOwed(state: SupervisorState, isOwed: boolean): SupervisorStep {
  const { trader } = state;
  if (trader.parking === null || trader.parking.isOwed === isOwed) return unchanged(state);
  return unchanged({ ...state, trader: { ...trader, parking: { ...trader.parking, isOwed } } });
}

/** The first date told also resets: the box may have been off overnight. The reset deletes only older dates, so once more does no harm. */
function onTradeDate(state: SupervisorState, { date }: EventOf<'trade-date'>): SupervisorStep {
  if (date === state.tradeDate) return unchanged(state);
  return { state: { ...state, tradeDate: date }, effects: [{ do: 'daily-reset', date }, { do: 'back-up-store' }] };
}

const CONFIRMED: Readonly<Record<'park' | 'unpark' | 'restart', (worker: SupervisedWorker) => string>> = {
  park: worker => `The ${worker} is parked: it stays down until a person releases it.`,
  unpark: worker => `The ${worker} is not parked: it runs, or starts as soon as the exit manager is READY.`,
  restart: worker => `The ${worker} is being restarted.`,
};

function onCommand(state: SupervisorState, command: SupervisorCommand, now: MonoMs): SupervisorStep {
  const answer = (status: 'done' | 'refused', text: string): SupervisorEffect => ({ do: 'answer', id: command.id, status, answer: text });
  if (command.kind === 'stop') return beginStop(state, command, now);
  if (command.kind === 'status') return { state, effects: [{ do: 'show-status', because: 'asked for' }, answer('done', 'shown')] };
  if (state.stop !== null) return { state, effects: [answer('refused', 'everything is being stopped')] };
  const { kind, worker } = command;
  const watch = watchOf(state, worker);
  if (kind === 'park' && worker === 'exit-manager') {
    return { state, effects: [answer('refused', 'the exit manager is never parked: positions would be left without protection')] };
  }
  if (kind === 'restart' && watch.parking !== null) return { state, effects: [answer('refused', `${worker} is parked: unpark it`)] };
  const done = answer('done', CONFIRMED[kind](worker));
  if (kind === 'unpark') return release(state, watch, { now, done });
  if (kind === 'park') return parkOnRequest(state, watch, { now, done });
  const asked = askToEnd(watch, 'due', now);
  return { state: withWatch(state, asked.watch), effects: [...asked.effects, done] };
}

/** One that is parked already may be withdrawing an entry right now, and is left to it. */
function parkOnRequest(state: SupervisorState, watch: Watch, { now, done }: { now: MonoMs; done: SupervisorEffect }): SupervisorStep {
  if (watch.parking !== null) return { state, effects: [done] };
  const why = 'a person asked for it';
  const asked = askToEnd({ ...park(watch, why, now), status: watch.status }, 'rest', now);
  const record: SupervisorEffect = { do: 'record', worker: watch.worker, what: 'parked', pid: pidOf(watch), detail: why };
  return { state: withWatch(state, asked.watch), effects: [...asked.effects, record, done] };
}

/** A person has looked: earlier crashes no longer count. Harmless when nothing is parked. */
function release(state: SupervisorState, watch: Watch, { now, done }: { now: MonoMs; done: SupervisorEffect }): SupervisorStep {
  if (watch.parking === null) return { state, effects: [done] };
  const { worker, status } = watch;
  const free: Watch = { ...watch, parking: null, crashes: [], configRefusals: 0 };
  const asked =
    status.is === 'parked'
      ? { watch: { ...free, status: { is: 'due', at: now, mode: 'normal' } as const }, effects: [] }
      : askToEnd(free, 'due', now);
  const record: SupervisorEffect = { do: 'record', worker, what: 'released', pid: null, detail: 'a person released it' };
  return { state: withWatch(state, asked.watch), effects: [...asked.effects, record, done] };
}

/** A worker that crashes four times a second must not flood the console. */
const STATUS_SPACING_MS = 1_000;

/** The status block (requirement A3): regularly, and when something about a worker has changed. */
function showStatus({ state, effects }: SupervisorStep, now: MonoMs): SupervisorStep {
  const record = effects.find(effect => effect.do === 'record');
  const news = record?.do === 'record' ? `${record.worker} ${record.what}` : state.statusNews;
  // At the very start there is nothing to show yet: the first block comes with the first news.
  if (state.statusShownAt === null) return unchanged({ ...state, statusShownAt: now, statusNews: news });
  const sinceMs = now - state.statusShownAt;
  const isDue = sinceMs >= state.policy.statusEveryMs || (news !== null && sinceMs >= STATUS_SPACING_MS);
  if (!isDue) return unchanged(news === state.statusNews ? state : { ...state, statusNews: news });
  return { state: { ...state, statusShownAt: now, statusNews: null }, effects: [{ do: 'show-status', because: news ?? 'regular' }] };
}
