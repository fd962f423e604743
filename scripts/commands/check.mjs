import { runForeground } from './foreground.mjs';

const STEPS = [
  { name: 'format and lint', program: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--diagnostic-level=warn', '.'] },
  { name: 'types', program: ['node_modules/typescript/bin/tsc', '-b', '--pretty', 'false'] },
  { name: 'unit tests and house rules', program: ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'] },
];

/** Says whether a change may land. Every step runs, so that one round shows everything there is to correct. */
export async function check(place) {
  const failed = [];
  for (const { name, program } of STEPS) {
    const startedAt = Date.now();
    process.stdout.write(`\n── ${name}\n`);
    const code = await runForeground(place, program);
    process.stdout.write(`── ${name}: ${code === 0 ? 'ok' : 'FAILED'} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`);
    if (code >= 128) return code; // interrupted
    if (code !== 0) failed.push(name);
  }
  process.stdout.write(failed.length === 0 ? '\ncheck: this may land\n' : `\ncheck: not yet: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}
