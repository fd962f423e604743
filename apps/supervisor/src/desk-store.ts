import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type EpochMs, isoTime } from '@holdfast/core/units';
import type { DeskFiles } from '@holdfast/engine/desk-files';
import { backupStore } from '@holdfast/store/backup';
import { type Db, openStore } from '@holdfast/store/db';
import { migrate, requireMigrated } from '@holdfast/store/migrate';
import { attempt, type Refusal } from '@holdfast/store/refusal';

/** Short: while it waits for somebody's lock the supervisor watches nobody. */
const BUSY_TIMEOUT_MS = 100;

export type OpenedStore =
  | { readonly ok: true; readonly db: Db; readonly applied: readonly string[]; readonly backup: string | null }
  | Refusal;

/**
 * Opens the desk's store and brings it to this version, before any worker looks at it. A store that existed is copied first:
 * migrations only add, but a copy costs less than a regret. Refuses with the store's own code and words; nothing is changed then.
 */
export function openDeskStore(files: DeskFiles, now: EpochMs): OpenedStore {
  const existed = existsSync(files.store) && statSync(files.store).size > 0;
  mkdirSync(dirname(files.store), { recursive: true });
  const opened = attempt(() => openStore(files.store, { busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous: 'NORMAL' }));
  if ('ok' in opened) return opened;
  const prepared = prepare(opened, { existed, files, now });
  if (!prepared.ok) opened.close();
  return prepared;
}

function prepare(db: Db, { existed, files, now }: { existed: boolean; files: DeskFiles; now: EpochMs }): OpenedStore {
  const ready = requireMigrated(db);
  if (ready.ok) return { ok: true, db, applied: [], backup: null };
  if (ready.code !== 'STORE_NOT_MIGRATED') return ready;
  let backup: string | null = null;
  if (existed) {
    mkdirSync(files.backups, { recursive: true });
    backup = join(files.backups, `before-migration-${isoTime(now).replaceAll(/[:.]/g, '-')}.db`);
    const copied = backupStore(db, backup);
    if (!copied.ok) return copied;
  }
  const migrated = migrate(db, now);
  return migrated.ok ? { ok: true, db, applied: migrated.applied, backup } : migrated;
}
