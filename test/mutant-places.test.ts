import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './e2e/harness.js';
import { DESK_MUTANTS } from './mutants/desk-mutants.js';
import { EXIT_MUTANTS } from './mutants/exit-mutants.js';

/** Told within seconds to whoever moves a rule, not only by the campaigns that hunt for its break (`mutants/mutants.test.ts`). */
test('there are at least 20 mutants, each with a name of its own, each still where its rule is', () => {
  const mutants = [...EXIT_MUTANTS, ...DESK_MUTANTS];
  expect(mutants.length).toBeGreaterThanOrEqual(20);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  for (const { name, breaks } of mutants)
    for (const { file, find } of breaks)
      expect(readFileSync(join(ROOT, file), 'utf8').split(find).length - 1, `${name}: "${find}" in ${file}`).toBe(1);
});
