import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../e2e/harness.js';
import { type BenchResult, between, markdownTable, terminalTable } from './report.js';
import { figure, percentile, spreadOf } from './statistics.js';

/** The benches run and say what they should; how fast anything is on this machine and at this moment is nobody's assertion here. */

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function bench(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'test', 'bench', 'main.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise(resolve => child.once('close', code => resolve({ code, out, err })));
}

const spread = { count: expect.any(Number), p50: expect.any(Number), p99: expect.any(Number), worst: expect.any(Number) };
const leg = { holdfast: spread, script: spread, ratio: { p50: expect.any(Number), p99: expect.any(Number) } };
const parts = { total: spread, seen: spread, modules: spread, database: spread, connect: spread, reconcile: spread };
const memory = { last: expect.any(Number), peak: expect.any(Number), processes: 1 };

const SHAPES = {
  wire: { unit: 'ms', legs: { guarded: leg, sale: leg, naked: leg, whole: leg } },
  restart: { unit: 'ms', runs: { idle: parts, 'both cores busy': parts } },
  memory: { unit: 'MiB', processes: { supervisor: memory, 'exit-manager': memory, 'day-trader': memory, cli: memory } },
  micro: { unit: 'µs', times: { decide: spread, commitNormal: spread, commitFullCold: spread, heartbeat: spread } },
  simulation: { unit: 'ms', daysPerSecond: expect.any(Number), cpuMsPerDay: expect.any(Number), shares: { store: expect.any(Number) } },
} as const;

describe('npm run bench --quick', () => {
  test.each(Object.entries(SHAPES))('%s runs and tells one line of JSON', async (name, shape) => {
    const { code, out, err } = await bench('--quick', '--json', '--only', name);
    expect(code, err).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    const told = JSON.parse(out);
    expect(told).toMatchObject({ quick: true, machine: { node: `Node ${process.versions.node}` }, benches: { [name]: shape } });
    expect(out).not.toContain('null'); // JSON's word for what is not a number
  });

  test.each([
    [['--only', 'speed'], 'no bench is called speed'],
    [['--fast'], "Unknown option '--fast'"],
    [['--quick', '--write'], '--write wants the real figures'],
  ])('%j is refused in words, and nothing is measured', async (args, words) => {
    const { code, out, err } = await bench(...args);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(words);
  });
});

describe('figures', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  test.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0.001, 1],
  ])('of 1 to 100 the share %d does not exceed %d', (share, value) => {
    expect(percentile(hundred, share)).toBe(value);
  });

  test('one value is its own median and worst; none is a bug', () => {
    expect(spreadOf([7])).toEqual({ count: 1, p50: 7, p99: 7, worst: 7 });
    expect(() => spreadOf([])).toThrow('nothing was measured');
  });

  test.each([
    [0, '0'],
    [0.04567, '0.0457'],
    [0.4123, '0.412'],
    [9.876, '9.88'],
    [130.4, '130'],
    [83_874, '83874'],
  ])('%d reads %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });
});

describe('tables', () => {
  const result: BenchResult = {
    name: 'micro',
    title: 'Two things',
    columns: ['what', 'p50'],
    rows: [
      ['one', '1'],
      ['other', '20'],
    ],
    notes: ['measured twice'],
    data: {},
  };

  test('for a terminal: numbers flush right', () => {
    expect(terminalTable(result)).toContain('what   p50\n─────  ───\none      1\nother   20\n\n· measured twice');
  });

  test('for the document: between its marks, the words around untouched', () => {
    const page = 'Before.\n<!-- bench:micro -->\nold\n<!-- /bench:micro -->\nAfter.\n';
    expect(between(page, 'micro', markdownTable(result))).toBe(
      'Before.\n<!-- bench:micro -->\n| what | p50 |\n| --- | ---: |\n| one | 1 |\n| other | 20 |\n\n- measured twice\n<!-- /bench:micro -->\nAfter.\n',
    );
    expect(() => between('no place', 'micro', '')).toThrow('<!-- bench:micro -->');
  });
});
