import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeProblem, parseConfig, printRedacted } from './config.js';
import { configKeys } from './config-keys.js';

const fileAt = (path: string): string => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
const problemsOf = (text: string, environment = {}): readonly string[] => {
  const result = parseConfig(text, environment);
  return result.ok ? [] : result.problems.map(describeProblem);
};

describe('a good configuration', () => {
  it('A18: an empty file is a complete one: paper, port 4002, allocation 0.25, the house exits', () => {
    expect(parseConfig('')).toMatchObject({
      ok: true,
      config: {
        mode: 'paper',
        account: null,
        gateway: { port: 4002 },
        entries: { allocation: 0.25, ttlSeconds: 90, strategies: { standard: { rsiMax: 60 }, gapAndGo: { gapBpsMin: 500 } } },
        exits: { targetBps: 180, stopBps: 90, protection: 'guarded' },
      },
    });
  });
  it('an empty section has its defaults', () => expect(parseConfig('gateway:\nexits:\n  stopBps: 80\n')).toMatchObject({ ok: true }));
  it('the environment names the account', () =>
    expect(parseConfig('account: DU1111111', { HOLDFAST_ACCOUNT: 'DU2222222' })).toMatchObject({ config: { account: 'DU2222222' } }));
  it('cannot be changed afterwards', () => {
    const result = parseConfig('');
    expect(result.ok && Object.isFrozen(result.config) && Object.isFrozen(result.config.entries.strategies.standard)).toBe(true);
  });
  it('is printed without the account', () => {
    const result = parseConfig('account: DU1234567');
    expect(result.ok && printRedacted(result.config)).toContain('DU…567');
    expect(result.ok && printRedacted(result.config)).not.toContain('1234567');
  });
  it('the shipped desk.yaml is one', () => expect(problemsOf(fileAt('desk.yaml'))).toEqual([]));
});

describe('bad configurations', () => {
  it.each<readonly [string, string, readonly (string | RegExp)[]]>([
    ['a value out of range', 'exits:\n  stopBps: -5', ['exits.stopBps: got -5; allowed: a whole number from 1 to 2000']],
    ['a fraction', 'exits:\n  targetBps: 1.8', [/^exits\.targetBps: got 1\.8; allowed: a whole number/]],
    ['text for a number', 'gateway:\n  port: four', [/^gateway\.port: got "four"; allowed: a whole number from 1 to 65535/]],
    ['a mistyped key', 'exits:\n  stopBsp: 90', ['exits.stopBsp: got 90; unknown key; did you mean exits.stopBps?']],
    ['a mistyped section', 'exit:\n  stopBps: 90', [/^exit: got .*; unknown key; did you mean exits\?/]],
    ['a key nobody could have meant', 'colour: blue', [/^colour: got "blue"; unknown key; known here: mode, account, gateway/]],
    ['an unknown mode', 'mode: production', ['mode: got "production"; allowed: demo, observe, paper, live']],
    ['allocation in per cent', 'entries:\n  allocation: 25', ['entries.allocation: got 25; allowed: a number above 0 up to 1']],
    ['a symbol in lower case', 'entries:\n  watchlist: [SPY, aapl]', [/^entries\.watchlist\.1: got "aapl"; allowed: text like/]],
    ['a section that is a list', 'gateway: [4002]', [/^gateway: got \[4002\]; allowed: a section with host, port/]],
    ['a file that is a list', '- mode: paper', [/allowed: a section with mode/]],
    [
      'a real account in paper mode',
      'mode: paper\naccount: U1234567',
      [/^account: got "U1234567"; mode paper sends only to paper accounts/],
    ],
    ['a real account in the demo', 'mode: demo\naccount: U1234567', [/paper accounts, which start with DU/]],
    ['live without an account', 'mode: live', [/^account: got null; mode live needs the account/]],
    ['live with a paper account', 'mode: live\naccount: DU1234567', [/use mode paper/]],
    [
      'a disaster stop inside the stop',
      'exits:\n  disasterStopBps: 80',
      [/^exits\.disasterStopBps: got 80; the disaster stop must lie beyond stopBps \(90\)/],
    ],
    ['a stop so wide that no disaster stop fits', 'exits:\n  stopBps: 400', [/^exits\.disasterStopBps: got 300/]],
    ['buying while selling', 'session:\n  noEntriesMinutesBeforeClose: 5', [/at least flatMinutesBeforeClose \(15\)/]],
    ['a key given twice', 'mode: paper\nmode: live', [/^line 2, column 1: .*unique/]],
    ['broken YAML', 'exits: {stopBps: 90', [/^line 1, column/]],
  ])('%s', (_title, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(expected.length);
    for (const [index, wanted] of expected.entries()) expect(problems[index]).toMatch(wanted);
  });

  it('tells all of them at once', () => {
    const text = 'mode: papr\ngateway:\n  port: 0\n  hots: x\nexits:\n  stopBps: 0\n';
    expect(problemsOf(text)).toHaveLength(4);
  });
});

it('docs/configuration.md says what the schema says', () => {
  const rows = configKeys().map(({ key, allowed, fallback, meaning }) => `| \`${key}\` | ${fallback} | ${allowed} | ${meaning} |`);
  const table = ['| key | default | allowed | meaning |', '|---|---|---|---|', ...rows].join('\n');
  expect(fileAt('docs/configuration.md').replaceAll('\\|', '|')).toContain(table);
});
