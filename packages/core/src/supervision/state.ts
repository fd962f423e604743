import type { Alert } from '../effects.js';
import type { MonoMs, TradeDate } from '../units.js';
import type { SupervisionPolicy } from './policy.js';
import type { LeaseHolder } from './restart.js';
import type { Secured, Stop } from './stop.js';
import type { Restored, StoreCondition } from './store-loss.js';
import type { Beat, StartMode, SupervisedWorker, Watch, WorkerExit } from './watch.js';

/** All the supervisor knows. Nothing of it must survive its own death: the next one adopts what is alive and reads what is parked. */
export interface SupervisorState {
  readonly policy: SupervisionPolicy;
  readonly guard: Watch;
  readonly trader: Watch;
  readonly stop: Stop | null;
  /** The trading date of the last daily reset; null until a connected worker has told one. */
  readonly tradeDate: TradeDate | null;
  readonly store: StoreCondition;
  readonly statusShownAt: MonoMs | null;
  /** Why the status block should be shown again soon; null when nothing has changed since. */
  readonly statusNews: string | null;
}

/** `mono` is the supervisor's own monotonic clock: another process's clock readings are never compared with it. */
export type SupervisorEvent = { readonly mono: MonoMs } & (
  | { readonly kind: 'started'; readonly found: readonly FoundWorker[]; readonly traderIsParked: boolean }
  | { readonly kind: 'spawned'; readonly worker: SupervisedWorker; readonly pid: number }
  | { readonly kind: 'spawn-failed'; readonly worker: SupervisedWorker; readonly reason: string }
  /** A process is gone for certain: reaped, or its pid is free, a zombie's or somebody else's. */
  | { readonly kind: 'gone'; readonly worker: SupervisedWorker; readonly exit: WorkerExit; readonly holder: LeaseHolder | null }
  | { readonly kind: 'beat'; readonly worker: SupervisedWorker; readonly beat: Beat }
  /** The process that held a held worker's lease is gone. */
  | { readonly kind: 'lease-free'; readonly worker: SupervisedWorker }
  /** This supervisor itself stood still for more than a second. Told before anything that was seen after the pause. */
  | { readonly kind: 'paused'; readonly ms: number }
  /** The exchange's trading date, as a connected worker tells it; never the machine's calendar (a demo lives in another year). */
  | { readonly kind: 'trade-date'; readonly date: TradeDate }
  /** Whether the store shows an entry of the parked day trader that still must be withdrawn. */
  | { readonly kind: 'withdrawal-owed'; readonly isOwed: boolean }
  /** The answer to `look-for-entries`: what still works, or may, in words; null: no entry of the day trader can fill any more. */
  | { readonly kind: 'entries'; readonly working: string | null }
  /** The answer to `secure-positions`. */
  | { readonly kind: 'secured'; readonly secured: Secured }
  /** The store's file is gone, damaged or not the one that was opened. */
  | { readonly kind: 'store-lost'; readonly why: string }
  /** The answers to `restore-store`. */
  | ({ readonly kind: 'store-restored' } & Restored)
  | { readonly kind: 'store-not-restored'; readonly detail: string }
  | { readonly kind: 'command'; readonly command: SupervisorCommand }
  | { readonly kind: 'tick' }
);

export type EventOf<K extends SupervisorEvent['kind']> = Extract<SupervisorEvent, { kind: K }>;

/** A living holder of a worker's lease, found at the start. */
export interface FoundWorker {
  readonly worker: SupervisedWorker;
  readonly holder: LeaseHolder;
}

/** What a person asks for. `id` is the command row to answer; null when it came from the terminal. */
export type SupervisorCommand =
  /** `keepGuard`: end day trader and supervisor, leave the exit manager on guard. */
  | { readonly kind: 'stop'; readonly id: number | null; readonly force: boolean; readonly keepGuard: boolean }
  | { readonly kind: 'park' | 'unpark' | 'restart'; readonly id: number | null; readonly worker: SupervisedWorker }
  | { readonly kind: 'status'; readonly id: number | null };

export type SupervisorEffect =
  | { readonly do: 'spawn'; readonly worker: SupervisedWorker; readonly mode: StartMode }
  | { readonly do: 'signal'; readonly worker: SupervisedWorker; readonly pid: number; readonly signal: 'SIGTERM' | 'SIGKILL' }
  /** Look in the store whether an entry of the day trader, which has ended, may still fill. Answered by `entries`. */
  | { readonly do: 'look-for-entries' }
  /** Look whether positions are open; if so, have the exit manager rest a confirmed stop for each. Answered by `secured`. */
  | { readonly do: 'secure-positions'; readonly guardIsReady: boolean }
  | { readonly do: 'alert'; readonly alert: Alert }
  | WorkerRecord
  | { readonly do: 'daily-reset'; readonly date: TradeDate }
  /** Put a sound store in the place of the lost one. Answered by `store-restored` or `store-not-restored`. */
  | { readonly do: 'restore-store'; readonly why: string }
  /** The day's copy, if none is young; copies that are too old are deleted. */
  | { readonly do: 'back-up-store' }
  | { readonly do: 'show-status'; readonly because: string }
  | { readonly do: 'answer'; readonly id: number | null; readonly status: 'done' | 'refused'; readonly answer: string }
  /** Everything is stopped: the supervisor ends too. */
  | { readonly do: 'end' };

/** One line for the console and the run log, and a row in the worker's record. */
export interface WorkerRecord {
  readonly do: 'record';
  readonly worker: SupervisedWorker;
  readonly what: WorkerStory;
  readonly pid: number | null;
  readonly detail: string;
}

/** Named as in the store's worker events; the last two are only said. `hung`: killed for its silence; `killed`: it did not end when asked. */
export type WorkerStory =
  | 'started'
  | 'ready'
  | 'crashed'
  | 'hung'
  | 'killed'
  | 'adopted'
  | 'parked'
  | 'released'
  | 'stopped'
  | 'spawn-failed'
  | 'not-ready';

export interface SupervisorStep {
  readonly state: SupervisorState;
  readonly effects: readonly SupervisorEffect[];
}

export const watchOf = (state: SupervisorState, worker: SupervisedWorker): Watch =>
  worker === 'exit-manager' ? state.guard : state.trader;

export const withWatch = (state: SupervisorState, watch: Watch): SupervisorState =>
  watch.worker === 'exit-manager' ? { ...state, guard: watch } : { ...state, trader: watch };

/** `then` was decided on `first`'s state: its effects come after. */
export const join = (first: SupervisorStep, then: SupervisorStep): SupervisorStep => ({
  state: then.state,
  effects: first.effects.length === 0 ? then.effects : [...first.effects, ...then.effects],
});

export const unchanged = (state: SupervisorState): SupervisorStep => ({ state, effects: [] });
