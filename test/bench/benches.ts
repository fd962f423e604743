import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../e2e/harness.js';
import { describeMachine, loadNow } from './machine.js';
import { benchMemory } from './memory.js';
import { benchMicro } from './micro.js';
import { BENCH_NAMES, type BenchName, type BenchResult, between, markdownTable, terminalTable } from './report.js';
import { benchRestart } from './restart.js';
import { benchSimulation } from './simulation.js';
import { benchWire } from './wire.js';

/** What every bench is told. */
export interface BenchOptions {
  /** A few samples only: shows that the bench works, says nothing about speed. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

const BENCHES: Readonly<Record<BenchName, (options: BenchOptions) => Promise<BenchResult>>> = {
  wire: benchWire,
  restart: benchRestart,
  memory: benchMemory,
  micro: benchMicro,
  simulation: benchSimulation,
};

const USAGE = `usage: npm run bench -- [options]
  --only <names>   of ${BENCH_NAMES.join(', ')}; all unless given
  --quick          a few samples each: whether they run, not how fast things are
  --json           one JSON line on stdout, the tables on stderr
  --write          puts the tables into docs/benchmarks.md
`;

/** Above this load average somebody else is at work on the machine, and the figures show that too. */
const QUIET_LOAD = 0.5;

/** Runs the benches asked for, one after the other. Returns the exit code. */
export async function runBenches(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}`);
    return 64;
  }
  const { names, quick, json, write } = options;
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const machine = describeMachine();
  const results: (BenchResult & { readonly loadBefore: number })[] = [];
  for (const name of names) {
    const loadBefore = loadNow();
    if (loadBefore > QUIET_LOAD) say(`note: load average ${loadBefore.toFixed(2)}, the machine is not quiet; the figures will show it`);
    say(`${name} …`);
    results.push({ ...(await BENCHES[name]({ quick, say })), loadBefore });
  }
  const tables = results.map(terminalTable).join('\n');
  const head = Object.values(machine).join(' · ');
  if (json) {
    process.stderr.write(`${head}\n${tables}\n`);
    const figures = Object.fromEntries(results.map(({ name, data, loadBefore }) => [name, { loadBefore, ...data }]));
    process.stdout.write(`${JSON.stringify({ machine, quick, benches: figures })}\n`);
  } else process.stdout.write(`${head}\n${tables}\n`);
  if (write) writeDocument(results, head);
  return 0;
}

function optionsOf(args: readonly string[]) {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { only: { type: 'string' }, quick: flag, json: flag, write: flag },
    });
    const asked = values.only?.split(',') ?? BENCH_NAMES;
    const unknown = asked.filter(name => !BENCH_NAMES.some(known => known === name));
    if (unknown.length > 0) return `no bench is called ${unknown.join(', ')}`;
    if (values.write && values.quick) return '--write wants the real figures, not those of --quick';
    return { ...values, names: BENCH_NAMES.filter(name => asked.includes(name)) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function writeDocument(results: readonly (BenchResult & { readonly loadBefore: number })[], head: string): void {
  const file = join(ROOT, 'docs', 'benchmarks.md');
  let text = readFileSync(file, 'utf8');
  for (const result of results) {
    const when = `${head} · load average before: ${result.loadBefore.toFixed(2)}`;
    text = between(text, result.name, `\n${markdownTable(result)}\n\n_${when}_\n`);
  }
  writeFileSync(file, text);
}
