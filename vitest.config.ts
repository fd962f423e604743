import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('./packages', import.meta.url));

/**
 * Unit tests read the packages' sources; end-to-end tests start real processes from the built files and may not share
 * two cores, so they run one after the other.
 */
export default defineConfig({
  resolve: { alias: [{ find: /^@holdfast\/([a-z]+)\/(.*)$/, replacement: `${source}/$1/src/$2.ts` }] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'test/*.test.ts',
            'test/scenarios/**/*.test.ts',
            'test/acceptance/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 240_000, hookTimeout: 60_000, fileParallelism: false },
      },
    ],
  },
});
