import { renameSync, rmSync } from 'node:fs';
import { type Db, openStore } from './db.js';
import { attempt, type Refusal, refuse } from './refusal.js';

/** Whether SQLite finds the file sound: null, or what is wrong with it. Reads all of it. */
export const integrityProblem = (db: Db): string | null => problemIn(db.pragma('integrity_check'));

/** The same without comparing indexes with their tables: several times faster, for a store in use. */
export const quickProblem = (db: Db): string | null => problemIn(db.pragma('quick_check(1)'));

function problemIn(rows: readonly unknown[]): string | null {
  const words = rows.map(row => (typeof row === 'object' && row !== null ? Object.values(row).join(' ') : String(row)));
  return words.length === 1 && words[0] === 'ok' ? null : words.join('; ');
}

/**
 * Copies the store, consistent and compact, to a file that must not exist yet. `VACUUM INTO` reads one snapshot and needs no pause of the
 * writers (SQLite's stepped backup starts over at each of their commits). The copy gets its name only after it was checked.
 */
export function backupStore(db: Db, target: string): { readonly ok: true } | Refusal {
  const partial = `${target}.partial`;
  return attempt(() => {
    rmSync(partial, { force: true });
    db.exec(`VACUUM INTO '${partial.replaceAll("'", "''")}'`);
    const copy = openStore(partial, { busyTimeoutMs: 0, synchronous: 'FULL', mustExist: true, readonly: true });
    const problem = integrityProblem(copy);
    copy.close();
    if (problem) return refuse('BACKUP_UNSOUND', `the copy of ${db.path} failed its check (${problem}): the store itself may be damaged`);
    renameSync(partial, target);
    return { ok: true as const };
  });
}
