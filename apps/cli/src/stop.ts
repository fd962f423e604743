import { leavesOpen } from '@holdfast/core/supervision/stop';
import type { Place, Verb } from './command-line.js';
import { openForCommand, openWorkingDesk } from './desk.js';
import { complain, EXIT, isProblem } from './problem.js';
import { printJson } from './screen.js';
import { askSupervisor } from './supervisor-request.js';

interface Options {
  readonly force?: boolean;
  readonly keepExitManager?: boolean;
  readonly json?: boolean;
}

/** `holdfast stop`: asks the supervisor to stop everything in order (A4); resting entries are withdrawn, positions keep a confirmed resting stop. */
export const addStopCommand: Verb = (program, run) => {
  program
    .command('stop')
    .description('stop everything in order; refused while an entry could not be withdrawn or a position not get a confirmed resting stop')
    .option('--force', 'stop even then (exit code 1): you watch those entries and positions yourself')
    .option('--keep-exit-manager', 'end day trader and supervisor, leave the exit manager on guard')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExamples:\n  ./holdfast stop\n  ./holdfast stop --keep-exit-manager')
    .action((options: Options) => run(place => stop(place, options)));
};

async function stop(
  { machine, screen, config }: Place,
  { force = false, keepExitManager = false, json = false }: Options,
): Promise<number> {
  const desk = openWorkingDesk({ machine, screen, config });
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForCommand(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  try {
    const word = await askSupervisor({ machine, db, desk }, { kind: 'stop', payload: { force, keepExitManager }, endsIt: true });
    if (isProblem(word)) return complain(screen, word);
    if (json) printJson(screen, { stopped: word.status === 'done', answer: word.answer });
    else screen.out.line(word.answer ?? word.status);
    return word.status === 'done' && !leavesOpen(word.answer ?? '') ? EXIT.ok : EXIT.no;
  } finally {
    db.close();
  }
}
