import fs from 'node:fs';
import path from 'node:path';
import { runForeground } from './foreground.mjs';

/** Runs vitest (all projects unless the arguments say otherwise) and closes with the one line that counts. */
export async function test(place, args) {
  const file = path.join(place.root, '.cache', `test-results-${process.pid}.json`);
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await runForeground(place, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]);
    const result = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
    const counts = count(result, code);
    const skips = skippedForData(result);
    process.stdout.write(`\n${skips.map(line => `${line}\n`).join('')}${closingLine(counts)}\n`);
    return code === 0 && counts.failed > 0 ? 1 : code;
  } finally {
    fs.rmSync(file, { force: true });
  }
}

/**
 * Counts tests in vitest's JSON result. A file that failed without a failed test (it can't be loaded, a hook threw)
 * counts as one failure, and so does a run that ended badly for a reason of its own: silence must never read as success.
 */
export function count(result, code) {
  if (result === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = result.testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(one => one.status === 'failed'),
  );
  const failed = result.numFailedTests + brokenFiles.length;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

/** One line per test that was skipped because the recorded days are not there; such a test says so in its title. */
export function skippedForData(result) {
  const tests = result?.testResults.flatMap(file => file.assertionResults) ?? [];
  return tests
    .filter(({ status, fullName }) => status !== 'passed' && status !== 'failed' && fullName.includes('../shared/data'))
    .map(({ fullName }) => `skipped: ${fullName.replace(/ \([^()]*\.\.\/shared\/data[^()]*\)/, '').trim()}: ../shared/data is not there`);
}

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
