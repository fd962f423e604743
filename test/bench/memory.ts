import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../e2e/harness.js';
import type { BenchOptions } from './benches.js';
import type { BenchResult } from './report.js';

/** Resident memory of every process of a demo day, looked at from outside (Linux: /proc). */

const EVERY_MS = 250;
const PROCESSES = ['supervisor', 'exit-manager', 'day-trader', 'cli'] as const;
type Name = (typeof PROCESSES)[number];
const TITLES: Readonly<Record<Name, string>> = {
  supervisor: 'supervisor',
  'exit-manager': 'exit manager',
  'day-trader': 'day trader',
  cli: 'demo: gateway, exchange, referees',
};

interface Memory {
  /** MiB at the last look. */
  last: number;
  /** The most any process of this name ever held at one time: the kernel's own count, not ours. */
  peak: number;
  readonly pids: Set<number>;
}

export async function benchMemory({ quick, say }: BenchOptions): Promise<BenchResult> {
  const args = quick ? ['--no-chaos', '--until', '09:31'] : [];
  const child = spawn(process.execPath, [join(ROOT, 'apps', 'cli', 'dist', 'main.js'), 'demo', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the demo could not be started');
  let told = '';
  let complained = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
  });
  const seen = new Map<Name, Memory>();
  const looking = setInterval(() => look(pid, seen), EVERY_MS);
  const code = await new Promise<number | null>(resolve => child.once('close', resolve)).finally(() => clearInterval(looking));
  if (code !== 0) {
    // A day cut short ends with the demo's own complaint; a whole one must be good, or its memory says nothing.
    if (!quick) throw new Error(`the demo day was not good (exit code ${code}):\n${complained.slice(-3_000)}`);
    say(`memory: the day was cut short (exit code ${code})`);
  }
  return resultOf(seen, told);
}

/** The demo and whatever descends from it: nobody else's processes of the same name. */
function look(root: number, seen: Map<Name, Memory>): void {
  for (const pid of descendants(root)) {
    const facts = factsOf(pid);
    if (facts === null) continue;
    const memory = seen.get(facts.name) ?? { last: 0, peak: 0, pids: new Set<number>() };
    memory.last = facts.residentMiB;
    memory.peak = Math.max(memory.peak, facts.peakMiB);
    memory.pids.add(pid);
    seen.set(facts.name, memory);
  }
}

function descendants(root: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter(entry => /^\d+$/.test(entry))) {
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(childrenOf.get(pid) ?? []));
  return found;
}

function factsOf(pid: number): { readonly name: Name; readonly residentMiB: number; readonly peakMiB: number } | null {
  const commandLine = read(`/proc/${pid}/cmdline`);
  const name = PROCESSES.find(one => commandLine.includes(`apps/${one}/dist/main.js`));
  const status = read(`/proc/${pid}/status`);
  const kiB = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  const [resident, peak] = [kiB('VmRSS'), kiB('VmHWM')];
  return name === undefined || resident === 0 ? null : { name, residentMiB: resident / 1024, peakMiB: peak / 1024 };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

function resultOf(seen: ReadonlyMap<Name, Memory>, told: string): BenchResult {
  const rows = PROCESSES.map(name => ({ name, memory: seen.get(name) ?? { last: 0, peak: 0, pids: new Set<number>() } }));
  const day: unknown = told.trim() === '' ? {} : JSON.parse(told);
  const fact = (key: string): unknown => (typeof day === 'object' && day !== null ? Reflect.get(day, key) : undefined);
  const trips = fact('roundTrips');
  const roundTrips = Array.isArray(trips) ? trips.length : 0;
  const bounded = (value: unknown): number => (typeof value === 'number' ? value : 0);
  return {
    name: 'memory',
    title: 'Resident memory after a demo day (MiB)',
    columns: ['process', 'after the day', 'peak'],
    rows: rows.map(({ name, memory }) => [TITLES[name], memory.last.toFixed(0), memory.peak.toFixed(0)]),
    notes: [
      `One \`npm run demo\` (${String(fact('source') ?? 'cut short')}, ${roundTrips} round trips, ${bounded(fact('wallSeconds')).toFixed(0)} s), looked at every ${EVERY_MS} ms from outside; a worker that was killed on the way is a new process after it, and the peak is that of the largest.`,
      'Resident set, shared pages of Node included in each: about 45 MiB of every figure are Node itself.',
    ],
    data: {
      unit: 'MiB',
      roundTrips,
      processes: Object.fromEntries(
        rows.map(({ name, memory }) => [name, { last: memory.last, peak: memory.peak, processes: memory.pids.size }]),
      ),
    },
  };
}
