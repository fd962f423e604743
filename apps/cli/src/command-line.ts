import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { addDbCommand } from './db-migrate.js';
import { addDemoCommand } from './demo.js';
import { addGatewayCommand } from './gateway.js';
import { addLiquidateCommand } from './liquidate-all.js';
import type { Machine } from './machine.js';
import { addOrdersCommand } from './orders.js';
import { addPositionsCommand } from './positions.js';
import { complain, EXIT, EXIT_CODES_TEXT } from './problem.js';
import { addReplayCommand } from './replay.js';
import { addResumeCommand } from './resume.js';
import { addReviewCommand } from './review.js';
import type { Screen } from './screen.js';
import { addSimulateCommand } from './simulate.js';
import { addStartCommand } from './start.js';
import { addStatusCommand } from './status.js';
import { addStopCommand } from './stop.js';
import { addWorkerCommands } from './workers.js';

/** What every verb works with. */
export interface Place {
  readonly machine: Machine;
  readonly screen: Screen;
  /** The value of the global `--config`, when given. */
  readonly config: string | undefined;
}

/** A verb's file adds its command; its work is done by `run`, which gives the exit code. */
export type Verb = (program: Command, run: (work: (place: Place) => number | Promise<number>) => Promise<void>) => void;

const VERBS: readonly Verb[] = [
  addStartCommand,
  addStopCommand,
  addStatusCommand,
  addPositionsCommand,
  addOrdersCommand,
  addLiquidateCommand,
  addResumeCommand,
  addWorkerCommands,
  addReviewCommand,
  addReplayCommand,
  addDemoCommand,
  addSimulateCommand,
  addGatewayCommand,
  addDbCommand,
];

/** Parses the words after `holdfast` and does what they say. Never throws for wrong words; returns the exit code. */
export async function runCommandLine(words: readonly string[], { machine, screen }: Omit<Place, 'config'>): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('holdfast')
    .description('Autonomous intraday trading for Interactive Brokers: no position left unprotected, nothing sold twice.')
    .version(versionOf(machine), '--version', 'this version')
    .option('--config <file>', "desk.yaml to use; the checkout's own without it")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: text => screen.out.raw(text),
      // Without a verb commander prints the help as an error; its error messages are told by us, in three parts.
      writeErr: text => screen.err.raw(text),
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(screen.out.columns, 100),
    })
    .addHelpText('after', `\nExamples:\n${EXAMPLES}\n\n${EXIT_CODES_TEXT}`);
  const run = async (work: (place: Place) => number | Promise<number>): Promise<void> => {
    const { config } = program.opts<{ config?: string }>();
    code = await work({ machine, screen, config });
  };
  for (const add of VERBS) add(program, run);

  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const verb = program.commands.find(command => words.includes(command.name()))?.name();
    return afterParsing(error, { screen, verb });
  }
}

function versionOf({ root }: Machine): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  return version;
}

const EXAMPLES = [
  '  ./holdfast start                     everything; Ctrl+C stops it',
  '  ./holdfast status --watch            the desk at a glance, every second',
  "  ./holdfast review 2026-03-09 --json  a day's round trips on one line",
  '  ./holdfast demo                      a simulated day, two kill -9 included',
].join('\n');

/** Help that was asked for is no error; anything else is told in three parts. */
function afterParsing(error: CommanderError, { screen, verb }: { readonly screen: Screen; readonly verb: string | undefined }): number {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return EXIT.ok;
  if (error.code === 'commander.help') return EXIT.usage;
  const [first = '', hint = ''] = error.message.replace(/^error: /, '').split('\n');
  const meant = /\((Did you mean .*\?)\)/.exec(hint)?.[1];
  return complain(screen, {
    code: EXIT.usage,
    happened: `${first[0]?.toUpperCase() ?? ''}${first.slice(1).replace(/\.$/, '')}.`,
    did: 'Nothing was done.',
    todo: `${meant ? `${meant} ` : ''}See \`./holdfast ${verb === undefined ? '' : `${verb} `}--help\`.`,
  });
}
