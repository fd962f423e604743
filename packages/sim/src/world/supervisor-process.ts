import type { SupervisionPolicy } from '@holdfast/core/supervision/policy';
import type { MonoMs } from '@holdfast/core/units';
import { openDeskStore } from '@holdfast/engine/desk-store';
import type { Log } from '@holdfast/engine/log';
import { createStoreKeeper, type StoreKeeper } from '@holdfast/engine/store-keeper';
import { createSupervision, type ProcessPort, type Supervision } from '@holdfast/engine/supervise';
import { leaseWithoutRecord } from '@holdfast/engine/unrecorded-lease';
import type { Db, StoreOptions } from '@holdfast/store/db';
import { acquireLease, type Lease, type LeaseHolder, readLease } from '@holdfast/store/leases';
import { attempt, type Refusal } from '@holdfast/store/refusal';
import { Crash } from './crash.js';
import type { StorePlace } from './store-place.js';
import type { WorldTime } from './time.js';

export interface SupervisorProcessParts {
  readonly pid: number;
  readonly time: WorldTime;
  readonly place: StorePlace;
  /** Of its connections. */
  readonly options: StoreOptions;
  /** Copies of the store are kept for so long. */
  readonly keepDays: number;
  readonly policy: SupervisionPolicy;
  readonly processes: ProcessPort;
  readonly log: Log;
  /** It is content with the store that stands there: at its start, and after a restoration. */
  readonly storeStands: () => void;
  /** Another one's heartbeat moves: it may be at work without its lease on record. */
  readonly isSupervised: () => boolean;
  /** What it tells the person at the console. */
  readonly say: (line: string) => void;
  readonly ended: (pid: number, why: string) => void;
}

/** The supervisor's process: engine's own supervision over simulated processes. It is killed, stopped and started like any other. */
export interface SupervisorProcess {
  readonly pid: number;
  readonly isDead: boolean;
  isStopped: boolean;
  readonly supervision: Supervision | null;
  turn(): void;
  /** Runs a callback of its own, an end it is told of: it may be killed in there. */
  inside(work: () => void): void;
  kill(why: string): void;
}

/** Takes the lease (again at every turn while the store is locked) and starts; refuses, and ends, where a living supervisor holds it. */
export function startSupervisor(parts: SupervisorProcessParts): SupervisorProcess {
  const { pid, time, processes, place, options } = parts;
  const holder: LeaseHolder = { pid, processStartedAt: String(pid), bootId: processes.bootId };
  const files = { store: place.path, backups: place.backups, emergency: () => '' };
  let db: Db | null = null;
  let supervision: Supervision | null = null;
  let isDead = false;
  let refusedSince: MonoMs | null = null;

  function end(why: string): void {
    if (isDead) return;
    isDead = true;
    if (supervision && supervision.db !== db) supervision.db.close();
    db?.close();
    parts.ended(pid, why);
  }

  /** Restores a store that was lost while no supervisor lived. Null: it could not, and has ended. */
  function open(): Db | null {
    const opened = openDeskStore(files, time.wall(), options);
    if (opened.ok) return opened.db;
    end(`${opened.code}: ${opened.detail}`);
    return null;
  }

  function keeperOf(opened: Db): StoreKeeper {
    const { path, backups, sight } = place;
    const keeper = createStoreKeeper({ path, backups, keepDays: parts.keepDays, db: opened, options, holder, wall: time.wall, sight });
    return {
      ...keeper,
      restore(why) {
        place.touch();
        const restored = keeper.restore(why);
        if (restored.ok) parts.storeStands();
        return restored;
      },
    };
  }

  function withoutRecord(opened: Db, { code, detail }: Refusal): Lease | null {
    if (code === 'LEASE_HELD') end(`refused: ${detail}`);
    refusedSince ??= time.mono();
    if (isDead) return null;
    const waitedMs = time.mono() - refusedSince;
    return leaseWithoutRecord(opened, { me: holder, now: time.wall(), waitedMs, code, isGone: processes.isGone });
  }

  function isOnRecord(opened: Db): boolean {
    const row = attempt(() => ({ ok: true as const, holder: readLease(opened, 'supervisor')?.holder ?? null }));
    return row.ok && row.holder !== null && !processes.isGone(row.holder);
  }

  function begin(): void {
    const opened = db ?? open();
    if (opened === null) return;
    db = opened;
    if (parts.isSupervised() && !isOnRecord(opened)) {
      end('refused: another supervisor is at work');
      return;
    }
    const taken = acquireLease(opened, { name: 'supervisor', ...holder, now: time.wall() }, processes.isGone);
    const lease = taken.ok ? taken.lease : withoutRecord(opened, taken);
    if (lease === null) return;
    parts.storeStands();
    supervision = createSupervision({
      policy: parts.policy,
      db: opened,
      lease,
      ...(taken.ok ? {} : { unrecorded: holder }),
      onReplaced: end,
      machine: time,
      processes,
      keeper: keeperOf(opened),
      log: parts.log,
      say: parts.say,
      showStatus: () => undefined,
      onEnd: () => end('everything is stopped'),
    });
    supervision.start();
  }

  return {
    pid,
    isStopped: false,
    get isDead() {
      return isDead;
    },
    get supervision() {
      return supervision;
    },
    turn() {
      if (isDead || this.isStopped) return;
      this.inside(() => {
        if (supervision === null) begin();
        else supervision.turn();
      });
    },
    inside(work) {
      try {
        work();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        end(error.message);
      }
    },
    kill: end,
  };
}
