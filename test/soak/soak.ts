import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mono } from '@holdfast/engine/live';
import { describeMachine } from '../bench/machine.js';
import { between } from '../bench/report.js';
import { ROOT } from '../e2e/harness.js';
import { runDay } from './run-day.js';
import { type DayPlan, MODES, type Mode } from './short-day.js';
import { formatTally, tallyJson } from './soak-report.js';
import { killsOf, newTally, type Tally } from './tally.js';

const USAGE = `usage: npm run soak -- [options]
  --minutes <M>   stop after so many minutes (default 5; with --kills: an upper limit, default 60)
  --kills <N>     go on until so many kill −9 have been given; fewer is a failure
  --seed <S>      the first day's seed, default 1; each day takes the next one
  --speed <X>     exchange seconds per second where nothing happens, default 20
  --mode <mode>   ${MODES.join(', ')}; the days take turns unless given
  --desks <K>     so many desks side by side, default 2
  --json          one JSON line on stdout, the table on stderr
  --write         puts the table into docs/reliability.md

Runs short trading days with real processes before the simulated gateway while processes are killed and stopped, lines cut and silenced, the
gateway restarted, prices pushed and trades made by hand. The gateway's ground truth is the referee. Between the storms the desk must get well
by itself. Exit code 0: no violation, and all the kills asked for.

  npm run soak -- --minutes 3
  npm run soak -- --kills 1000 --json
  npm run soak -- --seed 17 --mode resting --desks 1 --minutes 1
`;

interface Options {
  readonly minutes: number;
  readonly kills: number;
  readonly seed: number;
  readonly speed: number;
  readonly mode: Mode | undefined;
  readonly desks: number;
  readonly json: boolean;
  readonly write: boolean;
}

/** Where short days begin: most entries come after the open; the last one meets the end of day. */
const STARTS = ['09:31', '09:33', '10:05', '15:41'] as const;
const SAY_EVERY_MS = 10_000;

/** Runs the soak asked for. Returns the exit code. */
export async function runSoak(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = optionsOf(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}`);
    return 64;
  }
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const interrupted = onInterrupt(say);
  const began = mono();
  const tally = newTally();
  const trouble = await soak(options, { tally, say, isInterrupted: interrupted.is, began });
  interrupted.forget();
  const table = formatTally(tally, mono() - began);
  if (options.json) {
    say(table);
    process.stdout.write(
      `${JSON.stringify(tallyJson(tally, { seed: options.seed, wallSeconds: Math.round((mono() - began) / 1_000) }))}\n`,
    );
  } else process.stdout.write(`${table}\n`);
  if (interrupted.is()) return 130;
  if (options.write) writeDocument(`npm run soak -- ${args.filter(word => word !== '--write').join(' ')}`, table);
  for (const words of trouble) say(words);
  if (killsOf(tally) < options.kills) say(`only ${killsOf(tally)} of ${options.kills} kills were given`);
  return trouble.length === 0 && tally.violations.length === 0 && killsOf(tally) >= options.kills ? 0 : 1;
}

interface Stage {
  readonly tally: Tally;
  readonly say: (line: string) => void;
  readonly isInterrupted: () => boolean;
  readonly began: number;
}

/** Days one after the other on each desk, until it is enough. Returns what went wrong besides violations. */
async function soak(options: Options, { tally, say, isInterrupted, began }: Stage): Promise<readonly string[]> {
  const trouble: string[] = [];
  const until = began + options.minutes * 60_000;
  const isEnough = (): boolean =>
    tally.violations.length > 0 || trouble.length > 0 || mono() >= until || (options.kills > 0 && killsOf(tally) >= options.kills);
  let next = 0;
  const saying = setInterval(() => say(progress(tally, options, mono() - began)), SAY_EVERY_MS);
  const desk = async (): Promise<void> => {
    while (!isEnough() && !isInterrupted()) {
      const number = next;
      next += 1;
      const plan = planOf(number, options);
      // A day that has begun is ended in order: the last storm must be got over, or its kills have shown nothing.
      try {
        await runDay({ plan, number, tally, say, isOver: isInterrupted, isEnough });
      } catch (error) {
        trouble.push(
          `day ${number} (seed ${plan.seed}) could not go on: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: options.desks }, desk));
  } finally {
    clearInterval(saying);
  }
  return trouble;
}

function writeDocument(command: string, table: string): void {
  const file = join(ROOT, 'docs', 'reliability.md');
  const words = `\n\`${command.trim()}\`\n\n\`\`\`\n${table}\n\`\`\`\n\n_${Object.values(describeMachine()).join(' · ')}_\n`;
  writeFileSync(file, between(readFileSync(file, 'utf8'), 'soak', words));
}

function planOf(number: number, { seed, speed, mode }: Options): DayPlan {
  const turn = (number + seed) % 12;
  return {
    seed: seed + number,
    start: STARTS[turn % STARTS.length] ?? STARTS[0],
    speed,
    mode: mode ?? MODES[turn % MODES.length] ?? 'guarded',
    isMinimalAllowed: turn % 4 === 2,
  };
}

const progress = (tally: Tally, { kills }: Options, wallMs: number): string =>
  `${Math.round(wallMs / 1_000)} s: ${killsOf(tally)}${kills > 0 ? ` of ${kills}` : ''} kills, ${tally.storms} storms, ${tally.days} days done, ${tally.violations.length} violations`;

/** Ctrl+C ends the soak in order; a second one changes nothing, since nothing may be left running. */
function onInterrupt(say: (line: string) => void) {
  let isInterrupted = false;
  const hear = (): void => {
    if (!isInterrupted) say('interrupted: everything of the soak is being stopped');
    isInterrupted = true;
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    is: (): boolean => isInterrupted,
    forget: (): void => {
      for (const signal of signals) process.removeListener(signal, hear);
    },
  };
}

function optionsOf(args: readonly string[]): Options | string {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { minutes: text, kills: text, seed: text, speed: text, mode: text, desks: text, json: flag, write: flag },
    });
    const mode = MODES.find(known => known === values.mode);
    if (values.mode !== undefined && mode === undefined) return `--mode is one of ${MODES.join(', ')}, got ${values.mode}`;
    const number = (
      key: 'minutes' | 'kills' | 'seed' | 'speed' | 'desks',
      otherwise: number,
      [min, max]: readonly [number, number],
    ): number => {
      const word = values[key];
      const value = word === undefined ? otherwise : Number(word);
      const isWhole = key === 'minutes' || key === 'speed' || Number.isSafeInteger(value);
      if (!(value >= min && value <= max) || !isWhole)
        throw new Error(`--${key} is a ${key === 'minutes' || key === 'speed' ? '' : 'whole '}number from ${min} to ${max}, got ${word}`);
      return value;
    };
    return {
      minutes: number('minutes', values.kills === undefined ? 5 : 60, [0.1, 10_000]),
      kills: number('kills', 0, [0, 1_000_000]),
      seed: number('seed', 1, [0, Number.MAX_SAFE_INTEGER - 1_000_000]),
      speed: number('speed', 20, [1, 60]),
      desks: number('desks', 2, [1, 8]),
      mode,
      json: values.json,
      write: values.write,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
