import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Holdfast, startHoldfast } from './command-line.js';
import { ROOT } from './harness.js';
import { waitFor } from './waiting.js';

/** `holdfast demo` as a person or a program runs it: a process of its own, judged by what it says and what it leaves behind. */

const DATA = join(ROOT, '..', 'shared', 'data', 'us-equity');
const NO_DATA = existsSync(DATA) ? '' : ' (skipped: ../shared/data is not there)';
const DEMOS = join(ROOT, 'var', 'demo');

interface Day {
  readonly date: string;
  readonly source: string;
  readonly roundTrips: readonly {
    readonly symbol: string;
    readonly side: string;
    readonly quantity: number;
    readonly entryPrice: number;
    readonly exitPrice: number;
    readonly exitReason: string;
    readonly pnl: number;
  }[];
  readonly restarts: { readonly exitManager: number; readonly dayTrader: number };
  readonly violations: readonly unknown[];
  readonly pnl: number;
  readonly flat: boolean;
  readonly wallSeconds: number;
}

/** Runs a demo with --json to its end; stdout must be the one line. */
async function runDemo(...words: readonly string[]): Promise<{ readonly day: Day; readonly code: number | string; readonly err: string }> {
  const demo = startHoldfast(['demo', '--json', '--speed', '900', ...words]);
  const code = await demo.ended;
  const story = `exit code ${code}\n${demo.err().slice(-6_000)}`;
  expect(demo.out().trim().split('\n'), story).toHaveLength(1);
  return { day: JSON.parse(demo.out()) as Day, code, err: demo.err() };
}

/** The folder of one demo, as it told it: others may run demos of their own. */
const folderOf = (err: string): string => /while it runs: (.*)/.exec(err)?.[1] ?? 'the demo named no folder';

/** Processes that have this folder on their command line (Linux). */
const processesOf = (folder: string): string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // gone meanwhile
      }
    })
    .filter(line => line.includes(folder));

function expectNothingLeft(err: string): void {
  expect(processesOf(folderOf(err)), err).toEqual([]);
  expect(existsSync(folderOf(err)), err).toBe(false);
}

describe('a whole synthetic day', () => {
  it('B13: trades both ways out, survives a kill -9 of either worker, ends flat with every invariant held', async () => {
    const { day, code, err } = await runDemo('--seed', '7');
    expect(code, err).toBe(0);
    expect(day).toMatchObject({ date: '2026-03-09', source: 'synthetic seed 7', violations: [], flat: true });
    expect(day.restarts).toEqual({ exitManager: 1, dayTrader: 1 });

    const { roundTrips } = day;
    const reasons = roundTrips.map(trip => trip.exitReason);
    expect(roundTrips.length).toBeGreaterThanOrEqual(5);
    expect(reasons).toContain('target');
    expect(reasons).toContain('stop');
    // A10: once a day and symbol.
    expect(new Set(roundTrips.map(trip => trip.symbol)).size).toBe(roundTrips.length);
    for (const { quantity, entryPrice, exitPrice, exitReason, pnl } of roundTrips) {
      const gross = quantity * (exitPrice - entryPrice);
      // Net of commissions, which are at most half a cent a share, at least a dollar an order.
      expect(pnl).toBeLessThan(gross);
      expect(pnl).toBeGreaterThan(gross - 2 * Math.max(4, 0.01 * quantity));
      if (exitReason === 'target') expect(exitPrice).toBeGreaterThan(entryPrice * 1.0175);
      if (exitReason === 'stop') expect(exitPrice).toBeLessThan(entryPrice);
    }
    const sum = roundTrips.reduce((total, { pnl }) => total + pnl, 0);
    expect(Math.abs(day.pnl - sum)).toBeLessThan(0.01 * roundTrips.length);

    // What people read, on stderr because of --json.
    expect(err).toMatch(/hands off: 50 KOLA, untouched/);
    expect(err).toMatch(/kill -9 day-trader .*\n.* has left and not reached the exchange/);
    expect(err).toMatch(/kill -9 exit-manager .*\n.* opens with this fill/);
    expect(err).toMatch(/without a guard for \d+ ms/);
    expect(err).toMatch(/the order filled \d+ ms after its sender's death/);

    expectNothingLeft(err);
  });
});

describe('recorded days', () => {
  // Cut short, after both kills and the first exits: the whole of them is a person's to watch, a minute each.
  it.skipIf(NO_DATA !== '')(`B13: seconds with quotes of small caps, 2025-11-14${NO_DATA}`, async () => {
    const { day, code, err } = await runDemo('--data', DATA, '--date', '2025-11-14', '--until', '11:20');
    expect(code, err).toBe(0);
    expect(day).toMatchObject({ date: '2025-11-14', violations: [], restarts: { exitManager: 1, dayTrader: 1 } });
    expect(day.roundTrips.length).toBeGreaterThanOrEqual(1);
  });

  it.skipIf(NO_DATA !== '')(`B13: seconds and minutes without quotes, 2025-10-15${NO_DATA}`, async () => {
    const { day, code, err } = await runDemo('--data', DATA, '--date', '2025-10-15', '--until', '10:15');
    expect(code, err).toBe(0);
    expect(day).toMatchObject({ date: '2025-10-15', violations: [], restarts: { exitManager: 1, dayTrader: 1 } });
    expect(day.roundTrips.length).toBeGreaterThanOrEqual(1);
  });
});

describe('a demo that does not come to its end', () => {
  it('killed with -9 it leaves its desk at work, and the next demo ends that and says so', async () => {
    const demo = startHoldfast(['demo', '--no-chaos']);
    await waitFor('the workers to be READY', () => demo.err().includes('both workers are READY'), { lastSeen: demo.err });
    const folder = folderOf(demo.err());
    demo.child.kill('SIGKILL');
    await demo.ended;
    expect(processesOf(folder)).toHaveLength(3);
    const next = startHoldfast(['demo', '--no-chaos', '--until', '09:02']);
    await next.ended;
    expect(next.err()).toContain('an earlier demo was killed');
    expect(next.err()).toContain(folder);
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(true);
    rmSync(folder, { recursive: true });
    rmSync(folderOf(next.err()), { recursive: true, force: true });
  });

  it('fails when its faults could not be injected', async () => {
    const { code, err } = await runDemo('--until', '09:10');
    expect(code).toBe(1);
    expect(err).toMatch(/only 0 of 2 kills could be given/);
    // Kept for whoever wants to know why, and named.
    const folder = /store and logs are kept in (.*)/.exec(err)?.[1] ?? '';
    expect(folder).toBe(folderOf(err));
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(join(folder, 'desk.yaml'))).toBe(true);
    if (folder.startsWith(DEMOS)) rmSync(folder, { recursive: true });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops everything and leaves nothing behind', async signal => {
    const demo: Holdfast = startHoldfast(['demo']);
    await waitFor('both workers to be READY', () => demo.err().includes('both workers are READY'), { lastSeen: demo.err });
    expect(processesOf(folderOf(demo.err()))).toHaveLength(3);
    demo.child.kill(signal);
    expect(await demo.ended).toBe(130);
    expect(demo.err()).toMatch(/interrupted/);
    expectNothingLeft(demo.err());
  });

  it.each(['stdout', 'stderr'] as const)('%s closed by its reader, as `| head` does, stops everything', async stream => {
    const demo: Holdfast = startHoldfast(['demo', ...(stream === 'stdout' ? ['--until', '09:31'] : [])]);
    await waitFor('both workers to be READY', () => demo.err().includes('both workers are READY'), { lastSeen: demo.err });
    const folder = folderOf(demo.err());
    expect(processesOf(folder)).toHaveLength(3);
    demo.child[stream]?.destroy();
    await demo.ended;
    expect(processesOf(folder)).toEqual([]);
    if (folder.startsWith(DEMOS)) rmSync(folder, { recursive: true, force: true });
  });
});
