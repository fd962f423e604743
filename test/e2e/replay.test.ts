import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as dayTrader from '@holdfast/core/day-trader';
import * as exitManager from '@holdfast/core/exit-manager';
import { readJournal } from '@holdfast/engine/journal-reader';
import { replay, replayed } from '@holdfast/engine/replay';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resumed } from '../scenarios/resumed.js';
import { holdfast } from './command-line.js';
import { ROOT } from './harness.js';

/** A recorded demo day with both kills, its journals fed back through the rules: by the command as a person runs it, and by hand. */

const DEMOS = join(ROOT, 'var', 'demo');
const BRAINS = { 'exit-manager': () => replayed(exitManager), 'day-trader': () => replayed(dayTrader) };
type Worker = keyof typeof BRAINS;
const WORKERS = ['exit-manager', 'day-trader'] as const satisfies readonly Worker[];

let folder = '';
const journalOf = (worker: Worker): string => join(folder, 'var', 'journal', worker, '2026-03-09.jsonl');
const entriesOf = (worker: Worker) => readJournal(readFileSync(journalOf(worker), 'utf8').split('\n'));

beforeAll(async () => {
  const demo = await holdfast(['demo', '--json', '--keep', '--speed', '900', '--seed', '7', '--until', '09:50']);
  folder = /while it runs: (.*)/.exec(demo.err)?.[1] ?? '';
  expect(demo.code, demo.err.slice(-4_000)).toBe(0);
}, 120_000);

afterAll(() => {
  if (existsSync(folder) && folder.startsWith(DEMOS)) rmSync(folder, { recursive: true });
});

describe.each(WORKERS)('the journal of the %s', worker => {
  it('A8: gives every decision and effect again, across the kill -9', async () => {
    const { code, out, err } = await holdfast(['replay', '--json', '--journal', journalOf(worker)]);
    expect(code, err + out).toBe(0);
    const seen = JSON.parse(out);
    expect(seen).toMatchObject({ differences: 0, gaps: 0, sameRules: true });
    expect(seen.segments).toMatchObject([
      { worker, because: 'start', end: null },
      { worker, because: 'start', end: 'asked to stop' },
    ]);
    expect(seen.decisions).toBeGreaterThan(50);
  });

  it('goes on the same from any state it would write at midnight or after a gap', () => {
    const seen = replay(entriesOf(worker), { brains: { [worker]: () => resumed(BRAINS[worker](), 97) } });
    expect(seen.differences[0]).toBeUndefined();
    expect(seen.segments.reduce((sum, { events }) => sum + events, 0)).toBeGreaterThan(1_000);
  });
});

describe('rules that are not those of the journal', () => {
  it.each<[string, Worker, Partial<typeof exitManager> | Partial<typeof dayTrader>, number]>([
    [
      'an exit manager whose stop lies elsewhere',
      'exit-manager',
      { createState: given => exitManager.createState({ ...given, rules: { ...given.rules, stopBps: 95 } }) } as Partial<
        typeof exitManager
      >,
      1,
    ],
    [
      'a day trader that buys more',
      'day-trader',
      { createState: given => dayTrader.createState({ ...given, rules: { ...given.rules, allocation: 0.26 } }) } as Partial<
        typeof dayTrader
      >,
      1,
    ],
  ])('%s is found', (_, worker, change, least) => {
    const brain =
      worker === 'exit-manager'
        ? replayed({ ...exitManager, ...(change as Partial<typeof exitManager>) })
        : replayed({ ...dayTrader, ...(change as Partial<typeof dayTrader>) });
    const seen = replay(entriesOf(worker), { brains: { [worker]: () => brain } });
    expect(seen.differenceCount).toBeGreaterThanOrEqual(least);
  });
});

describe('holdfast replay', () => {
  it('tells the story of one symbol', async () => {
    const { code, out } = await holdfast(['replay', '--trace', '--symbol', 'GAPR', '--journal', journalOf('exit-manager')]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}.*\n {16}→ /m);
    expect(out).toMatch(/→ send (target|exit) SELL \d+ GAPR (LMT|MKT)/);
    expect(out).toMatch(/→ close GAPR: (stop|target) at/);
    expect(out).not.toMatch(/→ close (?!GAPR)/);
    expect(out).toMatch(/0 differences/);
  });

  it('says no, with what was recorded and what is decided now, and that other rules wrote it', async () => {
    const text = readFileSync(journalOf('exit-manager'), 'utf8');
    const changed = join(folder, 'changed.jsonl');
    writeFileSync(
      changed,
      text.replace(/("event":"levels".*?"stop":)[\d.]+/, '$199').replaceAll(/\["rules","\w+"\]/g, '["rules","0123456789ab"]'),
    );
    const { code, out } = await holdfast(['replay', '--journal', changed]);
    expect(code).toBe(1);
    expect(out).toMatch(/1 difference\./);
    expect(out).toMatch(/the journal has:\n(.*\n)*.*these rules make of it:/);
    expect(out).toMatch(/Written by other rules \(0123456789ab; these are \w{12}\)/);
  });

  it.each([
    ['no journal', '# Notes\n', /does not begin as a journal/],
    ['nothing', '', /it holds nothing/],
  ])('refuses a file with %s: 2', async (_, text, words) => {
    const file = join(folder, 'wrong.txt');
    writeFileSync(file, text);
    const { code, err } = await holdfast(['replay', '--journal', file]);
    expect(code).toBe(2);
    expect(err).toMatch(words);
    expect(err.trim().split('\n')).toHaveLength(3);
  });

  it('refuses a file that is not there: 2', async () => {
    expect(await holdfast(['replay', '--journal', join(folder, 'none.jsonl')])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/there is no such file\.\n {2}Nothing was compared\./),
    });
  });

  it('says how far it came in a file that is damaged in the middle', async () => {
    const lines = readFileSync(journalOf('exit-manager'), 'utf8').split('\n');
    const file = join(folder, 'damaged.jsonl');
    writeFileSync(file, [...lines.slice(0, 40), '{"no line of', 'ours', ...lines.slice(40)].join('\n'));
    const { code, err } = await holdfast(['replay', '--journal', file]);
    expect(code).toBe(2);
    expect(err).toMatch(/Only the \d+ events before that line were compared\./);
  });

  it.each([
    ['--from', '09:44'],
    ['--symbol', 'GAPR'],
  ])('%s without --trace is refused, not ignored: 64', async (...words) => {
    const { code, err } = await holdfast(['replay', '--journal', journalOf('exit-manager'), ...words]);
    expect(code).toBe(64);
    expect(err).toContain('Add --trace');
  });
});
