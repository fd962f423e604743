import { expect, it } from 'vitest';
import { storeRefused } from './start-refusal.js';

it.each([
  ['STORE_FULL', 'Free space on that disk'],
  ['STORE_BUSY', 'Close whatever holds the database'],
  ['STORE_READONLY', 'the right to write there'],
  ['STORE_IO', 'Look at the disk'],
  ['STORE_CORRUPT', 'docs/operations.md'],
])('%s: what happened, what became of it, what to do', (code, todo) => {
  const lines = storeRefused({ ok: false, code, detail: 'a reason' }, '/desk/var/holdfast.db').split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe(`the store /desk/var/holdfast.db cannot be used (${code}): a reason.`);
  expect(lines[1]).toContain('No supervisor was started');
  expect(lines[2]).toContain(todo);
});
