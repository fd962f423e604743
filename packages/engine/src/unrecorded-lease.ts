import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { Db } from '@holdfast/store/db';
import { type Lease, type LeaseHolder, readLease, recordLease, unusedLeaseId } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import type { MachineTime } from './clock.js';
import type { Log } from './log.js';

/** Somebody's lock is waited for so long before a supervisor begins without its lease on record; a full disk is not waited for. */
export const LOCK_PATIENCE_MS = 250;
const RECORD_EVERY_MS = 1_000;

export interface UnrecordedRequest {
  readonly me: LeaseHolder;
  readonly now: EpochMs;
  /** How long the store has refused the write. */
  readonly waitedMs: number;
  /** Why: the store's own code. */
  readonly code: string;
  readonly isGone: (holder: LeaseHolder) => boolean;
}

/**
 * The lease of a supervisor whose store takes no write: a full disk or a stranger's lock must not leave the desk without an exit manager (A4, A13; decision
 * 17). Null where it has to go on waiting: the store cannot be read, or the row names a holder that is not gone for certain. That holder's own
 * heartbeat is for the caller to judge. Commands are taken, and events written, once the lease is on record.
 */
export function leaseWithoutRecord(db: Db, { me, now, waitedMs, code, isGone }: UnrecordedRequest): Lease | null {
  if (code !== 'STORE_FULL' && code !== 'STORE_READONLY' && !(code === 'STORE_BUSY' && waitedMs >= LOCK_PATIENCE_MS)) return null;
  const lease = attempt(() => {
    const holder = readLease(db, 'supervisor')?.holder ?? null;
    const isFree = holder === null || holder.pid === me.pid || isGone(holder);
    return { ok: true as const, leaseId: isFree ? unusedLeaseId(db, now) : null };
  });
  return lease.ok && lease.leaseId !== null ? { name: 'supervisor', leaseId: lease.leaseId } : null;
}

export interface LeaseRecordParts {
  /** Where the store took no write when this supervisor began: who it is, to be put on record as soon as that can be. */
  readonly unrecorded?: LeaseHolder;
  readonly machine: MachineTime;
  readonly processes: { isGone(holder: LeaseHolder): boolean };
  readonly log: Log;
  /** Another supervisor took the lease before this one's was on record: it has the workers, and this one must end alone. */
  readonly onReplaced: (why: string) => void;
}

/** Puts such a lease on record as soon as the store takes a write. */
export function createLeaseRecord({ unrecorded, machine, processes, log, onReplaced }: LeaseRecordParts) {
  let holder = unrecorded ?? null;
  let triedAt: MonoMs | null = null;
  return {
    /** Asked at every turn. False: another supervisor has taken over, and was told of. */
    keep(db: Db, lease: Lease): boolean {
      const now = machine.mono();
      if (holder === null || (triedAt !== null && now - triedAt < RECORD_EVERY_MS)) return true;
      triedAt = now;
      const put = recordLease(db, { lease, holder, now: machine.wall() }, processes.isGone);
      if (put.ok) {
        holder = null;
        log('info', 'lease-recorded', { leaseId: lease.leaseId });
      } else if (put.code === 'LEASE_LOST') {
        onReplaced(put.detail);
        return false;
      }
      return true;
    },
    /** A restored store has a lease of its own. */
    forget(): void {
      holder = null;
    },
  };
}
