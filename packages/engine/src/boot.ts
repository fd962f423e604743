import type { WorkerName } from '@holdfast/core/orders/order';
import { type EpochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import { type Binding, readBinding } from '@holdfast/store/binding';
import { commitStep } from '@holdfast/store/commit';
import { type Db, openStore } from '@holdfast/store/db';
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
  readonly holder: LeaseHolder;
  readonly isGone: (holder: LeaseHolder) => boolean;
  readonly emergency: EmergencyFile | null;
  readonly log: Log;
  readonly mono: () => MonoMs;
  readonly wall: () => EpochMs;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A store that is locked at the start is asked again for so long; then the process ends and the supervisor starts the next one. */
const LOCKED_MS_MAX = 5_000;
const ASK_AGAIN_MS = 25;

/**
 * Opens the store, takes the lease and, before anything else is read from it, merges what an earlier process could only keep in the
 * emergency file. Says in words what stands in the way, with the exit code the supervisor understands.
 */
export async function boot(parts: BootParts): Promise<Booted | NotBooted> {
  const until = monoMs(parts.mono() + LOCKED_MS_MAX);
  const opened = await whileLocked(parts, until, () => open(parts));
  if (!opened.ok) return notBooted(opened);
  const { db } = opened;
  const taken = await whileLocked(parts, until, () =>
    acquireLease(db, { name: parts.name, ...parts.holder, now: parts.wall() }, parts.isGone),
  );
  if (!taken.ok) return notBooted(taken);
  const { lease } = taken;
  const merged = await whileLocked(parts, until, () => mergeEmergency(db, lease, parts));
  if (!merged.ok) return notBooted(merged);
  const bound = attempt(() => ({ ok: true as const, binding: readBinding(db) }));
  if (!bound.ok) return notBooted(bound);
  parts.log('info', 'lease-taken', { lease: lease.leaseId, pid: parts.holder.pid });
  return { ok: true, db, lease, binding: bound.binding };
}

type Result<T extends object> = ({ readonly ok: true } & T) | Refusal;

async function whileLocked<T extends object>(parts: BootParts, until: MonoMs, work: () => Result<T>): Promise<Result<T>> {
  for (;;) {
    const result = work();
    if (result.ok || result.code !== 'STORE_BUSY' || parts.mono() >= until) return result;
    await parts.sleep(ASK_AGAIN_MS);
  }
}

function open({ storePath, busyTimeoutMs }: BootParts): Result<{ db: Db }> {
  return attempt(() => {
    const db = openStore(storePath, { busyTimeoutMs, synchronous: 'NORMAL', mustExist: true });
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
