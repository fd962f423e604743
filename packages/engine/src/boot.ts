import type { WorkerName } from '@holdfast/core/orders/order';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import { type Binding, readBinding } from '@holdfast/store/binding';
import { commitStep } from '@holdfast/store/commit';
import { type Db, openStore, type StoreOptions, type Synchronous } from '@holdfast/store/db';
import { acquireLease, type Lease, type LeaseHolder, readLease, recordLease, unusedLeaseId } from '@holdfast/store/leases';
import { requireMigrated } from '@holdfast/store/migrate';
import { attempt, type Refusal, refuse } from '@holdfast/store/refusal';
import type { EmergencyFile, PendingStep } from './emergency-file.js';
import { EXIT_CODE, type ExitCode } from './exit-codes.js';
import type { Log } from './log.js';

/** What a process has in hand before it talks to the gateway. */
export interface Booted {
  readonly ok: true;
  readonly db: Db;
  readonly lease: Lease;
  /** The mode and account the store is bound to; null on the very first start. */
  readonly binding: Binding | null;
  /** Null, as a rule: the lease is on record and the emergency file is merged. */
  readonly unwritten: Unwritten | null;
}

/** A start on the broker's lease alone: the store can be read and not written, so whatever belongs in it follows when that ends. */
export interface Unwritten {
  readonly why: string;
  /** What an earlier process could only keep, oldest first; still in the emergency file. */
  readonly steps: readonly PendingStep[];
  /** Puts the lease on record. LEASE_LOST: it has passed to another process meanwhile. */
  record(): { readonly ok: true } | Refusal;
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
  /** The exit manager's. With it a worker may begin without a write to the store; null: it may not. */
  readonly emergency: EmergencyFile | null;
  /** The last process of this name as its heartbeat file tells: one that began without a write stands in no table. */
  readonly lastBeat?: () => LastBeat | null;
  readonly log: Log;
  readonly mono: () => MonoMs;
  readonly wall: () => EpochMs;
}

export interface LastBeat {
  readonly holder: LeaseHolder;
  readonly leaseId: number;
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
/** Whoever may begin without a write waits no longer for one: our own transactions take milliseconds, this is a stranger. */
export const UNWRITTEN_AFTER_MS = 250;
export const ASK_AGAIN_MS = 25;

/**
 * Opens the store, takes the lease and, before anything else is read from it, merges what an earlier process could only keep in the
 * emergency file. Says in words what stands in the way, with the exit code the supervisor understands.
 *
 * Protection outranks bookkeeping: an exit manager whose store takes no write (a stranger's lock, a full disk) begins all the same, once its
 * predecessor is gone for certain. Its lease is then the broker's rule, one connection per client id (docs/decisions/0017).
 */
export function createBoot(parts: BootParts): Boot {
  let db: Db | null = null;
  let lease: Lease | null = null;
  let isMerged = false;
  let since: MonoMs | null = null;
  let outcome: Booted | NotBooted | null = null;

  function advance(): Booted | Refusal {
    if (!db) {
      const opened = open(parts);
      if (!opened.ok) return opened;
      db = opened.db;
    }
    if (!lease) {
      const leaseIdMin = (parts.lastBeat?.()?.leaseId ?? 0) + 1;
      const taken = acquireLease(db, { name: parts.name, ...parts.holder, now: parts.wall(), leaseIdMin }, parts.isGone);
      if (!taken.ok) return taken;
      lease = taken.lease;
    }
    if (!isMerged) {
      const merged = mergeEmergency(db, lease, parts);
      if (!merged.ok) return merged;
      isMerged = true;
    }
    return booted(db, lease, null);
  }

  /** Begins without a write, or says why not. The number is the clock's: nobody else's orders carry it, whatever is on record later. */
  function beginUnwritten(store: Db, emergency: EmergencyFile, { code, detail }: Refusal): Booted | Refusal {
    const other = attempt(() => livingOther(store));
    if (other !== null) return other;
    const known = lease;
    const number = attempt(() => ({
      ok: true as const,
      id: Math.max(unusedLeaseId(store, parts.wall()), (parts.lastBeat?.()?.leaseId ?? 0) + 1),
    }));
    if (!number.ok) return number;
    const own: Lease = known ?? { name: parts.name, leaseId: number.id };
    return booted(store, own, {
      why: `${code}: ${detail}`,
      steps: emergency.read().steps,
      record: () => (known ? { ok: true } : recordLease(store, { lease: own, holder: parts.holder, now: parts.wall() }, parts.isGone)),
    });
  }

  /** A predecessor that may still send, by the table or by its heartbeat. */
  function livingOther(store: Db): Refusal | null {
    const holders = [readLease(store, parts.name)?.holder ?? null, parts.lastBeat?.()?.holder ?? null];
    const living = holders.find(holder => holder !== null && holder.pid !== parts.holder.pid && !parts.isGone(holder));
    return living ? refuse('LEASE_HELD', `${parts.name} is process ${living.pid}, which lives`) : null;
  }

  function booted(store: Db, own: Lease, unwritten: Unwritten | null): Booted | Refusal {
    const bound = attempt(() => ({ ok: true as const, binding: readBinding(store) }));
    return bound.ok ? { ok: true, db: store, lease: own, binding: bound.binding, unwritten } : bound;
  }

  /** The store's last word for now. A lock is waited for: a little where one may begin without a write, else as long as a start may take. */
  function orUnwritten(refusal: Refusal, waitedMs: number): Booted | Refusal {
    const { emergency } = parts;
    if (!db || !emergency || !TAKES_NO_WRITE.has(refusal.code)) return refusal;
    if (refusal.code === 'STORE_BUSY' && waitedMs < UNWRITTEN_AFTER_MS) return refusal;
    return beginUnwritten(db, emergency, refusal);
  }

  function close(): void {
    db?.close();
    db = null;
  }

  return {
    step() {
      if (outcome) return outcome;
      since ??= parts.mono();
      const advanced = advance();
      const waitedMs = parts.mono() - since;
      const result = advanced.ok ? advanced : orUnwritten(advanced, waitedMs);
      if (result.ok) {
        outcome = result;
        const { lease: own, unwritten } = result;
        if (unwritten) parts.log('error', 'lease-not-written', { lease: own.leaseId, why: unwritten.why, kept: unwritten.steps.length });
        else parts.log('info', 'lease-taken', { lease: own.leaseId, pid: parts.holder.pid });
        return outcome;
      }
      if (result.code === 'STORE_BUSY' && waitedMs < LOCKED_MS_MAX) return 'waiting';
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

/** The store can be read and takes no write. A damaged one is no store: the supervisor restores it. */
const TAKES_NO_WRITE: ReadonlySet<string> = new Set(['STORE_BUSY', 'STORE_FULL', 'STORE_IO', 'STORE_READONLY']);

const CODES: Readonly<Record<string, ExitCode>> = {
  LEASE_HELD: EXIT_CODE.leaseLost,
  LEASE_LOST: EXIT_CODE.leaseLost,
  STORE_CORRUPT: EXIT_CODE.storeLost,
  STORE_CANNOT_OPEN: EXIT_CODE.storeLost,
};

const notBooted = ({ code, detail }: Refusal): NotBooted => ({
  ok: false,
  exitCode: CODES[code] ?? EXIT_CODE.storeUnusable,
  detail: `${code}: ${detail}`,
});
