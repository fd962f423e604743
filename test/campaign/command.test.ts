import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bugReport, emptyReport } from '@holdfast/sim/world/campaign';
import { afterAll, describe, expect, it } from 'vitest';
import { holdfast } from '../e2e/command-line.js';

/** `holdfast simulate` as a person or a batch engine meets it: shards, merging, stories, wrong words. */

const folder = mkdtempSync(join(tmpdir(), 'holdfast-campaign-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parsed = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const untimed = ({ seconds: _, daysPerSecond: __, ...report }: Record<string, unknown>) => report;
/** Seeds are told as they end; the sums of a report do not depend on that, the order of its keys does. */
const sorted = (report: Record<string, unknown>): unknown =>
  JSON.parse(
    JSON.stringify(report, (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
        : value,
    ),
  );

describe('holdfast simulate', () => {
  it('shards of a campaign add up to the whole', { timeout: 300_000 }, async () => {
    const words = ['simulate', '--seeds', '4', '--from', '9007199254740000', '--profile', 'calm', '--json'];
    const files: string[] = [];
    for (const shard of ['1/2', '2/2']) {
      const part = await holdfast([...words, '--shard', shard]);
      expect(part.code, part.err).toBe(0);
      expect(parsed(part.out).seeds).toBe(2);
      const file = join(folder, `shard-${shard.replace('/', '-')}.json`);
      writeFileSync(file, part.out);
      files.push(file);
    }
    const [whole, merged] = [await holdfast(words), await holdfast(['simulate', 'merge', ...files, '--json'])];
    expect(merged.code, merged.err).toBe(0);
    expect(sorted(untimed(parsed(merged.out)))).toEqual(sorted(untimed(parsed(whole.out))));
    expect(Object.keys(parsed(whole.out)).slice(0, 8)).toEqual([
      'seeds',
      'days',
      'faults',
      'orders',
      'executions',
      'crashes',
      'violations',
      'daysPerSecond',
    ]);
    const twice = await holdfast(['simulate', 'merge', files[0] ?? '', files[0] ?? '']);
    expect(twice.code).toBe(64);
    expect(twice.err).toContain('count twice');
  });

  it('a story has exchange time, who and what, and ends with its hash', { timeout: 120_000 }, async () => {
    const { out, err, code } = await holdfast(['simulate', '--seed', '12', '--profile', 'calm', '--trace']);
    expect(code, err).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S.* /);
    expect(out).toContain('enters BUY');
    expect(err).toMatch(/seed 12: 0 violations, trace [0-9a-f]{32}/);
  });

  it.each([
    [['simulate'], 'Say which seeds'],
    [['simulate', '--seeds', 'many'], 'whole number'],
    [['simulate', '--seeds', '3', '--shard', '4/3'], '3/20'],
    [['simulate', '--seeds', '3', '--profile', 'hurricane'], 'calm, rough, storm'],
    [['simulate', '--trace', '--seeds', '3'], '--trace needs --seed'],
    [['simulate', '--seeds', '2', '--from', '9007199254740992'], '2^53'],
    [['simulate', '--seeds', '0'], 'whole number from 1 to 10000000'],
    [['simulate', '--seeds', '10000001'], 'whole number from 1 to 10000000'],
    [['simulate', '--seed', '1e20'], 'whole number from 0 to 2^53'],
    [['simulate', '--seed', '5', '--seeds', '3'], 'leave out --seeds'],
    [['simulate', '--seed', '5', '--verbose'], '--verbose needs --trace'],
    [['simulate', '--seed', '5', '--trace', '--json'], 'one of the two'],
  ])('%j is refused in words', async (words, told) => {
    const { code, err, out } = await holdfast(words);
    expect(code).toBe(64);
    expect(err).toContain(told);
    expect(out).toBe('');
  });

  it('a shard in which a seed ended in a bug fails the merged campaign too', async () => {
    const files = ['clean', 'bug'].map((name, index) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(
        file,
        JSON.stringify(index === 0 ? { ...emptyReport('calm'), seeds: 1, days: 1 } : bugReport('calm', 7, 'Error: x\n at y')),
      );
      return file;
    });
    const merged = await holdfast(['simulate', 'merge', ...files, '--json']);
    expect(merged.code, merged.err).toBe(1);
    expect(parsed(merged.out)).toMatchObject({ seeds: 2, violations: [{ invariant: 'bug', seed: 7, detail: 'Error: x' }] });
  });

  it('a shard without a seed of its own says so: no seed is no proof', async () => {
    const { code, err, out } = await holdfast(['simulate', '--seeds', '1', '--shard', '2/2']);
    expect(code).toBe(0);
    expect(err).toContain('shard 2/2 of 1 seed holds none');
    expect(out).toContain('0 seeds, 0 days under storm: nothing was run');
  });

  it('a file that is no report is named', async () => {
    const file = join(folder, 'no-report.json');
    for (const text of ['{"seeds": 3}', '{"profile": "storm", "faults": {}, "hashes": {}}', 'null', 'no JSON']) {
      writeFileSync(file, text);
      const { code, err } = await holdfast(['simulate', 'merge', file]);
      expect(code, text).toBe(69);
      expect(err).toContain('no-report.json');
    }
  });
});
