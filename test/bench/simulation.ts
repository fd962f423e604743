import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Session } from 'node:inspector';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSeed } from '@holdfast/sim/world/run-seed';
import { ROOT } from '../e2e/harness.js';
import type { BenchOptions } from './benches.js';
import { PARTS, type Profile, sharesOf } from './profile.js';
import type { BenchResult } from './report.js';

/** Simulated days per second under `storm`, as the command does it on every core, and where one thread's time goes. */

const SEEDS = { warm: 20, profiled: 40, campaign: 400 } as const;
const QUICK = { warm: 0, profiled: 1, campaign: 2 } as const;

export async function benchSimulation({ quick, say }: BenchOptions): Promise<BenchResult> {
  const { warm, profiled, campaign } = quick ? QUICK : SEEDS;
  const cores = availableParallelism();
  const { days, daysPerSecond } = await simulate(campaign, cores);
  say(`simulation: ${days} days on ${cores} threads, ${daysPerSecond.toFixed(1)} a second; one thread under the profiler …`);
  runDays(1, warm);
  const before = process.cpuUsage();
  runDays(1 + warm, profiled);
  const used = process.cpuUsage(before);
  const cpuMs = (used.user + used.system) / 1_000 / profiled;
  const shares = sharesOf(profileOf(() => runDays(1 + warm + profiled, profiled)));
  const figure = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0);
  return {
    name: 'simulation',
    title: `Simulated days under storm: ${daysPerSecond.toFixed(1)} a second on ${cores} threads, ${figure(cpuMs)} ms of processor each on one`,
    columns: ['part of a simulated day', 'share', 'ms of processor'],
    rows: [
      ...PARTS.map(({ part, title }) => [title, `${(100 * shares[part]).toFixed(0)} %`, figure(cpuMs * shares[part])]),
      ['one day, one thread', '100 %', figure(cpuMs)],
      [`days per second, ${cores} threads`, '', daysPerSecond.toFixed(1)],
    ],
    notes: [
      `Days per second: \`holdfast simulate --seeds ${campaign} --profile storm --workers ${cores}\`, its own figure, from the first seed on, the warming up of the code included.`,
      `Milliseconds: processor time of ${profiled} days on one thread after ${warm} others, garbage collection and compilation on V8’s own threads counted in. Shares: as many days more, sampled every 0.5 ms.`,
      'A sample belongs to the innermost part that its stack names; calculations of core belong to the brain that asked for them. The store is SQLite and what builds its rows; the loop is the engine’s, from the line to the brain and to the sends.',
    ],
    data: { unit: 'ms', daysPerSecond, threads: cores, cpuMsPerDay: cpuMs, shares },
  };
}

/** A store on tmpfs, as the command has it. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

function runDays(from: number, count: number): void {
  for (let seed = from; seed < from + count; seed += 1) runSeed({ seed, days: 1, profile: 'storm', scratch: SCRATCH, keep: 0 });
}

/** The command ends with 1 where it found a violation or where a kind of fault never bit; its figures stand all the same. */
function simulate(seeds: number, workers: number): Promise<{ readonly days: number; readonly daysPerSecond: number }> {
  const words = ['simulate', '--seeds', String(seeds), '--profile', 'storm', '--workers', String(workers), '--json'];
  const child = spawn(process.execPath, [join(ROOT, 'apps', 'cli', 'dist', 'main.js'), ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  return new Promise((resolve, reject) => {
    child.once('close', code => {
      const told: unknown = out.trim() === '' ? null : JSON.parse(out.trim().split('\n').at(-1) ?? '');
      if (isReport(told)) resolve(told);
      else reject(new Error(`holdfast simulate told no figures (exit code ${code})`));
    });
  });
}

const isReport = (told: unknown): told is { readonly days: number; readonly daysPerSecond: number } =>
  typeof told === 'object' && told !== null && 'days' in told && 'daysPerSecond' in told && typeof told.daysPerSecond === 'number';

/** Runs work under V8's sampling profiler. */
function profileOf(work: () => void): Profile {
  const session = new Session();
  session.connect();
  let profile: Profile | null = null;
  try {
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: 500 });
    session.post('Profiler.start');
    work();
    session.post('Profiler.stop', (error, taken) => {
      if (error === null) profile = taken.profile;
    });
  } finally {
    session.disconnect();
  }
  if (profile === null) throw new Error('the profiler gave no profile');
  return profile;
}
