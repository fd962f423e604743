import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openScratch } from './scratch.js';

let shelf: string;
beforeEach(() => {
  shelf = mkdtempSync(join(tmpdir(), 'holdfast scratch-'));
});
afterEach(() => rmSync(shelf, { recursive: true, force: true }));

/** Process 7, begun at 70, and process 8, begun at 80, live; nobody else does. */
const machine = {
  bootId: 'b',
  thisProcess: () => ({ pid: 7, processStartedAt: '70', bootId: 'b' }),
  isGone: ({ pid, processStartedAt }: { readonly pid: number; readonly processStartedAt: string }) =>
    !['7-70', '8-80'].includes(`${pid}-${processStartedAt}`),
};

it('what a killed process left is removed; what lives, or is not ours, stays', () => {
  for (const name of ['holdfast-world-5-50', 'holdfast-world-8-79', 'holdfast-world-8-80', 'holdfast-world-x', 'other']) {
    mkdirSync(join(shelf, name, 'holdfast-world-abc'), { recursive: true });
    writeFileSync(join(shelf, name, 'holdfast-world-abc', 'holdfast.db'), 'x');
  }
  const scratch = openScratch(machine, shelf);
  expect(readdirSync(shelf).sort()).toEqual(['holdfast-world-7-70', 'holdfast-world-8-80', 'holdfast-world-x', 'other']);
  expect(scratch.folder).toBe(join(shelf, 'holdfast-world-7-70'));
  scratch.remove();
  expect(existsSync(scratch.folder)).toBe(false);
});
