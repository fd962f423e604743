import type { WorkerPhase } from '@holdfast/core/shared-view';
import type { EpochMs } from '@holdfast/core/units';
import { timeColumn, timeOf } from './columns.js';
import type { Db } from './db.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import type { LeaseName, WorkerLeasesTable } from './schema.js';
import { q, statement } from './statement.js';

/** The right to act under a worker's name. The number is new and higher with every acquisition, whoever takes which name. */
export interface Lease {
  readonly name: LeaseName;
  readonly leaseId: number;
}

/** A process, told apart from a later one with the same pid: start time and boot id as the operating system tells them. */
export interface LeaseHolder {
  readonly pid: number;
  readonly processStartedAt: string;
  readonly bootId: string;
}

/** A row of `worker_leases`. No holder: the lease is free; the last number, phase and detail stay for the record. */
export interface LeaseRow extends Lease {
  readonly holder: LeaseHolder | null;
  readonly acquiredAt: EpochMs;
  readonly phase: WorkerPhase;
  readonly detail: string;
}

export interface LeaseRequest extends LeaseHolder {
  readonly name: LeaseName;
  readonly now: EpochMs;
  /** The new number is at least this: a store restored from a backup may have forgotten numbers that live on in order references. */
  readonly leaseIdMin?: number;
}

export type LeaseResult = { readonly ok: true; readonly lease: Lease; readonly previous: LeaseRow | null } | Refusal;

const leaseByName = statement((p: { name: LeaseName }) => q.selectFrom('worker_leases').selectAll().where('name', '=', p.name).limit(1));
const everyLease = q.selectFrom('worker_leases').selectAll().orderBy('name');
const highestNumber = q.selectFrom('worker_leases').select(eb => eb.fn.max('lease_id').as('highest'));
const putLease = statement((p: WorkerLeasesTable) =>
  q
    .insertInto('worker_leases')
    .values(p)
    .onConflict(c => c.column('name').doUpdateSet(p)),
);
const heldLease = statement((p: { name: LeaseName; lease_id: number }) =>
  q
    .selectFrom('worker_leases')
    .select('lease_id')
    .where('name', '=', p.name)
    .where('lease_id', '=', p.lease_id)
    .where('pid', 'is not', null)
    .limit(1),
);
const freeLease = statement((p: { name: LeaseName; lease_id: number; detail: string }) =>
  q
    .updateTable('worker_leases')
    .set({ pid: null, process_started_at: null, boot_id: null, phase: 'STOPPING', detail: p.detail })
    .where('name', '=', p.name)
    .where('lease_id', '=', p.lease_id),
);
const updatePhase = statement((p: { name: LeaseName; lease_id: number; phase: WorkerPhase; detail: string }) =>
  q
    .updateTable('worker_leases')
    .set({ phase: p.phase, detail: p.detail })
    .where('name', '=', p.name)
    .where('lease_id', '=', p.lease_id)
    .where('pid', 'is not', null),
);

/**
 * Takes a lease in one immediate transaction: free, or its holder is gone for good. `holderIsGone` must be sure, for instance after SIGKILL
 * and a look at the process table: a process that is merely stopped could still send. It is called inside the transaction: quick, please.
 * Refuses with LEASE_HELD and the holder's name. The same process asking again gets a new number; its old one is void.
 */
export function acquireLease(db: Db, request: LeaseRequest, holderIsGone: (holder: LeaseHolder) => boolean): LeaseResult {
  const { name, pid, processStartedAt, bootId, now, leaseIdMin = 1 } = request;
  return attempt(() =>
    db.immediate(() => {
      const previous = readLease(db, name);
      const holder = previous?.holder;
      if (holder && !isSame(holder, request) && !holderIsGone(holder))
        return refuse('LEASE_HELD', `${name} is held by process ${holder.pid} (lease ${previous.leaseId}, ${previous.phase})`);
      const leaseId = Math.max((db.first(highestNumber)?.highest ?? 0) + 1, leaseIdMin);
      db.run(putLease, {
        name,
        lease_id: leaseId,
        pid,
        process_started_at: processStartedAt,
        boot_id: bootId,
        acquired_at: timeColumn(now),
        phase: 'STARTING',
        detail: '',
      });
      return { ok: true as const, lease: { name, leaseId }, previous };
    }),
  );
}

/** A number that was certainly never used: above every one on record and, whatever record was lost, above those of earlier clocks. */
export function unusedLeaseId(db: Db, now: EpochMs): number {
  return Math.max((db.first(highestNumber)?.highest ?? 0) + 1, Math.floor(now / 100));
}

/**
 * Puts a lease on record that its holder had to begin with while the store took no write (engine/boot.ts). Refuses with LEASE_LOST when it
 * has passed to somebody else meanwhile: a living holder, or a number that is higher.
 */
export function recordLease(
  db: Db,
  { lease, holder, now }: { readonly lease: Lease; readonly holder: LeaseHolder; readonly now: EpochMs },
  holderIsGone: (holder: LeaseHolder) => boolean,
): { readonly ok: true } | Refusal {
  return attempt(() =>
    db.immediate(() => {
      const present = readLease(db, lease.name);
      const isOthers = present?.holder != null && !isSame(present.holder, holder) && !holderIsGone(present.holder);
      if (present !== null && (isOthers || present.leaseId > lease.leaseId)) return refuseLostLease(lease);
      db.run(putLease, {
        name: lease.name,
        lease_id: lease.leaseId,
        pid: holder.pid,
        process_started_at: holder.processStartedAt,
        boot_id: holder.bootId,
        acquired_at: timeColumn(now),
        phase: 'STARTING',
        detail: '',
      });
      return { ok: true as const };
    }),
  );
}

/** Whether this very acquisition still stands. Asked inside the transaction of whatever it permits. */
export const holdsLease = (db: Db, { name, leaseId }: Lease): boolean => db.first(heldLease, { name, lease_id: leaseId }) !== undefined;

export const refuseLostLease = ({ name, leaseId }: Lease): Refusal =>
  refuse('LEASE_LOST', `lease ${leaseId} of ${name} has passed to another process: send nothing more`);

/**
 * Gives a lease back, or takes it from a holder that is proven dead (the supervisor, once it has seen the exit). Does nothing when the
 * lease has passed on meanwhile.
 */
export function releaseLease(db: Db, lease: Lease, detail = 'released'): { readonly ok: true } | Refusal {
  return attempt(() => {
    db.immediate(() => db.run(freeLease, { name: lease.name, lease_id: lease.leaseId, detail }));
    return { ok: true as const };
  });
}

/** How far the worker is, for the others: entries need an exit manager that is READY. Refused when the lease is lost. */
export function setPhase(db: Db, lease: Lease, { phase, detail }: { phase: WorkerPhase; detail: string }): { readonly ok: true } | Refusal {
  return attempt(() => {
    const { changes } = db.immediate(() => writePhase(db, lease, { phase, detail }));
    return changes === 1 ? { ok: true as const } : refuseLostLease(lease);
  });
}

/** The same inside somebody's transaction. */
export const writePhase = (db: Db, { name, leaseId }: Lease, { phase, detail }: { phase: WorkerPhase; detail: string }) =>
  db.run(updatePhase, { name, lease_id: leaseId, phase, detail });

export function readLease(db: Db, name: LeaseName): LeaseRow | null {
  const row = db.first(leaseByName, { name });
  return row ? leaseOf(row) : null;
}

export const readLeases = (db: Db): readonly LeaseRow[] => db.all(everyLease).map(leaseOf);

const isSame = (a: LeaseHolder, b: LeaseHolder): boolean =>
  a.pid === b.pid && a.processStartedAt === b.processStartedAt && a.bootId === b.bootId;

function leaseOf(row: WorkerLeasesTable): LeaseRow {
  const { pid, process_started_at: processStartedAt, boot_id: bootId } = row;
  return {
    name: row.name,
    leaseId: row.lease_id,
    holder: pid === null || processStartedAt === null || bootId === null ? null : { pid, processStartedAt, bootId },
    acquiredAt: timeOf(row.acquired_at),
    phase: row.phase,
    detail: row.detail,
  };
}
