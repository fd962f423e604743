import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('./packages', import.meta.url));

/**
 * Unit tests read the packages' sources, many files at a time. End-to-end tests start real processes from the built
 * files and measure time, so they come after all unit tests and one after the other.
 */
export default defineConfig({
  resolve: { alias: [{ find: /^@holdfast\/([a-z]+)\/(.*)$/, replacement: `${source}/$1/src/$2.ts` }] },
  test: {
    // better-sqlite3 is a native addon: processes of their own, not threads, keep one file's crash from the others.
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'scripts/**/*.test.mjs',
            'test/*.test.ts',
            'test/tidy/**/*.test.ts',
            'test/scenarios/**/*.test.ts',
            'test/acceptance/**/*.test.ts',
          ],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/bench/**/*.test.ts', 'test/soak/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'campaign',
          include: ['test/campaign/**/*.test.ts', 'test/mutants/**/*.test.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
