import { InvalidArgumentError } from 'commander';
import type { Verb } from './command-line.js';

export interface ReplayOptions {
  readonly journal: string;
  readonly from?: string;
  readonly until?: string;
  readonly symbol?: string;
  readonly trace?: boolean;
  readonly json?: boolean;
}

/** `holdfast replay`: a worker's journal through the same rules; every decision and effect must come again (DESIGN §2). */
export const addReplayCommand: Verb = (program, run) => {
  program
    .command('replay')
    .description("feed a worker's journal back through the rules: every decision must come again; --trace tells the story")
    .requiredOption('--journal <file>', 'a file of var/journal/exit-manager or var/journal/day-trader')
    .option('--from <time>', 'with --trace: from this New York time on', clockText)
    .option('--until <time>', 'replay no further than this New York time', clockText)
    .option('--symbol <symbol>', 'with --trace: only what concerns this symbol', (text: string) => text.toUpperCase())
    .option('--trace', 'tell every decision: exchange time, what happened, what was made of it')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  ./holdfast replay --journal var/journal/exit-manager/2026-03-09.jsonl',
        '  ./holdfast replay --journal var/journal/exit-manager/2026-03-09.jsonl --trace --symbol ACME --from 09:44 --until 09:46',
        '  ./holdfast replay --journal var/journal/day-trader/2026-03-09.jsonl --json | jq .differences',
        '',
        'Exit code 0: every decision and effect came again. 1: something else was decided; the first differences are shown.',
        '2: the file is no journal, is damaged in the middle, or has another format.',
      ].join('\n'),
    )
    .action((options: ReplayOptions) =>
      run(async place => {
        // The rules of both workers: the other verbs start without them.
        const { replayJournal } = await import('./replay-journal.js');
        return replayJournal(place, options);
      }),
    );
};

function clockText(text: string): string {
  if (!/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text))
    throw new InvalidArgumentError('Write it as HH:MM or HH:MM:SS, for example 09:44.');
  return text;
}
