import { tradeDateOf } from '@holdfast/core/calendar';
import type { Alert, Write } from '@holdfast/core/effects';
import type { Clock } from '@holdfast/core/ports';
import type { MonoMs } from '@holdfast/core/units';
import { commitStep, type RefusedWrite } from '@holdfast/store/commit';
import type { Db } from '@holdfast/store/db';
import { holdsLease, type Lease } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import type { Unwritten } from './boot.js';
import type { EmergencyFile, PendingStep } from './emergency-file.js';
import type { Log } from './log.js';

/** What became of one step's writes. `refused`: exit intents the store would not take, by orderRef; the rest of the step was written. */
export type Booked =
  | { readonly kind: 'committed' | 'kept'; readonly refused: RefusedIntents }
  /** The store does not answer, and this worker may not act without it: nothing was written, try the whole step again. */
  | { readonly kind: 'held'; readonly code: string; readonly detail: string }
  | { readonly kind: 'lease-lost'; readonly detail: string };

export interface Books {
  /**
   * All writes of one step in one immediate transaction with the lease check. `durable`: must survive a power cut before this returns.
   * A step of nothing but records (`isRecord`) costs no commit of its own: it goes with the next one, `RECORDS_WAIT_MS` later at the latest.
   */
  commit(writes: readonly Write[], durable: boolean): Booked;
  /** Makes what `commit` wrote at NORMAL survive a power cut, after the send it would have delayed. */
  makeDurable(): void;
  /**
   * Writes the records whose time has come, and merges what was kept when the store answers again. `isLast`: at a clean end no record waits
   * any longer. Cheap to call at every beat. Tells when the lease turns out to be lost.
   */
  settle(how?: { readonly isLast: boolean }): { readonly kind: 'lease-lost'; readonly detail: string } | null;
  /** Writes an alert of the engine's own, with the next beat. */
  alert(alert: Alert): void;
  /** The store is no more: from now on everything is kept, and `known` first, for whichever store a successor finds. The exit manager's alone. */
  detach(why: string, known: readonly Write[]): void;
  readonly isDetached: boolean;
  /** Why the store's content is no good, once it said so itself. */
  readonly damage: string | null;
  /** True when the store says so. One that cannot be read says nothing: protection outranks bookkeeping. */
  isLeaseLost(): boolean;
  readonly backlog: number;
  readonly lastCommitAt: MonoMs | null;
}

export interface BooksParts {
  readonly db: Db;
  readonly lease: Lease;
  readonly clock: Clock;
  /** Given to the exit manager alone: protection outranks bookkeeping. The day trader never trades without a commit. */
  readonly emergency: EmergencyFile | null;
  /** A start without a write to the store: the lease and what an earlier process kept are put on record first of all. */
  readonly unwritten?: Unwritten | null;
  readonly log: Log;
}

/** How often a store that did not answer is asked again. Asking costs no wait: it is done with a busy timeout of 0. */
const ASK_AGAIN_MS = 100;

/** Machine time. A kill in between leaves them in the journal alone. */
const RECORDS_WAIT_MS = 5_000;
/** So many steps of records wait for a store that takes no commit; then they count as any other step. */
const RECORDS_MAX = 1_000;

/** Read by people, later: nobody acts on it, and the journal has it too. */
const isRecord = (write: Write): boolean =>
  write.do === 'write-equity' ||
  (write.do === 'write-decision' && (write.decision.verdict === 'hold' || write.decision.verdict === 'reject'));

type RefusedIntents = ReadonlyMap<string, { readonly code: string; readonly detail: string }>;
const NOTHING_REFUSED: RefusedIntents = new Map();

/** The worker's hand in the store: commits, and keeps what cannot be committed now in order, in memory and in the emergency file. */
export function createBooks({ db, lease, clock, emergency, log, ...parts }: BooksParts): Books {
  const backlog: PendingStep[] = [...(parts.unwritten?.steps ?? [])];
  const alerts: Write[] = [];
  /** Steps of nothing but records, oldest first, and since when the first of them waits. */
  const records: PendingStep[] = [];
  let recordsSince: MonoMs | null = null;
  /** Null once the lease is on record. */
  let unwritten = parts.unwritten ?? null;
  if (unwritten) alerts.push({ do: 'write-alert', alert: storeAlert(unwritten.why) });
  let detached: string | null = null;
  let damage: string | null = null;
  /** A phase told through the emergency file is nobody's: the newest is told anew when the store answers. */
  let phaseKept: Write | null = null;
  let askedAt: MonoMs | null = null;
  let lastCommitAt: MonoMs | null = null;

  const stepOf = (writes: readonly Write[]): PendingStep => {
    const at = clock.exchange();
    return { at, tradeDate: tradeDateOf(at), writes };
  };

  function tryCommit({ at, tradeDate, writes }: PendingStep, how: { durable: boolean; replay?: boolean }) {
    const earlier = how.replay ? [] : records;
    const result = commitStep(db, { lease, writes, now: at, tradeDate, earlier, ...how });
    if (result.ok && !how.replay) records.length = 0;
    if (result.ok) lastCommitAt = clock.mono();
    else if (result.code === 'STORE_CORRUPT') damage = `${result.code}: ${result.detail}`;
    return result;
  }

  function keep(file: EmergencyFile, step: PendingStep, why: string): Booked {
    phaseKept = step.writes.findLast(write => write.do === 'write-phase') ?? phaseKept;
    if (backlog.length === 0 && !unwritten) {
      log('error', 'store-not-answering', { why, backlog: 1 });
      alerts.push({ do: 'write-alert', alert: storeAlert(why) });
    }
    backlog.push(step);
    const appended = file.append(step);
    // Memory and the orderRef at the broker are the record now; the sends go out all the same.
    if (!appended.ok) log('error', 'emergency-file-failed', { detail: appended.detail, backlog: backlog.length, alert: 'critical' });
    return { kind: 'kept', refused: NOTHING_REFUSED };
  }

  function commit(writes: readonly Write[], durable: boolean): Booked {
    if (writes.length === 0) return { kind: 'committed', refused: NOTHING_REFUSED };
    const step = stepOf(writes);
    if (emergency && detached !== null) return keep(emergency, step, detached);
    if (emergency && unwritten) return keep(emergency, step, 'the lease is not on record yet');
    if (emergency && backlog.length > 0) return keep(emergency, step, 'earlier steps still wait');
    if (writes.every(isRecord) && records.length < RECORDS_MAX) {
      if (records.length === 0) recordsSince = clock.mono();
      records.push(step);
      return { kind: 'committed', refused: NOTHING_REFUSED };
    }
    return put(step, durable);
  }

  function put(step: PendingStep, durable: boolean): Booked {
    const result = tryCommit(step, { durable });
    if (result.ok) return { kind: 'committed', refused: refusedIntents(result.refused) };
    if (result.code === 'LEASE_LOST') return { kind: 'lease-lost', detail: result.detail };
    if (!result.code.startsWith('STORE_'))
      throw new Error(`the store refused a step for a reason the engine does not know: ${result.code}`);
    const { code, detail } = result;
    if (!emergency) return { kind: 'held', code, detail };
    for (const record of records.splice(0)) keep(emergency, record, `${code}: ${detail}`);
    return step.writes.length === 0 ? { kind: 'kept', refused: NOTHING_REFUSED } : keep(emergency, step, `${code}: ${detail}`);
  }

  /** The store has alerted about every one of them; only an order must be kept from leaving. */
  function refusedIntents(refused: readonly RefusedWrite[]): RefusedIntents {
    if (refused.length === 0) return NOTHING_REFUSED;
    const intents = new Map<string, { code: string; detail: string }>();
    for (const { write, code, detail } of refused) {
      log('error', 'write-refused', { what: write.do, code, detail });
      // A word that raises a working exit beyond the holding stands in the store; the change itself may not leave.
      if (write.do === 'write-intent' || write.do === 'write-order') intents.set(write.order.orderRef, { code, detail });
    }
    return intents;
  }

  function record(): { kind: 'lease-lost'; detail: string } | null {
    if (!unwritten) return null;
    const recorded = unwritten.record();
    if (recorded.ok) {
      unwritten = null;
      log('info', 'lease-taken', { lease: lease.leaseId });
    } else if (recorded.code === 'LEASE_LOST') return { kind: 'lease-lost', detail: recorded.detail };
    return null;
  }

  function mergeBacklog(file: EmergencyFile): { kind: 'lease-lost'; detail: string } | null {
    const lost = record();
    if (lost || unwritten) return lost;
    const kept = backlog.length;
    while (backlog[0]) {
      const result = tryCommit(backlog[0], { durable: true, replay: true });
      if (!result.ok && result.code === 'LEASE_LOST') return { kind: 'lease-lost', detail: result.detail };
      if (!result.ok && result.code.startsWith('STORE_')) return null;
      if (!result.ok) throw new Error(`a kept step cannot be merged: ${result.code} ${result.detail}`);
      backlog.shift();
    }
    const wiped = file.wipe();
    if (!wiped.ok) log('warn', 'emergency-file-not-wiped', { detail: wiped.detail }); // merged twice at the next start: harmless
    log('warn', 'store-answers-again', { merged: kept });
    if (phaseKept) alerts.push(phaseKept);
    phaseKept = null;
    return null;
  }

  function settle({ isLast = false } = {}): { kind: 'lease-lost'; detail: string } | null {
    if (detached !== null) return null;
    if (emergency && (backlog.length > 0 || unwritten)) {
      if (isLast) return null; // what is kept is the next process's
      const now = clock.mono();
      if (askedAt !== null && now - askedAt < ASK_AGAIN_MS) return null;
      askedAt = now;
      const lost = attempt(() => withoutWaiting(db, () => mergeBacklog(emergency)));
      // A disk that fails a question about the connection itself is asked again like any other.
      if (lost !== null && 'ok' in lost) return null;
      if (lost || backlog.length > 0 || unwritten) return lost;
    }
    const areRecordsDue = records.length > 0 && (isLast || recordsSince === null || clock.mono() - recordsSince >= RECORDS_WAIT_MS);
    if (alerts.length === 0 && !areRecordsDue) return null;
    // Refused now, they are tried again as long after.
    recordsSince = clock.mono();
    // What the commit itself gives cause to is told with the next one.
    const told = alerts.splice(0);
    const booked = told.length === 0 ? put(stepOf([]), false) : commit(told, false);
    if (booked.kind === 'held') alerts.unshift(...told);
    if (booked.kind === 'lease-lost') return booked;
    return null;
  }

  return {
    commit,
    settle,
    detach(why, known) {
      if (!emergency || detached !== null) return;
      detached = why;
      for (const record of records.splice(0)) keep(emergency, record, why);
      keep(emergency, stepOf([...known, ...alerts.splice(0)]), why);
    },
    get isDetached() {
      return detached !== null;
    },
    get damage() {
      return damage;
    },
    isLeaseLost: () => unwritten === null && detached === null && attempt(() => holdsLease(db, lease)) === false,
    makeDurable() {
      if (backlog.length > 0 || unwritten || detached !== null) return;
      const done = db.makeDurable();
      if (!done.ok) log('error', 'not-durable', { code: done.code, detail: done.detail });
    },
    alert: alert => {
      alerts.push({ do: 'write-alert', alert });
    },
    get backlog() {
      return backlog.length;
    },
    get lastCommitAt() {
      return lastCommitAt;
    },
  };
}

/** Runs work that must not wait for a lock: while the store is held by somebody, the loop asks ten times a second and has prices to watch. */
function withoutWaiting<T>(db: Db, work: () => T): T {
  db.pragma('busy_timeout = 0');
  try {
    return work();
  } finally {
    db.pragma(`busy_timeout = ${db.busyTimeoutMs}`);
  }
}

const storeAlert = (why: string): Alert => ({
  level: 'critical',
  code: 'STORE_NOT_ANSWERING',
  symbol: null,
  happened: `The store did not take a commit (${why}).`,
  did: 'Protection goes on: what would have been written is kept in the emergency file and merged when the store answers.',
  todo: 'See who holds the database (an open transaction in a SQL tool?) and whether the disk is full.',
});
