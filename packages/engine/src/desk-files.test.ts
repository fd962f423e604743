import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deskFiles, makeFolders } from './desk-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast desk-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('makes what is missing, parents included; a second time finds it there', () => {
  const files = deskFiles(join(folder, 'desk.yaml'), 'deep/down/var');
  expect([makeFolders(files), makeFolders(files)]).toEqual([{ ok: true }, { ok: true }]);
  expect(existsSync(dirname(files.halt))).toBe(true);
});

it.each([
  ['a file lies there', () => join(folder, 'taken')],
  ['it lies below a file', () => join(folder, 'taken', 'var')],
  ['a file system that has no folders to give', () => '/proc/nope'],
])('%s: said in three parts, by its name', (_title, path) => {
  writeFileSync(join(folder, 'taken'), '');
  const made = makeFolders(deskFiles(join(folder, 'desk.yaml'), path()));
  expect(made).toMatchObject({ ok: false });
  expect(made.ok ? [] : made.detail.split('\n')).toEqual([
    expect.stringContaining(path()),
    'Nothing was started.',
    expect.stringContaining('`paths.var`'),
  ]);
});
