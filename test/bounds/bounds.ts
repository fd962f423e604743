import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, loadNow } from '../bench/machine.js';
import { between } from '../bench/report.js';
import { measureRestarts, whileBusy } from '../bench/restart.js';
import { spreadOf } from '../bench/statistics.js';
import { ROOT } from '../e2e/harness.js';
import { measureArming } from './armed.js';
import { type BoundsResult, boundsTables, type Measured, type Unprotected } from './bound-report.js';
import { measureReturns } from './gateway-back.js';
import { measureHangs } from './hang.js';
import { measureTouches } from './touch.js';
import { measureUnprotected } from './unprotected.js';

interface Ask {
  readonly n: number;
  readonly say: (line: string) => void;
}

const row = (what: string, boundMs: number | null, times: readonly number[]): Measured => ({ what, boundMs, spread: spreadOf(times) });

/** A hang takes six seconds, whatever the machine: three of ten are enough. */
const hangsOf = (n: number): number => Math.max(1, Math.ceil(n * 0.3));

/** Each of DESIGN.md §8's second table, in its order. */
const BOUNDS = {
  killed: async ({ n, say }: Ask) => {
    const idle = await measureRestarts(n, line => say(`killed, idle: ${line}`));
    const busy = await whileBusy(2, () => measureRestarts(n, line => say(`killed, busy: ${line}`)));
    const totals = (restarts: typeof idle): readonly number[] => restarts.map(({ total }) => total);
    return [row('exit manager killed → READY', 500, totals(idle)), row('… with both cores busy', 1_000, totals(busy))];
  },
  hang: async ({ n, say }: Ask) => [row('exit manager hangs → its successor READY', 6_000, await measureHangs(hangsOf(n), say))],
  gateway: async ({ n, say }: Ask) => [row('gateway back → READY', 10_000, await measureReturns(n, say))],
  touch: async ({ n, say }: Ask) => {
    const { touches, adopted } = await measureTouches(n, say);
    return [
      row('stop touched → marketable exit at the gateway, cancels included', 2_000, touches),
      row('bought by hand → target and disaster stop working', null, adopted),
    ];
  },
  armed: async ({ n, say }: Ask) => [row('entry filled → target and disaster stop working', 1_000, await measureArming(n, say))],
} as const satisfies Record<string, (ask: Ask) => Promise<readonly Measured[]>>;

type BoundName = keyof typeof BOUNDS | 'unprotected';
const NAMES = ['killed', 'hang', 'gateway', 'touch', 'armed', 'unprotected'] as const satisfies readonly BoundName[];

const USAGE = `usage: npm run bounds -- [options]
  --n <N>          samples of each, default 100; of hangs, which take six seconds, three tenths of it
  --only <names>   of ${NAMES.join(', ')}; all unless given
  --json           one JSON line on stdout, the tables on stderr
  --write          puts the tables into docs/reliability.md

The bounds of the design, measured with real processes before the simulated gateway, and the longest times a position was without protection in
each protection mode. About a quarter of an hour in all.

  npm run bounds
  npm run bounds -- --only hang,touch --n 30
  npm run bounds -- --write
`;

/** Above this load average somebody else is at work on the machine, and the figures show that too. */
const QUIET_LOAD = 0.5;

/** Runs the measurements asked for, one after the other. Returns the exit code: 0, or 1 where a bound was missed. */
export async function runBounds(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = optionsOf(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}`);
    return 64;
  }
  const { names, n, json, write } = options;
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const loadBefore = loadNow();
  if (loadBefore > QUIET_LOAD) say(`note: load average ${loadBefore.toFixed(2)}, the machine is not quiet; the figures will show it`);
  const measured: Measured[] = [];
  let unprotected: readonly Unprotected[] = [];
  for (const name of names) {
    say(`${name} …`);
    const ask = { n, say: (line: string) => say(`  ${line}`) };
    if (name === 'unprotected') unprotected = await measureUnprotected(Math.max(1, Math.ceil(n / 10)), ask.say);
    else measured.push(...(await BOUNDS[name](ask)));
  }
  const result = { measured, unprotected };
  const head = `${Object.values(describeMachine()).join(' · ')} · load average before: ${loadBefore.toFixed(2)}`;
  const tables = `${head}\n\n${boundsTables(result, 'terminal')}\n`;
  if (json) {
    process.stderr.write(tables);
    process.stdout.write(`${JSON.stringify({ machine: describeMachine(), loadBefore, n, ...result })}\n`);
  } else process.stdout.write(tables);
  if (write) writeDocument(result, head);
  return measured.every(({ boundMs, spread }) => boundMs === null || spread.p99 <= boundMs) ? 0 : 1;
}

function optionsOf(args: readonly string[]) {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { n: { type: 'string' }, only: { type: 'string' }, json: flag, write: flag },
    });
    const asked = values.only?.split(',') ?? NAMES;
    const unknown = asked.filter(name => !NAMES.some(known => known === name));
    if (unknown.length > 0) return `no measurement is called ${unknown.join(', ')}`;
    if (values.write && values.only !== undefined) return '--write wants all of them, since it replaces the tables';
    const n = values.n === undefined ? 100 : Number(values.n);
    if (!Number.isSafeInteger(n) || n < 1 || n > 10_000) return `--n is a whole number from 1 to 10000, got ${values.n}`;
    return { n, json: values.json, write: values.write, names: NAMES.filter(name => asked.includes(name)) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function writeDocument(result: BoundsResult, head: string): void {
  const file = join(ROOT, 'docs', 'reliability.md');
  if (!existsSync(file)) throw new Error('docs/reliability.md is not there: the tables have no place');
  writeFileSync(file, between(readFileSync(file, 'utf8'), 'bounds', `\n${boundsTables(result, 'markdown')}\n\n_${head}_\n`));
}
