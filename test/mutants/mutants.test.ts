import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { holdfast } from '../e2e/command-line.js';
import { ROOT } from '../e2e/harness.js';
import { DESK_MUTANTS } from './desk-mutants.js';
import { EXIT_MUTANTS } from './exit-mutants.js';
import type { Mutant } from './mutant.js';

/**
 * The simulation is itself tested (issue 3, item 5): each mutant breaks one safety rule of the built program, and the campaign must find it within
 * 300 seeds, by an invariant the table names. How a break is made, and why a caught mutant proves something: docs/decisions/0022-mutants.md.
 */
const MUTANTS = [...EXIT_MUTANTS, ...DESK_MUTANTS];
const FROM = 1;
const SEEDS = 300;
const HOOK = pathToFileURL(join(ROOT, 'test', 'mutants', 'hook.mjs')).href;
/** At most so many campaigns at a time; each has one thread. */
const AT_A_TIME = 2;
const MUTANT_TIMEOUT_MS = 1_800_000;
/** A mutant that trips over its own break proves nothing. */
const TRIPPED = /ReferenceError|TypeError|SyntaxError|is not defined|is not a function|Cannot read prop/;

interface Report {
  readonly seeds: number;
  readonly violations: readonly { readonly invariant: string; readonly seed: number; readonly detail: string }[];
}

interface Caught {
  readonly name: string;
  readonly invariant: string;
  readonly seed: number;
}

const caught: Caught[] = [];

const simulate = (words: readonly string[], environment: Readonly<Record<string, string>>) =>
  holdfast(['simulate', ...words], { environment });
const broken = ({ name }: Mutant) => ({ NODE_OPTIONS: `--import ${HOOK}`, HOLDFAST_TEST_MUTANT: name });
const reportOf = (out: string, told: string): Report => {
  if (!out.startsWith('{')) throw new Error(`no report. ${told}`);
  return JSON.parse(out) as Report;
};

let running = 0;
const waiting: (() => void)[] = [];
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_A_TIME) await new Promise<void>(resolve => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

async function hunt(mutant: Mutant): Promise<Caught> {
  const days = ['--days', String(mutant.days ?? 1)];
  const campaign = ['--seeds', String(SEEDS), '--from', String(FROM), ...days, '--workers', '1', '--first', '--json'];
  const { code, out, err } = await simulate(campaign, broken(mutant));
  const told = `${mutant.name}: exit code ${code}\n${err.slice(-4_000)}`;
  const [first] = reportOf(out, told).violations;
  if (first === undefined || code !== 1) throw new Error(`survived, or ended in a bug of its own. ${told}`);
  const { invariant, seed } = first;
  const story = await simulate(['--seed', String(seed), ...days, '--trace'], broken(mutant));
  expect(TRIPPED.exec(story.out)?.[0], `${mutant.name}, seed ${seed}: it tripped over its own break`).toBeUndefined();
  return { name: mutant.name, invariant, seed };
}

describe('every broken rule is noticed', () => {
  it.concurrent.each(MUTANTS)('$name: caught within 300 seeds', { timeout: MUTANT_TIMEOUT_MS }, async mutant => {
    const found = await inTurn(() => hunt(mutant));
    caught.push(found);
    expect(mutant.caughtBy, `${mutant.name}: first noticed by ${found.invariant}, seed ${found.seed}`).toContain(found.invariant);
  });

  it('the same first seeds without a break: no violation', { timeout: MUTANT_TIMEOUT_MS }, async () => {
    const last = Math.max(FROM, ...caught.map(({ seed }) => seed));
    const { code, out, err } = await simulate(['--seeds', String(last - FROM + 1), '--from', String(FROM), '--workers', '2', '--json'], {});
    const { seeds, violations } = reportOf(out, err.slice(-4_000));
    expect(violations, err.slice(-4_000)).toEqual([]);
    expect({ seeds, code }).toEqual({ seeds: last - FROM + 1, code: 0 });
    for (const { name, days = 1 } of MUTANTS.filter(mutant => mutant.days !== undefined)) {
      const found = caught.find(one => one.name === name);
      if (!found) continue;
      const same = await simulate(['--seed', String(found.seed), '--days', String(days), '--json'], {});
      expect(reportOf(same.out, same.err).violations, name).toEqual([]);
    }
  });

  afterAll(() => {
    const width = Math.max(0, ...caught.map(({ name }) => name.length));
    const order = new Map(MUTANTS.map(({ name }, index) => [name, index]));
    const rows = caught.toSorted((one, other) => (order.get(one.name) ?? 0) - (order.get(other.name) ?? 0));
    console.log(rows.map(({ name, invariant, seed }) => `${name.padEnd(width)}  ${invariant.padEnd(3)}  seed ${seed}`).join('\n'));
  });
});
