import type { WorkerName } from '@holdfast/core/orders/order';
import { type EpochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import { type Binding, readBinding } from '@holdfast/store/binding';
import { commitStep } from '@holdfast/store/commit';
import { type Db, openStore, type StoreOptions, type Synchronous } from '@holdfast/store/db';
import { acquireLease, type Lease, type LeaseHolder } from '@holdfast/store/leases';
import { requireMigrated } from '@holdfast/store/migrate';
import { attempt, type Refusal } from '@holdfast/store/refusal';
import type { EmergencyFile } from './emergency-file.js';
import { EXIT_CODE, type ExitCode } from './exit-codes.js';
import type { Log } from './log.js';

/** What a process has in hand before it talks to the gateway. */
export interface Booted {
  readonly ok: true;
  readonly db: Db;
  readonly lease: Lease;
  /** The mode and account the store is bound to; null on the very first start. */
  readonly binding: Binding | null;
}

export interface NotBooted {
  readonly ok: false;
  readonly exitCode: ExitCode;
  readonly detail: string;
}

export interface BootParts {
  readonly name: WorkerName;
  readonly storePath: string;
  /** How long a commit waits for another process's transaction: 50 ms in the exit manager, whose sales must not wait (DESIGN §3). */
  readonly busyTimeoutMs: number;
  /** What every commit gets that does not ask for another: NORMAL unless said otherwise, OFF in the simulation. */
  readonly synchronous?: Synchronous;
  /** Stands in for `openStore` where a simulation lets calls fail. */
  readonly open?: (path: string, options: StoreOptions) => Db;
  readonly holder: LeaseHolder;
  readonly isGone: (holder: LeaseHolder) => boolean;
  readonly emergency: EmergencyFile | null;
  readonly log: Log;
  readonly mono: () => MonoMs;
  readonly wall: () => EpochMs;
}

/** A start in steps, for whoever owns the time: no call waits for anything longer than `busyTimeoutMs`. */
export interface Boot {
  /**
   * Goes as far as the store lets it. `waiting`: somebody else holds the store's lock, call again after `ASK_AGAIN_MS` of machine time;
   * `LOCKED_MS_MAX` after the first step that becomes a no. Asked again after its last word, it repeats that.
   */
  step(): Booted | NotBooted | 'waiting';
  /** The process dies in the middle of its start: its connection to the store ends with it, the lease stays as a killed process leaves it. */
  abandon(): void;
}

/** A store that is locked at the start is asked again for so long; then the process ends and the supervisor starts the next one. */
export const LOCKED_MS_MAX = 5_000;
export const ASK_AGAIN_MS = 25;

/**
 * Opens the store, takes the lease and, before anything else is read from it, merges what an earlier process could only keep in the
 * emergency file. Says in words what stands in the way, with the exit code the supervisor understands.
 */
export function createBoot(parts: BootParts): Boot {
  let db: Db | null = null;
  let lease: Lease | null = null;
  let isMerged = false;
  let until: MonoMs | null = null;
  let outcome: Booted | NotBooted | null = null;

  function advance(): Booted | Refusal {
    if (!db) {
      const opened = open(parts);
      if (!opened.ok) return opened;
      db = opened.db;
    }
    if (!lease) {
      const taken = acquireLease(db, { name: parts.name, ...parts.holder, now: parts.wall() }, parts.isGone);
      if (!taken.ok) return taken;
      lease = taken.lease;
    }
    if (!isMerged) {
      const merged = mergeEmergency(db, lease, parts);
      if (!merged.ok) return merged;
      isMerged = true;
    }
    const store = db;
    const bound = attempt(() => ({ ok: true as const, binding: readBinding(store) }));
    return bound.ok ? { ok: true, db, lease, binding: bound.binding } : bound;
  }

  function close(): void {
    db?.close();
    db = null;
  }

  return {
    step() {
      if (outcome) return outcome;
      until ??= monoMs(parts.mono() + LOCKED_MS_MAX);
      const result = advance();
      if (result.ok) {
        outcome = result;
        parts.log('info', 'lease-taken', { lease: result.lease.leaseId, pid: parts.holder.pid });
        return outcome;
      }
      if (result.code === 'STORE_BUSY' && parts.mono() < until) return 'waiting';
      close();
      outcome = notBooted(result);
      return outcome;
    },
    abandon() {
      if (!outcome?.ok) close();
    },
  };
}

/** The same with a sleep between the steps, for a process of its own. */
export async function boot(parts: BootParts & { readonly sleep: (ms: number) => Promise<void> }): Promise<Booted | NotBooted> {
  const start = createBoot(parts);
  for (;;) {
    const stepped = start.step();
    if (stepped !== 'waiting') return stepped;
    await parts.sleep(ASK_AGAIN_MS);
  }
}

type Result<T extends object> = ({ readonly ok: true } & T) | Refusal;

function open({ storePath, busyTimeoutMs, synchronous = 'NORMAL', open: openAs = openStore }: BootParts): Result<{ db: Db }> {
  return attempt(() => {
    const db = openAs(storePath, { busyTimeoutMs, synchronous, mustExist: true });
    const migrated = requireMigrated(db);
    if (migrated.ok) return { ok: true as const, db };
    db.close();
    return migrated;
  });
}

/** Intents in that file went out: they are facts by now. Every record has its own time, and may be merged twice. */
function mergeEmergency(db: Db, lease: Lease, { emergency, log }: BootParts): Result<object> {
  if (!emergency) return { ok: true };
  const { steps, torn } = emergency.read();
  for (const { at, tradeDate, writes } of steps) {
    const result = commitStep(db, { lease, writes, now: at, tradeDate, durable: true, replay: true });
    if (!result.ok) return result;
    for (const { write, code, detail } of result.refused) log('error', 'merge-refused', { what: write.do, code, detail });
  }
  const wiped = emergency.wipe();
  if (!wiped.ok) log('warn', 'emergency-file-not-wiped', { detail: wiped.detail });
  if (steps.length > 0 || torn > 0) log('warn', 'emergency-file-merged', { steps: steps.length, torn });
  return { ok: true };
}

const CODES: Readonly<Record<string, ExitCode>> = { LEASE_HELD: EXIT_CODE.leaseLost, LEASE_LOST: EXIT_CODE.leaseLost };

const notBooted = ({ code, detail }: Refusal): NotBooted => ({
  ok: false,
  exitCode: CODES[code] ?? EXIT_CODE.storeUnusable,
  detail: `${code}: ${detail}`,
});
