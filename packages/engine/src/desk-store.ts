import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backupName } from '@holdfast/core/supervision/backups';
import type { Restored } from '@holdfast/core/supervision/store-loss';
import type { EpochMs } from '@holdfast/core/units';
import { backupStore, quickProblem } from '@holdfast/store/backup';
import { type Db, openStore, type StoreOptions } from '@holdfast/store/db';
import { migrate, requireMigrated } from '@holdfast/store/migrate';
import { attempt, type Refusal, refuse } from '@holdfast/store/refusal';
import { restoreStore } from '@holdfast/store/restore';
import type { DeskFiles } from './desk-files.js';

/** The wait is short: while it waits for somebody's lock the supervisor watches nobody. */
export const STORE_OPTIONS: StoreOptions = { busyTimeoutMs: 100, synchronous: 'NORMAL' };

export interface DeskStore {
  readonly ok: true;
  readonly db: Db;
  readonly applied: readonly string[];
  /** The copy made before a migration. */
  readonly backup: string | null;
  /** It was found lost or damaged, and why. */
  readonly restored: (Restored & { readonly why: string }) | null;
}

export type OpenedStore = DeskStore | Refusal;

/** Where the store of a desk lies, and what tells that there was one. */
export type StoreFiles = Pick<DeskFiles, 'store' | 'backups' | 'emergency'>;

/**
 * Opens the desk's store and brings it to this version, before any worker looks at it. A store that existed is copied first: migrations only add,
 * but a copy costs less than a regret. One that was lost or damaged while no supervisor lived is restored. Refuses with the store's own code and
 * words; nothing is changed then.
 */
export function openDeskStore(files: StoreFiles, now: EpochMs, options = STORE_OPTIONS): OpenedStore {
  mkdirSync(dirname(files.store), { recursive: true });
  const why = loss(files, options);
  if (why === null) return openSound(files, now, options);
  const restored = restoreStore({ path: files.store, backups: files.backups, connection: null, isReplaced: false, why, now });
  if (!restored.ok) return restored;
  const { from, missing, setAside } = restored;
  const opened = openSound(files, now, options);
  return opened.ok ? { ...opened, restored: { why, from, missing, setAside } } : opened;
}

/** Why the store that this desk had is no more; null when it is sound, or when there never was one. */
function loss(files: StoreFiles, options: StoreOptions): string | null {
  if (!existsSync(files.store)) return hasRun(files) ? 'its file was gone when the supervisor started' : null;
  if (statSync(files.store).size === 0) return hasRun(files) ? 'its file was empty when the supervisor started' : null;
  const problem = attempt(() => {
    const look = openStore(files.store, { ...options, mustExist: true });
    try {
      return { ok: true as const, problem: quickProblem(look) };
    } finally {
      look.close();
    }
  });
  // Somebody's file under our name before the first start is his: it is refused, not set aside.
  if (!hasRun(files)) return null;
  if (problem.ok) return problem.problem;
  return problem.code === 'STORE_CORRUPT' ? problem.detail : null;
}

/** An exit manager has been at work in this folder before: then an absent store is a lost one, and no first start. */
export const hasRun = (files: StoreFiles): boolean => existsSync(files.emergency('exit-manager')) || existsSync(files.backups);

function openSound(files: StoreFiles, now: EpochMs, options: StoreOptions): OpenedStore {
  const existed = existsSync(files.store) && statSync(files.store).size > 0;
  const opened = attempt(() => openStore(files.store, options));
  if ('ok' in opened) return opened;
  const prepared = prepare(opened, { existed, files, now });
  if (!prepared.ok) opened.close();
  return prepared;
}

function prepare(db: Db, { existed, files, now }: { existed: boolean; files: StoreFiles; now: EpochMs }): OpenedStore {
  const ready = requireMigrated(db);
  if (ready.ok) return { ok: true, db, applied: [], backup: null, restored: null };
  if (ready.code !== 'STORE_NOT_MIGRATED') return ready;
  let backup: string | null = null;
  if (existed) {
    mkdirSync(files.backups, { recursive: true });
    backup = join(files.backups, backupName('before-migration', now));
    const copied = backupStore(db, backup);
    if (!copied.ok) return refuse(copied.code, copied.detail);
  }
  const migrated = migrate(db, now);
  return migrated.ok ? { ok: true, db, applied: migrated.applied, backup, restored: null } : migrated;
}
