import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { EpochMs } from '@holdfast/core/units';
import { timeColumn } from './columns.js';
import type { Db } from './db.js';
import { attempt, type Refusal, refuse } from './refusal.js';
import { q } from './statement.js';

/** Numbered SQL files, applied in the order of their names. They only add: a running older exit manager must survive them. */
const FOLDER = fileURLToPath(new URL('../../../db/migrations', import.meta.url));

const OWN_TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name        TEXT PRIMARY KEY,
  checksum    TEXT NOT NULL,
  applied_at  TEXT NOT NULL
) STRICT`;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

function readMigrations(): readonly Migration[] {
  const names = readdirSync(FOLDER).filter(name => /^\d{4}-.+\.sql$/.test(name));
  return names.sort().map(name => {
    const sql = readFileSync(`${FOLDER}/${name}`, 'utf8');
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

let files: readonly Migration[] | null = null;
/** Read once per process: the files of a running system do not change. */
const migrations = (): readonly Migration[] => {
  files ??= readMigrations();
  return files;
};

function applied(db: Db): ReadonlyMap<string, string> {
  const rows = db.all(q.selectFrom('schema_migrations').select(['name', 'checksum']).orderBy('name'));
  return new Map(rows.map(row => [row.name, row.checksum]));
}

const hasOwnTable = (db: Db): boolean => db.pragma('table_info(schema_migrations)').length > 0;

/** Why this program must not work on this store, or null when everything applied is what this program has. */
function disagreement(done: ReadonlyMap<string, string>): Refusal | null {
  for (const [name, checksum] of done) {
    const file = migrations().find(migration => migration.name === name);
    if (!file) return refuse('STORE_NEWER', `the store has ${name}, which this version does not know: start the version that wrote it`);
    if (file.checksum !== checksum)
      return refuse('MIGRATION_CHANGED', `${name} was changed after it was applied: restore the file, add a new one`);
  }
  return null;
}

/** Brings the store to this version, all files in one transaction. Refuses a store that is newer or was migrated by other files. */
export function migrate(db: Db, now: EpochMs): { readonly ok: true; readonly applied: readonly string[] } | Refusal {
  return attempt(() =>
    db.immediate(() => {
      db.exec(OWN_TABLE);
      const done = applied(db);
      const refusal = disagreement(done);
      if (refusal) return refusal;
      const missing = migrations().filter(migration => !done.has(migration.name));
      for (const { name, sql, checksum } of missing) {
        db.exec(sql);
        db.run(q.insertInto('schema_migrations').values({ name, checksum, applied_at: timeColumn(now) }));
      }
      return { ok: true as const, applied: missing.map(migration => migration.name) };
    }),
  );
}

/** What a worker asks before it starts: is this store exactly at this version? Names the command when it is not. */
export function requireMigrated(db: Db): { readonly ok: true } | Refusal {
  return attempt(() => {
    const done = hasOwnTable(db) ? applied(db) : new Map<string, string>();
    const refusal = disagreement(done);
    if (refusal) return refusal;
    const missing = migrations().filter(migration => !done.has(migration.name));
    if (missing.length === 0) return { ok: true as const };
    return refuse('STORE_NOT_MIGRATED', `${db.path} lacks ${missing.map(m => m.name).join(', ')}: run ./holdfast db migrate`);
  });
}
