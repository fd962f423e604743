import { Option } from 'commander';
import type { Place, Verb } from './command-line.js';
import { openForCommand, openWorkingDesk } from './desk.js';
import { complain, EXIT, isProblem } from './problem.js';
import { printJson } from './screen.js';
import { askSupervisor, type SupervisorRequest } from './supervisor-request.js';

type Kind = Exclude<SupervisorRequest['kind'], 'stop'>;

const VERBS: readonly (readonly [Kind, string])[] = [
  ['park', 'end the day trader and keep it down, whoever starts the supervisor; the exit manager is never parked'],
  ['unpark', 'release a parked day trader: it starts again, earlier crashes no longer count'],
  ['restart', 'end one worker in order and start it again, e.g. after a change of desk.yaml'],
];

/** `holdfast park | unpark | restart [worker]`: what the supervisor does to one worker because a person asks. */
export const addWorkerCommands: Verb = (program, run) => {
  for (const [kind, description] of VERBS) {
    const choices = kind === 'restart' ? ['exit-manager', 'day-trader'] : ['day-trader'];
    program
      .command(kind)
      .description(description)
      .addOption(new Option('--worker <name>', 'which one').choices(choices).default('day-trader'))
      .option('--json', 'one line of JSON on stdout')
      .action(({ worker, json = false }: { worker: string; json?: boolean }) => run(place => ask(place, { kind, worker, json })));
  }
};

async function ask(
  { machine, screen, config }: Place,
  { kind, worker, json }: { kind: Kind; worker: string; json: boolean },
): Promise<number> {
  const desk = openWorkingDesk({ machine, screen, config });
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForCommand(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  try {
    const word = await askSupervisor({ machine, db, desk }, { kind, payload: { worker }, endsIt: false });
    if (isProblem(word)) return complain(screen, word);
    if (json) printJson(screen, { done: word.status === 'done', answer: word.answer });
    else screen.out.line(word.answer ?? word.status);
    return word.status === 'done' ? EXIT.ok : EXIT.no;
  } finally {
    db.close();
  }
}
