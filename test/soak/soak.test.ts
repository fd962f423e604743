import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../e2e/harness.js';
import { pause } from '../e2e/waiting.js';

/** The soak as CI runs it, and what it leaves behind when it is interrupted: nothing. */

const KILLS = 200;
const MINUTES_MAX = 8;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

function run(program: 'soak' | 'bounds', ...args: readonly string[]): Started {
  const child = spawn(process.execPath, [join(ROOT, 'test', program, 'main.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, out, err })));
  return { pid: child.pid ?? 0, ended };
}

test(`I1–I7, I11, I12: ${KILLS} kills of real processes, among stops, cuts, outages and trades by hand: no violation, and well again each time`, {
  timeout: (MINUTES_MAX + 2) * 60_000,
}, async () => {
  // Another market and another plan each day: CI is to see new ones. The seed is in the message of a failure.
  const seed = Math.floor(Date.now() / 86_400_000) * 1_000;
  const { code, out, err } = await run('soak', '--kills', String(KILLS), '--minutes', String(MINUTES_MAX), '--seed', String(seed), '--json')
    .ended;
  const told = JSON.parse(out === '' ? '{}' : out);
  // What was violated comes first: the end of a long message is what a log leaves out.
  const story = `--seed ${seed}\n${(told.violations ?? []).map((one: object) => `${JSON.stringify(one)}\n`).join('')}${err}`;
  expect(code, story).toBe(0);
  expect(told, story).toMatchObject({ violations: [], days: expect.any(Number), kills: expect.any(Object) });
  expect(told.killsTotal, story).toBeGreaterThanOrEqual(KILLS);
  for (const app of ['exit-manager', 'day-trader', 'supervisor']) expect(told.kills[app], story).toBeGreaterThan(0);
  // A soak in which nothing was at stake has shown nothing.
  expect(told.executions, story).toBeGreaterThan(50);
  expect(told.recoveryMs.count, story).toBeGreaterThan(4);
});

const desksLeft = (): readonly string[] => readdirSync(tmpdir()).filter(name => name.startsWith('holdfast e2e-'));

test('interrupted in a storm it ends with 130, its processes and folders gone', { timeout: 60_000 }, async () => {
  const before = new Set(desksLeft());
  const soak = run('soak', '--minutes', '1', '--desks', '1');
  await pause(6_000);
  const mine = desksLeft().filter(name => !before.has(name));
  expect(mine).toHaveLength(1);
  process.kill(soak.pid, 'SIGINT');
  const { code, err } = await soak.ended;
  expect(code, err).toBe(130);
  expect(desksLeft().filter(name => mine.includes(name))).toEqual([]);
  expect(processesNaming(mine[0] ?? '')).toEqual([]);
});

function processesNaming(folder: string): readonly string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && commandOf(name).includes(folder));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

test.each([
  ['soak', ['--mode', 'brave'], '--mode is one of guarded, monitored, resting'],
  ['soak', ['--kills', 'many'], '--kills is a whole number'],
  ['soak', ['--fast'], "Unknown option '--fast'"],
  ['bounds', ['--only', 'speed'], 'no measurement is called speed'],
  ['bounds', ['--only', 'hang', '--write'], '--write wants all of them'],
] as const)('%s %j is refused in words', async (program, args, words) => {
  const { code, out, err } = await run(program, ...args).ended;
  expect({ code, out }).toEqual({ code: 64, out: '' });
  expect(err).toContain(words);
});

test('the bounds can be measured and told in one line', { timeout: 120_000 }, async () => {
  const { out, err } = await run('bounds', '--n', '2', '--only', 'touch,gateway', '--json').ended;
  const told = JSON.parse(out);
  expect(told.measured, err).toHaveLength(3);
  for (const { spread } of told.measured) expect(spread.p99, err).toBeGreaterThan(0);
});
