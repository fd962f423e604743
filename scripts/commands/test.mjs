import fs from 'node:fs';
import path from 'node:path';
import { runForeground } from './foreground.mjs';

/** Runs vitest (all projects unless the arguments say otherwise) and closes with the one line that counts. */
export async function test(place, args) {
  const file = path.join(place.root, '.cache', `test-results-${process.pid}.json`);
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await runForeground(place, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]);
    const counts = count(fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined, code);
    process.stdout.write(`\n${closingLine(counts)}\n`);
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

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
