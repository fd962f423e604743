import type { SupervisionPolicy } from '@holdfast/core/supervision/policy';
import type { Log } from '@holdfast/engine/log';
import { createSupervision, type ProcessPort, type Supervision } from '@holdfast/engine/supervise';
import { type Db, openStore, type StoreOptions } from '@holdfast/store/db';
import { acquireLease, type LeaseHolder } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import { Crash } from './crash.js';
import type { WorldTime } from './time.js';

export interface SupervisorProcessParts {
  readonly pid: number;
  readonly time: WorldTime;
  readonly storePath: string;
  readonly policy: SupervisionPolicy;
  readonly processes: ProcessPort;
  readonly log: Log;
  readonly open?: (path: string, options: StoreOptions) => Db;
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
  const { pid, time, processes } = parts;
  const holder: LeaseHolder = { pid, processStartedAt: String(pid), bootId: processes.bootId };
  const open = parts.open ?? openStore;
  let db: Db | null = null;
  let supervision: Supervision | null = null;
  let isDead = false;

  function end(why: string): void {
    if (isDead) return;
    isDead = true;
    db?.close();
    parts.ended(pid, why);
  }

  function begin(): void {
    const opened = db ?? attempt(() => open(parts.storePath, { busyTimeoutMs: 0, synchronous: 'OFF', mustExist: true }));
    if ('ok' in opened) {
      end(opened.detail);
      return;
    }
    db = opened;
    const taken = acquireLease(opened, { name: 'supervisor', ...holder, now: time.wall() }, processes.isGone);
    if (!taken.ok) {
      if (taken.code === 'LEASE_HELD') end(`refused: ${taken.detail}`);
      return;
    }
    supervision = createSupervision({
      policy: parts.policy,
      db: opened,
      lease: taken.lease,
      machine: time,
      processes,
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
