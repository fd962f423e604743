import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FOCUS_COUNT, focusOf, type PlannedFault } from '@holdfast/sim/world/profile';
import { runSeed } from '@holdfast/sim/world/run-seed';
import { afterAll, describe, expect, it } from 'vitest';

/** Seeds that go at one cell of the table of faults and order states (`simulate --focus`): each must hit what it goes at. */

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-focus-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const seedOf = (fault: PlannedFault, aim: string): number => {
  for (let seed = 0; seed < FOCUS_COUNT; seed += 1) if (focusOf(seed).fault === fault && focusOf(seed).aim === aim) return seed;
  throw new Error(`no seed goes at ${fault} × ${aim}`);
};

describe('a focused seed', () => {
  it.each([
    { fault: 'kill exit-manager', aim: 'entry SUBMITTED', counted: 'kill exit-manager', least: 3 },
    { fault: 'store busy', aim: 'exit INTENT', counted: 'store busy', least: 3 },
    { fault: 'hang day-trader', aim: 'entry CANCELLING', counted: 'hang day-trader', least: 2 },
    { fault: 'market', aim: 'exit CANCELLING', counted: 'market jump', least: 1 },
  ] as const)(
    'I1–I12: $fault while an order is $aim: at least $least times in three days, and the desk gets well',
    ({ fault, aim, counted, least }) => {
      const seed = seedOf(fault, aim);
      let hits = 0;
      for (const of of [seed, seed + FOCUS_COUNT, seed + 2 * FOCUS_COUNT]) {
        const options = { seed: of, days: 1, profile: 'storm', scratch, keep: 0 } as const;
        const { cells, violations, hash } = runSeed({ ...options, focused: true });
        expect(violations).toEqual([]);
        expect(runSeed(options).hash).not.toBe(hash);
        hits += cells[counted]?.[aim] ?? 0;
      }
      expect(hits).toBeGreaterThanOrEqual(least);
    },
  );

  it('every cell of the table has its seed among as many as there are', () => {
    const all = Array.from({ length: FOCUS_COUNT }, (_, seed) => focusOf(seed));
    expect(new Set(all.map(({ fault, aim }) => `${fault} × ${aim}`)).size).toBe(FOCUS_COUNT);
    expect(focusOf(FOCUS_COUNT + 7)).toEqual(focusOf(7));
  });
});
