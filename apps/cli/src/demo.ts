import { InvalidArgumentError, Option } from 'commander';
import type { Place, Verb } from './command-line.js';
import { complain, isProblem } from './problem.js';

interface Options {
  readonly seed: number;
  readonly data?: string;
  readonly date?: string;
  readonly symbols?: readonly string[];
  readonly speed: number;
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly chaos: boolean;
  readonly until?: string;
}

const DEFAULT_SEED = 7;
const DEFAULT_SPEED = 600;
const KILLS = 2;

/** `holdfast demo`: a whole supervised trading day before a simulated gateway, with two kill −9 on the way (B13). */
export const addDemoCommand: Verb = (program, run) => {
  program
    .command('demo')
    .description('run a whole trading day: real processes and sockets, a simulated gateway, a kill -9 of either worker; no account needed')
    .option('--seed <n>', 'which synthetic day', wholeNumber, DEFAULT_SEED)
    .option('--data <folder>', 'recorded data instead of the synthetic market, in the layout of the data pack; needs --date')
    .option('--date <date>', 'trading date, YYYY-MM-DD')
    .option('--symbols <list>', 'only these symbols, separated by commas', symbolList)
    .option('--speed <n>', 'exchange seconds per second where nothing happens; 1 = real time', speedFactor, DEFAULT_SPEED)
    .option('--no-chaos', 'without the two kills')
    .option('--keep', "keep the day's folder (store, logs), also of a good day")
    .option('--json', 'one line of JSON on stdout, everything else on stderr')
    .addOption(new Option('--until <time>', 'stop at this New York time').hideHelp().argParser(clockText))
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  ./holdfast demo',
        '  ./holdfast demo --seed 11 --json',
        '  ./holdfast demo --data ../shared/data/us-equity --date 2025-11-14',
        '  ./holdfast demo --speed 1 --no-chaos',
        '',
        'Exit code 0: flat at the end, every invariant held at the exchange, both kills given and survived. 1 otherwise.',
      ].join('\n'),
    )
    .action((options: Options) => run(place => demo(place, options)));
};

async function demo({ machine, screen }: Place, options: Options): Promise<number> {
  const { seed, speed, chaos, json = false, keep = false } = options;
  // The simulation is large: the other verbs start without it.
  const [{ openDay }, { tellDay }, { runDay }, { reviewDay }] = await Promise.all([
    import('./demo/day.js'),
    import('./demo/report.js'),
    import('./demo/runner.js'),
    import('@holdfast/store/reports'),
  ]);
  const day = openDay(machine, { seed, data: options.data, date: options.date, symbols: options.symbols });
  if (isProblem(day)) return complain(screen, day);
  const { source } = day;
  const run = { day, seed, speed, chaos, until: options.until };
  const ended = await runDay({ machine, screen }, run, {
    keep,
    report: (outcome, { db, folder }) => {
      const review = reviewDay(db, source.date);
      const code = tellDay(screen, { outcome, review, source: source.name, killsPlanned: chaos ? KILLS : 0 }, { json });
      if (keep || code !== 0) screen.err.line(`store and logs are kept in ${folder}`);
      return code;
    },
  });
  return typeof ended === 'number' ? ended : complain(screen, ended);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return value;
}

function speedFactor(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1_000)) throw new InvalidArgumentError('It must be a number from 1 to 1000.');
  return value;
}

function symbolList(text: string): readonly string[] {
  const symbols = text
    .split(',')
    .map(symbol => symbol.trim().toUpperCase())
    .filter(symbol => symbol !== '');
  if (symbols.length === 0) throw new InvalidArgumentError('Name symbols like SPY,AAPL.');
  return symbols;
}

function clockText(text: string): string {
  if (!/^(09|1[0-5]):[0-5]\d$/.test(text)) throw new InvalidArgumentError('It must be a time from 09:00 to 15:59.');
  return text;
}
