import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fromIsoTime } from '@holdfast/core/units';
import { openStore } from '@holdfast/store/db';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DeskFiles, deskFiles } from './desk-files.js';
import { openDeskStore } from './desk-store.js';

const NOW = fromIsoTime('2026-03-09T12:00:00.000Z');
let folder: string;
let files: DeskFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast desk-store-'));
  files = deskFiles(join(folder, 'desk.yaml'), 'var');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => {
  const opened = openDeskStore(files, NOW);
  if (opened.ok) opened.db.close();
  return opened;
};

it('A13: a first start makes the store and copies nothing; the second finds nothing to do', () => {
  const first = open();
  expect(first).toMatchObject({ ok: true, backup: null });
  expect(first.ok && first.applied.length).toBeGreaterThan(0);
  expect(open()).toMatchObject({ ok: true, applied: [], backup: null });
  expect(existsSync(files.backups)).toBe(false);
});

it('A13: a store of an earlier version is copied, then migrated', () => {
  mkdirSync(dirname(files.store), { recursive: true });
  const old = openStore(files.store, { busyTimeoutMs: 0, synchronous: 'OFF' });
  old.exec('CREATE TABLE kept (what TEXT)');
  old.close();
  const opened = open();
  expect(opened).toMatchObject({ ok: true, backup: join(files.backups, 'before-migration-2026-03-09T12-00-00-000Z.db') });
  const copy = openStore(join(files.backups, readdirSync(files.backups)[0] ?? ''), {
    busyTimeoutMs: 0,
    synchronous: 'OFF',
    readonly: true,
  });
  expect(copy.pragma('table_info(kept)')).toHaveLength(1);
  expect(copy.pragma('table_info(orders)')).toHaveLength(0);
  copy.close();
});

it('a file that is no store is refused by its name and left as it is', () => {
  mkdirSync(dirname(files.store), { recursive: true });
  writeFileSync(files.store, 'this is not a database, whatever its name says. '.repeat(100));
  expect(open()).toMatchObject({ ok: false, code: 'STORE_CORRUPT' });
});
