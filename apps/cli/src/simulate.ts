import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { SEED_MAX } from '@holdfast/sim/random';
import { type CampaignReport, DAYS_FOR_EVERY_FAULT, emptyReport, join, missingFaults } from '@holdfast/sim/world/campaign';
import { everyFault } from '@holdfast/sim/world/every-fault';
import { PROFILES, type Profile } from '@holdfast/sim/world/profile';
import { runSeed, type SeedOptions, type SeedResult } from '@holdfast/sim/world/run-seed';
import { type Ownership, PROTECTIONS, type Protection } from '@holdfast/sim/world/setup';
import { InvalidArgumentError, Option } from 'commander';
import type { Place, Verb } from './command-line.js';
import { complain, EXIT, wordsOf } from './problem.js';
import { countOf, printJson } from './screen.js';
import { campaignMarkdown } from './simulate/record.js';
import { formatCampaign, reportJson } from './simulate/report.js';
import { runCampaign } from './simulate/run-campaign.js';
import { openScratch } from './simulate/scratch.js';

interface Options {
  readonly seeds?: number;
  readonly seed?: number;
  readonly from?: number;
  readonly days: number;
  readonly profile: Profile;
  readonly workers: number;
  readonly shard?: Shard;
  readonly protection?: Protection;
  readonly ownership?: Ownership;
  readonly focus?: boolean;
  readonly trace?: boolean;
  readonly verbose?: boolean;
  readonly first?: boolean;
  readonly json?: boolean;
}

interface MergeOptions {
  readonly json?: boolean;
  readonly markdown?: boolean;
}

interface Shard {
  readonly index: number;
  readonly of: number;
}

const EXAMPLES = `
Examples:
  ./holdfast simulate --seeds 200 --profile storm --workers 2
  ./holdfast simulate --seed 4711 --trace | less
  ./holdfast simulate --seeds 10000 --shard 3/20 --json > shard-3.json
  ./holdfast simulate merge shard-*.json

A seed replays exactly: the same seed, days, profile and version give the same story.
The campaign fails (exit code 1) on a violation, and when a kind of fault never bit in a campaign long enough to expect it.`;

/** `holdfast simulate`: the whole desk in one process under a virtual clock, hunting for the day on which money is lost. */
export const addSimulateCommand: Verb = (program, run) => {
  const simulate = program
    .command('simulate')
    .description('simulate trading days with faults, and let a referee per invariant watch them')
    .option('--seeds <n>', 'how many seeds to run', positive)
    .option('--from <seed>', 'the first of them (default: 1)', wholeNumber)
    .option('--seed <seed>', 'this one seed alone: a whole number from 0 to 2^53', wholeNumber)
    .option('--days <n>', 'trading days in a row per seed', positive, 1)
    .addOption(new Option('--profile <profile>', 'how much goes wrong').choices([...PROFILES]).default('storm'))
    .addOption(new Option('--protection <mode>', 'one protection mode; each seed draws its own without it').choices([...PROTECTIONS]))
    .addOption(new Option('--ownership <world>', 'who may cancel an order; each seed draws it').choices(['own-only', 'any-client']))
    .option('--focus', 'each seed goes at one cell of the table of faults and order states, all cells in turn')
    .option('--workers <n>', 'threads', positive, availableParallelism())
    .option('--shard <i/n>', 'the i-th of n equal parts of the seeds', parseShard)
    .option('--trace', 'with --seed: print its story')
    .option('--verbose', 'with --trace: every event of every worker besides')
    .option('--first', 'end at the first violation')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => run(place => simulateSeeds(place, options)));
  simulate
    .command('merge')
    .description('add up the --json reports of shards')
    .argument('<files...>', 'files with one report each')
    .option('--markdown', 'as a section of a document, with the table of fault and order state')
    .option('--json', 'one line of JSON on stdout')
    .action((files: readonly string[], options: MergeOptions, command: { optsWithGlobals(): Options }) =>
      run(place => merge(place, files, { ...options, json: options.json === true || command.optsWithGlobals().json === true })),
    );
};

function wholeNumber(text: string): number {
  const value = Number(text);
  // 2^53 + 1 would be read as 2^53: the text is asked, not the number it becomes.
  if (!/^\d+$/.test(text) || BigInt(text) > BigInt(SEED_MAX)) throw new InvalidArgumentError('It must be a whole number from 0 to 2^53.');
  return value;
}

function positive(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 10_000_000) throw new InvalidArgumentError('It must be a whole number from 1 to 10000000.');
  return value;
}

function parseShard(text: string): Shard {
  const parts = /^(\d+)\/(\d+)$/.exec(text);
  const [index, of] = [Number(parts?.[1]), Number(parts?.[2])];
  if (!parts || index < 1 || of < 1 || index > of) throw new InvalidArgumentError('Write it as 3/20: the third of twenty parts.');
  return { index, of };
}

async function simulateSeeds(place: Place, options: Options): Promise<number> {
  const { seed, days, profile, protection, ownership, focus } = options;
  const wanted = { days, profile, ...(protection && { protection }), ...(ownership && { ownership }), ...(focus && { focused: true }) };
  if (seed !== undefined && (options.seeds !== undefined || options.from !== undefined || options.shard !== undefined))
    return usage(place, '--seed is one seed alone: leave out --seeds, --from and --shard.');
  if (options.trace === true) {
    if (options.json === true) return usage(place, '--trace prints a story, --json a report: one of the two.');
    if (seed === undefined) return usage(place, '--trace needs --seed: it prints the story of one seed.');
    return tell(place, { ...wanted, seed, verbose: options.verbose === true });
  }
  if (options.verbose === true) return usage(place, '--verbose needs --trace: it is about the story of one seed.');
  if (seed === undefined && options.seeds === undefined) return usage(place, 'Say which seeds: --seeds N [--from S], or --seed S.');
  // 2^53 + 1 is no number of its own: what is asked is where the last one would lie, not what it would become.
  if ((options.from ?? 1) > SEED_MAX - ((options.seeds ?? 1) - 1)) return usage(place, 'The last seed would lie beyond 2^53.');
  const all = seed === undefined ? Array.from({ length: options.seeds ?? 0 }, (_, index) => (options.from ?? 1) + index) : [seed];
  const { shard } = options;
  const seeds = shard ? all.filter((_, index) => index % shard.of === shard.index - 1) : all;
  if (shard && seeds.length === 0) {
    place.screen.err.line(`note: shard ${shard.index}/${shard.of} of ${countOf(all.length, 'seed')} holds none; nothing is run`);
  }
  return campaign(place, { options, seeds, wanted });
}

/** The story of one seed, once it is whole: whoever reads it may leave in the middle (`| head`). */
function tell({ machine, screen }: Place, wanted: Omit<SeedOptions, 'keep' | 'scratch'>): number {
  const scratch = openScratch(machine);
  let result: SeedResult;
  try {
    result = runSeed({ ...wanted, scratch: scratch.folder, keep: 'all' });
  } finally {
    scratch.remove();
  }
  for (const line of result.story) screen.out.line(line);
  screen.err.line(`seed ${wanted.seed}: ${countOf(result.violations.length, 'violation')}, trace ${result.hash}`);
  return result.violations.length === 0 ? EXIT.ok : EXIT.no;
}

interface Work {
  readonly options: Options;
  readonly seeds: readonly number[];
  readonly wanted: Omit<SeedOptions, 'seed' | 'keep' | 'scratch'>;
}

/** Seeds a thread tells of together: a message a seed would cost more than it tells. */
const TELL_EVERY = 8;

async function campaign({ machine, screen }: Place, { options, seeds, wanted }: Work): Promise<number> {
  let shownAt = machine.mono();
  let bugs = 0;
  const scratch = openScratch(machine);
  const running = runCampaign({
    ...wanted,
    scratch: scratch.folder,
    seeds,
    workers: options.workers,
    mono: machine.mono,
    tellEvery: options.first === true ? 1 : TELL_EVERY,
    onProgress(soFar) {
      if (options.first === true && soFar.violations.length > 0) running.stop();
      const isDue = machine.mono() - shownAt > (screen.err.isTerminal ? 500 : 10_000);
      if (!isDue) return;
      shownAt = machine.mono();
      const line = [
        `${soFar.seeds} of ${countOf(seeds.length, 'seed')}`,
        `${countOf(soFar.days, 'day')}, ${soFar.daysPerSecond.toFixed(1)} a second`,
        countOf(soFar.violations.length, 'violation'),
      ].join(', ');
      if (screen.err.isTerminal) screen.err.raw(`\r\x1b[K${line}`);
      else screen.err.line(line);
    },
    onBug(seed, words) {
      bugs += 1;
      if (options.first === true) running.stop();
      screen.err.line(`seed ${seed} ended in a bug: ${words}\n  ${replayOf(seed, options)}`);
    },
  });
  let isStopped = false;
  const release = machine.onInterrupt(() => {
    isStopped = true;
    running.stop();
  });
  const report = await running.done.finally(scratch.remove);
  release();
  if (screen.err.isTerminal) screen.err.raw('\r\x1b[K');
  for (const { seed, invariant, at, symbol, detail } of report.violations.slice(0, 20)) {
    screen.err.line(`${invariant} ${at} ${symbol} ${detail}\n  ${replayOf(seed, options)}`);
  }
  const missing = missingFaults(report, everyFault(report));
  if (options.json === true) printJson(screen, reportJson(report));
  else screen.out.line(formatCampaign(report, missing, screen.out.paint));
  if (isStopped) return EXIT.interrupted;
  return bugs > 0 ? EXIT.bug : verdict(report, missing, screen);
}

function verdict(report: CampaignReport, missing: readonly string[], screen: Place['screen']): number {
  if (missing.length > 0) screen.err.line(`never bit in ${countOf(report.days, 'day')}: ${missing.join(', ')}`);
  else if (report.days < DAYS_FOR_EVERY_FAULT[report.profile]) {
    screen.err.line(
      `note: ${countOf(report.days, 'day')} cannot show every kind of fault; that is demanded from ${DAYS_FOR_EVERY_FAULT[report.profile]} days on under ${report.profile}`,
    );
  }
  return report.violations.length === 0 && missing.length === 0 ? EXIT.ok : EXIT.no;
}

function replayOf(seed: number, { days, profile, protection, ownership, focus }: Options): string {
  const more = [
    days === 1 ? '' : ` --days ${days}`,
    profile === 'storm' ? '' : ` --profile ${profile}`,
    protection ? ` --protection ${protection}` : '',
    ownership ? ` --ownership ${ownership}` : '',
    focus ? ' --focus' : '',
  ];
  return `replay: ./holdfast simulate --seed ${seed}${more.join('')} --trace`;
}

function merge({ machine, screen }: Place, files: readonly string[], { json, markdown }: MergeOptions): number {
  let whole: CampaignReport | null = null;
  for (const file of files) {
    const read = readReport(resolve(machine.cwd, file));
    if (typeof read === 'string') {
      return complain(screen, {
        code: EXIT.unavailable,
        happened: `${file} is no report of a campaign: ${read}.`,
        did: 'Nothing was added up.',
        todo: 'Give files written by `./holdfast simulate … --json > FILE`.',
      });
    }
    if (whole !== null && whole.profile !== read.profile) {
      return complain(screen, {
        code: EXIT.usage,
        happened: `${file} is of profile ${read.profile}, the others of ${whole.profile}.`,
        did: 'Nothing was added up.',
        todo: 'Merge reports of one profile.',
      });
    }
    const before: CampaignReport | null = whole;
    const twice = before === null ? [] : Object.keys(read.hashes).filter(seed => seed in before.hashes);
    if (twice.length > 0) {
      return complain(screen, {
        code: EXIT.usage,
        happened: `${file} holds seed ${twice[0]}, which another file holds too: it would count twice.`,
        did: 'Nothing was added up.',
        todo: 'Merge shards of one campaign, each once.',
      });
    }
    whole = before === null ? read : join(before, read);
  }
  if (whole === null) return EXIT.usage;
  const missing = missingFaults(whole, everyFault(whole));
  if (json) printJson(screen, reportJson(whole));
  else screen.out.line(markdown ? campaignMarkdown(whole) : formatCampaign(whole, missing, screen.out.paint));
  return verdict(whole, missing, screen);
}

function readReport(path: string): CampaignReport | string {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return 'it has not the parts of one';
    const { profile: _profile, ...parts } = emptyReport('storm');
    const isWhole = Object.entries(parts).every(([name, part]) => {
      const given: unknown = Reflect.get(value, name);
      return typeof given === typeof part && given !== null && Array.isArray(given) === Array.isArray(part);
    });
    const isKnown = PROFILES.some(name => name === Reflect.get(value, 'profile'));
    return isWhole && isKnown ? (value as CampaignReport) : 'it has not the parts of one';
  } catch (error) {
    return wordsOf(error);
  }
}

const usage = ({ screen }: Place, words: string): number =>
  complain(screen, { code: EXIT.usage, happened: words, did: 'Nothing was run.', todo: 'See `./holdfast simulate --help`.' });
