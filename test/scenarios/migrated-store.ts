import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochMs } from '@holdfast/core/units';
import { Db } from '@holdfast/store/db';
import { migrate } from '@holdfast/store/migrate';

const files = new Map<EpochMs, Buffer>();

/** Writes an empty, migrated store to `path`. Migrated once per time it says it was made at: stories by the thousand need one each. */
export function writeMigratedStore(path: string, now: EpochMs): void {
  const content = files.get(now) ?? migratedFile(now);
  files.set(now, content);
  writeFileSync(path, content);
}

function migratedFile(now: EpochMs): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-template-'));
  const path = join(folder, 'desk.db');
  const db = new Db(path, { busyTimeoutMs: 0, synchronous: 'OFF' });
  const migrated = migrate(db, now);
  db.close(); // the last connection to go writes the log back into the file
  const content = readFileSync(path);
  rmSync(folder, { recursive: true, force: true });
  if (!migrated.ok) throw new Error(migrated.detail);
  return content;
}
