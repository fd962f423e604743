import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { backupsAmong } from '@holdfast/core/supervision/backups';
import { RESTORED_REASON, type Restored } from '@holdfast/core/supervision/store-loss';
import { type EpochMs, isoTime } from '@holdfast/core/units';
import { backupStore, integrityProblem } from './backup.js';
import { type Db, openStore } from './db.js';
import { setKillSwitch } from './kill-switch.js';
import { acquireLease, releaseLease } from './leases.js';
import { migrate } from './migrate.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import { q } from './statement.js';

export interface RestoreRequest {
  readonly path: string;
  /** Folder of the backups; need not exist. */
  readonly backups: string;
  /**
   * A connection to the lost file. A file that was deleted lives on in it, whole; a damaged one fails its check. It must not be closed as
   * long as the process lives: the last connection to close a replaced file deletes the new one's log, by its name.
   */
  readonly connection: Db | null;
  /** A person put another store in its place: that one is meant, not the lost one. */
  readonly isReplaced: boolean;
  readonly why: string;
  readonly now: EpochMs;
}

export type RestoreResult = ({ readonly ok: true } & Restored) | Refusal;

interface Source {
  readonly from: string;
  readonly missing: string;
  copyTo(path: string): { readonly ok: true } | Refusal;
}

/**
 * Puts a sound store in the place of a lost or damaged one: the newest source that passes its check, migrated to this version, with the kill
 * switch on and no command of earlier times left to be executed. What was there is set aside under a dated name, write-ahead log
 * included (an old log beside a new file would be played into it). The new file appears under its name in one instant, finished.
 */
export function restoreStore(request: RestoreRequest): RestoreResult {
  const draft = `${request.path}.restoring`;
  const result = attemptOnFiles(() => {
    mkdirSync(dirname(request.path), { recursive: true });
    for (const source of sourcesOf(request)) {
      removeAll(draft);
      const prepared = prepare(source, draft, request);
      if (prepared.ok) {
        const setAside = moveAside(request);
        renameSync(draft, request.path);
        syncFolder(dirname(request.path));
        return { ok: true as const, from: source.from, missing: source.missing, setAside };
      }
      if (prepared.code === 'STORE_FULL') return prepared;
    }
    return refuse('NO_SOURCE', 'not even an empty store could be made');
  });
  if (!result.ok) attemptOnFiles(() => removeAll(draft));
  return result;
}

/** Best first. The last one, an empty store, is always to be had. */
function sourcesOf({ path, backups, connection, isReplaced }: RestoreRequest): readonly Source[] {
  const copy = (file: string) => (target: string) =>
    attempt(() => {
      copyFileSync(file, target);
      return { ok: true as const };
    });
  const replacement: Source = { from: 'the file that was put in its place', missing: NEWER, copyTo: copy(path) };
  const living: Source = {
    from: 'the connection that was still open to it',
    missing: 'Nothing should be missing.',
    copyTo: target => (connection ? backupStore(connection, target) : refuse('NO_CONNECTION', 'none')),
  };
  const names = existsSync(backups) ? readdirSync(backups) : [];
  const copies = backupsAmong(names).map(
    ({ name, at }): Source => ({ from: `the backup ${name} of ${isoTime(at)}`, missing: NEWER, copyTo: copy(join(backups, name)) }),
  );
  const empty: Source = { from: 'nothing: an empty store', missing: EVERYTHING, copyTo: () => ({ ok: true }) };
  return [isReplaced ? replacement : living, ...copies, empty];
}

/** Whatever the file system says no with is the world's doing here: there is no store left that a bug could harm. */
function attemptOnFiles<T>(work: () => T): T | Refusal {
  try {
    return attempt(work);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return refuse('STORE_IO', error.message);
    throw error;
  }
}

const NOBODY = { pid: 0, processStartedAt: '', bootId: '' } as const;

const NEWER =
  'Missing may be what happened between that copy and the loss and is known neither to the exit manager nor to the broker: ' +
  'round trips of earlier days, decisions, alerts.';
const EVERYTHING =
  'Missing is the history, and perhaps positions adopted by hand for which nothing rests at the broker: they count as held before, hands off.';

function prepare(source: Source, draft: string, { why, now }: RestoreRequest): { readonly ok: true } | Refusal {
  const copied = source.copyTo(draft);
  if (!copied.ok) return copied;
  return attempt(() => {
    const db = openStore(draft, { busyTimeoutMs: 0, synchronous: 'FULL' });
    try {
      const problem = integrityProblem(db);
      if (problem) return refuse('COPY_UNSOUND', `${source.from}: ${problem}`);
      const migrated = migrate(db, now);
      if (!migrated.ok) return migrated;
      const halted = setKillSwitch(db, { on: true, reason: `${RESTORED_REASON} (${why})`, actor: 'supervisor', now });
      if (!halted.ok) return halted;
      // Numbers used since that copy was made live on in order references: begin where none was used.
      const taken = acquireLease(db, { name: 'supervisor', ...NOBODY, now, leaseIdMin: Math.floor(now / 100) }, () => true);
      if (!taken.ok) return taken;
      const freed = releaseLease(db, taken.lease, 'restored');
      if (!freed.ok) return freed;
      // What a person asked for before the loss is not what he would ask for now.
      db.run(q.updateTable('commands').set({ status: 'expired' }).where('status', 'in', ['pending', 'taken']));
      return { ok: true as const };
    } finally {
      db.close();
    }
  });
}

const SIDES = ['', '-wal', '-shm'] as const;

function moveAside({ path, now }: RestoreRequest): readonly string[] {
  const stem = join(dirname(path), `${basename(path, '.db')}.set-aside-${isoTime(now).replaceAll(/[:.]/g, '-')}.db`);
  const moved: string[] = [];
  for (const side of SIDES) {
    if (!existsSync(`${path}${side}`)) continue;
    renameSync(`${path}${side}`, `${stem}${side}`);
    moved.push(`${stem}${side}`);
  }
  return moved.length === 0 ? [] : [stem];
}

/** A power cut must not bring the old name back. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

const removeAll = (path: string): void => {
  for (const side of [...SIDES, '.partial', '-journal']) rmSync(`${path}${side}`, { force: true });
};
