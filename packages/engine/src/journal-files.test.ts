import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tradeDate } from '@holdfast/core/calendar';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createJournalFiles, journalFile } from './journal-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const days = [9, 10, 11, 12, 13].map(day => tradeDate(`2026-03-${String(day).padStart(2, '0')}`));

it('one file per date, appended to by every later process', () => {
  for (const text of ['a\n', 'b\n']) {
    const files = createJournalFiles({ folder: join(folder, 'deep', 'er'), keepDays: 3 });
    for (const date of days.slice(0, 2)) {
      expect(files.open(date)).toMatchObject({ ok: true, bytes: text === 'a\n' ? 0 : 2 });
      files.append(text);
    }
  }
  for (const date of days.slice(0, 2)) expect(readFileSync(journalFile(join(folder, 'deep', 'er'), date), 'utf8')).toBe('a\nb\n');
});

it('keeps the newest dates and the present one, whatever its year, and nothing but its own files', () => {
  writeFileSync(join(folder, 'notes.txt'), '');
  const files = createJournalFiles({ folder, keepDays: 3 });
  for (const date of days) files.open(date);
  expect(readdirSync(folder).sort()).toEqual(['2026-03-11.jsonl', '2026-03-12.jsonl', '2026-03-13.jsonl', 'notes.txt']);
  files.open(tradeDate('2025-11-14'));
  expect(readdirSync(folder).sort()).toEqual(['2025-11-14.jsonl', '2026-03-12.jsonl', '2026-03-13.jsonl', 'notes.txt']);
});

it('a folder that cannot be used is told, not thrown', () => {
  writeFileSync(join(folder, 'file'), '');
  const files = createJournalFiles({ folder: join(folder, 'file'), keepDays: 3 });
  expect(files.open(days[0] ?? tradeDate('2026-03-09'))).toMatchObject({ ok: false, detail: expect.stringContaining('EEXIST') });
  expect(files.append('x')).toMatchObject({ ok: false });
  mkdirSync(journalFile(folder, tradeDate('2026-03-09')));
  expect(createJournalFiles({ folder, keepDays: 3 }).open(tradeDate('2026-03-09'))).toMatchObject({ ok: false });
});
