import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Alert } from '@holdfast/core/effects';
import { type BackupReason, backupName, backupsToDrop, isDailyDue } from '@holdfast/core/supervision/backups';
import type { Restored } from '@holdfast/core/supervision/store-loss';
import type { EpochMs } from '@holdfast/core/units';
import { backupStore, quickProblem } from '@holdfast/store/backup';
import { type Db, openStore, type StoreOptions } from '@holdfast/store/db';
import { acquireLease, type Lease, type LeaseHolder } from '@holdfast/store/leases';
import { attempt, type Refusal, refuse } from '@holdfast/store/refusal';
import { type RestoreResult, restoreStore } from '@holdfast/store/restore';
import { createStoreSight, type StoreSight, type StoreTrouble, storeTrouble } from '@holdfast/store/store-file';

export interface StoreKeeperParts {
  readonly path: string;
  /** Folder of the backups; made when needed. */
  readonly backups: string;
  readonly keepDays: number;
  /** The supervisor's own connection, just opened. */
  readonly db: Db;
  /** How the restored store is opened. */
  readonly options: StoreOptions;
  readonly holder: LeaseHolder;
  readonly wall: () => EpochMs;
  /** Whose eye on the path; one of its own unless given. */
  readonly sight?: StoreSight;
}

export type BackUpResult = { readonly ok: true; readonly name: string; readonly dropped: readonly string[] } | Refusal;

/** The supervisor's hand on the store's file: sees whether it is still there and sound, copies it, and puts another in its place when it is lost. */
export interface StoreKeeper {
  /** What has become of the file since it was opened; some microseconds. */
  trouble(): StoreTrouble | null;
  /** What is wrong with its content, read through a connection of its own; null when nothing is, or when nobody can tell now. */
  damage(): string | null;
  /**
   * A sound store in its place, open and with the supervisor's lease. The connection to the lost one stays open until this process ends:
   * were it the last to be closed, SQLite would delete the new store's log, by its name.
   */
  restore(why: string): ({ readonly ok: true; readonly db: Db; readonly lease: Lease } & Restored) | Refusal;
  /** The day's copy, or null while a young one is there. */
  backUpDaily(): BackUpResult | null;
}

export function createStoreKeeper(parts: StoreKeeperParts): StoreKeeper {
  const { path, backups, options, holder, wall, sight = createStoreSight(path) } = parts;
  let { db } = parts;
  let opened = sight.look();
  /** Restored, and not opened since: a full disk can say no in between. */
  let placed: { readonly restored: RestoreResult; readonly identity: string } | null = null;

  function trouble(): StoreTrouble | null {
    // Never seen yet: the first sight of it counts as it was opened.
    if (opened === null || opened === 'unknown') opened = sight.look();
    return opened === null || opened === 'unknown' ? null : storeTrouble(opened, sight.look());
  }

  function reopen(): { readonly ok: true; readonly db: Db; readonly lease: Lease } | Refusal {
    return attempt(() => {
      const present = sight.look();
      const next = openStore(path, { ...options, mustExist: true });
      const taken = acquireLease(next, { name: 'supervisor', ...holder, now: wall() }, () => true);
      if (!taken.ok) {
        next.close();
        return taken;
      }
      db = next;
      opened = present;
      return { ok: true as const, db: next, lease: taken.lease };
    });
  }

  function damage(): string | null {
    const found = attempt(() => {
      const look = openStore(path, { busyTimeoutMs: 0, synchronous: 'NORMAL', readonly: true });
      const problem = quickProblem(look);
      look.close();
      return { ok: true as const, problem };
    });
    if (found.ok) return found.problem;
    return found.code === 'STORE_CORRUPT' ? found.detail : null;
  }

  /** Ours stands at the path and waits to be opened: workers may be at work on it, and what they wrote is not to be copied away. */
  function isPlaced(): boolean {
    const present = sight.look();
    if (present === null || present === 'unknown' || placed?.identity !== present.identity) return false;
    return present.isStore && damage() === null;
  }

  function put(why: string): RestoreResult {
    const isReplaced = trouble()?.kind === 'replaced';
    const restored = restoreStore({ path, backups, connection: db, isReplaced, why, now: wall() });
    const present = sight.look();
    if (restored.ok && present !== null && present !== 'unknown') placed = { restored, identity: present.identity };
    return restored;
  }

  return {
    trouble,
    damage,
    restore(why) {
      const restored = isPlaced() && placed ? placed.restored : put(why);
      if (!restored.ok) return restored;
      const open = reopen();
      if (open.ok) placed = null;
      return open.ok ? { ...restored, ...open } : open;
    },
    backUpDaily() {
      const names = namesIn(backups);
      return 'ok' in names ? names : isDailyDue(names.list, wall()) ? backUp(db, { ...parts, reason: 'daily', now: wall() }) : null;
    },
  };
}

export interface BackUpRequest {
  readonly backups: string;
  readonly keepDays: number;
  readonly reason: BackupReason;
  readonly now: EpochMs;
}

/** Makes one checked copy, then deletes those that are older than `keepDays`. */
export function backUp(db: Db, { backups, keepDays, reason, now }: BackUpRequest): BackUpResult {
  const names = namesIn(backups);
  if ('ok' in names) return names;
  const name = backupName(reason, now);
  const made = backupStore(db, join(backups, name));
  if (!made.ok) return made;
  const dropped = backupsToDrop([...names.list, name], keepDays, now);
  const removed = attempt(() => {
    for (const old of dropped) rmSync(join(backups, old), { force: true });
    return { ok: true as const };
  });
  return removed.ok ? { ok: true, name, dropped } : removed;
}

/** A folder that cannot be made or read is the disk's doing, whatever the file system calls it. */
function namesIn(folder: string): { readonly list: readonly string[] } | Refusal {
  try {
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    return { list: readdirSync(folder) };
  } catch (error) {
    return refuse('BACKUPS_UNUSABLE', error instanceof Error ? error.message : String(error));
  }
}

/** For the operator: trading goes on, a copy is missing. */
export const backupAlert = (detail: string): Alert => ({
  level: 'warning',
  code: 'BACKUP_FAILED',
  symbol: null,
  happened: `The day's copy of the store could not be made: ${detail}.`,
  did: 'Trading and protection go on; the store itself is being checked. The next copy is tried on the next trading date.',
  todo: 'Look at the free space under var/backups; make a copy with `holdfast db backup`.',
});
