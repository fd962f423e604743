import { tradeDateOf } from '@holdfast/core/calendar';
import type { WorkerName } from '@holdfast/core/orders/order';
import type { Clock } from '@holdfast/core/ports';
import type { SharedView, WorkerPhase } from '@holdfast/core/shared-view';
import type { Db } from '@holdfast/store/db';
import { attempt } from '@holdfast/store/refusal';
import { areUnchanged, loadView, type ReadView, readSharedChanges, reloadView, SHARED_TABLES } from '@holdfast/store/view';
import type { Log } from './log.js';

/** What the exit manager's heartbeat file says right now: the table's phase may be that of a process that is dead. */
export interface GuardPulse {
  readonly alive: boolean;
  readonly phase: WorkerPhase;
}

export interface StoreWatchParts {
  readonly db: Db;
  readonly worker: WorkerName;
  readonly clock: Clock;
  readonly log: Log;
  readonly guard?: () => GuardPulse;
}

export interface StoreWatch {
  look(): SharedView | null;
  /** Why the store's content is no good, once a read has said so. */
  readonly damage: string | null;
}

interface Seen extends ReadView {
  readonly version: number;
  readonly guard: GuardPulse | null;
}

/** The view with the guard as its heartbeat shows it. Without a heartbeat to read, the table's word stands. */
export const withGuard = (view: SharedView, guard: GuardPulse | null): SharedView =>
  guard === null ? view : { ...view, guard: { alive: guard.alive, phase: guard.alive ? guard.phase : view.guard.phase } };

const isSamePulse = (a: GuardPulse | null, b: GuardPulse | null): boolean => a?.alive === b?.alive && a?.phase === b?.phase;

/**
 * Notices what others did: another process committed (PRAGMA data_version, some microseconds) and changed what is shared, the trading date
 * turned, the guard's heartbeat came or went. `look` returns the shared tables read anew then, and null otherwise; the first look always
 * reads. A store that cannot be read now is asked again at the next beat; one that says it is damaged stays so.
 */
export function createStoreWatch({ db, worker, clock, log, guard }: StoreWatchParts): StoreWatch {
  let seen: Seen | null = null;
  let isFailing = false;
  let damage: string | null = null;

  function read(): SharedView | null {
    const now = clock.exchange();
    const pulse = guard?.() ?? null;
    const version = db.dataVersion();
    const tradeDate = tradeDateOf(now);
    const isQuiet = seen !== null && seen.tradeDate === tradeDate && isSamePulse(seen.guard, pulse);
    if (isQuiet && seen?.version === version) return null;
    // Read before the tables: what is committed in between is found at the next look.
    const changes = readSharedChanges(db);
    if (isQuiet && seen && areUnchanged(SHARED_TABLES, seen.changes, changes)) {
      seen = { ...seen, version };
      return null;
    }
    const request = { worker, tradeDate, now };
    const view = seen ? reloadView(db, request, { known: seen, changes }) : loadView(db, request);
    seen = { version, view, changes, tradeDate, guard: pulse };
    return withGuard(view, pulse);
  }

  return {
    look() {
      const view = attempt(read);
      const failure = view !== null && 'ok' in view ? view : null;
      if (failure && !isFailing) log('error', 'store-not-readable', { code: failure.code, detail: failure.detail });
      isFailing = failure !== null;
      if (failure?.code === 'STORE_CORRUPT') damage = `${failure.code}: ${failure.detail}`;
      return view === null || 'ok' in view ? null : view;
    },
    get damage() {
      return damage;
    },
  };
}
