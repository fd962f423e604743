import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lastWordsIn } from './last-words.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast last-words-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  [
    'every line of the last refusal, on one',
    'exit-manager: earlier\n{"a":1}\nexit-manager: wrong:\n  mode: got "papr"\n',
    'wrong: mode: got "papr"',
  ],
  ['the end of a long file', `${'x'.repeat(9_000)}\nexit-manager: it is so\n`, 'it is so'],
  ['nothing it said itself', '{"a":1}\n', undefined],
])('%s', (_title, text, words) => {
  writeFileSync(join(folder, 'out'), text);
  expect(lastWordsIn(join(folder, 'out'), 'exit-manager').lastWords).toBe(words);
});

it('no file: no words, no error', () => {
  expect(lastWordsIn(join(folder, 'none'), 'exit-manager')).toEqual({});
});
