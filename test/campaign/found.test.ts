import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSeed } from '@holdfast/sim/world/run-seed';
import { afterAll, describe, expect, it } from 'vitest';
import { FOUND } from './found-seeds.js';

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-found-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('seeds that once found something are clean', () => {
  it.each(FOUND)('$invariant, seed $seed: $what', { timeout: 60_000 }, ({ seed, days, protection, ownership, focused }) => {
    const result = runSeed({
      seed,
      days,
      profile: 'storm',
      scratch,
      keep: 0,
      ...(protection ? { protection } : {}),
      ...(ownership ? { ownership } : {}),
      ...(focused ? { focused } : {}),
    });
    expect(result.violations).toEqual([]);
  });
});
