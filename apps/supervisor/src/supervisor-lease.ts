import { type EpochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import { HEARTBEAT_EVERY_MS, type Heartbeat, holderOf } from '@holdfast/engine/heartbeat';
import { leaseWithoutRecord } from '@holdfast/engine/unrecorded-lease';
import type { Db } from '@holdfast/store/db';
import { acquireLease, type Lease, type LeaseHolder, readLease } from '@holdfast/store/leases';
import { attempt, type Refusal, refuse } from '@holdfast/store/refusal';

/** What taking the lease needs of the machine. */
export interface LeaseMachine {
  readonly me: LeaseHolder;
  mono(): MonoMs;
  wall(): EpochMs;
  sleep(ms: number): Promise<void>;
  isGone(holder: LeaseHolder): boolean;
  kill(pid: number): void;
  /** The heartbeat of whatever supervisor runs. */
  heartbeat(): Heartbeat | null;
}

const LOOK_EVERY_MS = 50;

/**
 * Takes the supervisor's lease: at once when it is free or its holder is dead. A living holder whose heartbeat moves is a supervisor at work:
 * ALREADY_SUPERVISED, naming it. One that stands still for `stillMsMax` is hung: killed, and its place taken when it is gone.
 * A store that is locked or takes no write does not leave the desk without an exit manager: the supervisor begins with a lease that is put on record
 * later. One that cannot be read is tried again for as long as a hung holder is waited for.
 */
export async function takeSupervisorLease(
  db: Db,
  machine: LeaseMachine,
  stillMsMax: number,
): Promise<{ readonly ok: true; readonly lease: Lease; readonly isOnRecord: boolean } | Refusal> {
  const rival = await rivalAtWork(machine);
  if (rival !== null) return alreadySupervised(rival);
  const since = machine.mono();
  let seenPid: number | null = null;
  let seenCounter: number | null = null;
  let stillSince = since;
  for (;;) {
    const taken = acquireLease(db, { name: 'supervisor', ...machine.me, now: machine.wall() }, machine.isGone);
    if (taken.ok) return { ok: true, lease: taken.lease, isOnRecord: true };
    const waitedMs = machine.mono() - since;
    const row = attempt(() => readLease(db, 'supervisor'));
    const holder = row === null || 'ok' in row ? null : row.holder;
    // One that is gone is not waited for: then it is the store that says no (a full disk), and that pid may be somebody else's by now.
    if (holder === null || machine.isGone(holder)) {
      const { me, isGone } = machine;
      const unrecorded = leaseWithoutRecord(db, { me, now: machine.wall(), code: taken.code, waitedMs, isGone });
      if (unrecorded !== null) return { ok: true, lease: unrecorded, isOnRecord: false };
      if (taken.code !== 'LEASE_HELD' && waitedMs > stillMsMax) return taken;
    } else {
      const beat = machine.heartbeat();
      const counter = beat?.pid === holder.pid ? beat.counter : null;
      if (seenPid === holder.pid && seenCounter !== counter) return alreadySupervised(holder);
      if (seenPid !== holder.pid) stillSince = machine.mono();
      seenPid = holder.pid;
      seenCounter = counter;
      if (machine.mono() - stillSince > stillMsMax) {
        machine.kill(holder.pid);
        stillSince = monoMs(machine.mono() - stillMsMax + 1_000);
      }
    }
    await machine.sleep(LOOK_EVERY_MS);
  }
}

/** A supervisor that could not put its lease on record stands in no row: its heartbeat moves. One that is hung is found by its row, or not at all. */
async function rivalAtWork(machine: LeaseMachine): Promise<LeaseHolder | null> {
  const before = machine.heartbeat();
  const rival = holderOf(before);
  if (rival === null || rival.pid === machine.me.pid || machine.isGone(rival)) return null;
  await machine.sleep(HEARTBEAT_EVERY_MS * 2);
  const after = machine.heartbeat();
  return after?.pid === rival.pid && after.counter !== before?.counter ? rival : null;
}

const alreadySupervised = (holder: LeaseHolder): Refusal =>
  refuse(
    'ALREADY_SUPERVISED',
    `A supervisor is at work already: process ${holder.pid}. This one ends without touching anything. ` +
      `Look with \`./holdfast status\`; to replace it, end it with \`kill -TERM ${holder.pid}\` (the workers go on and are adopted). \`./holdfast stop\` ends all.`,
  );
