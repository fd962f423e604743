import { tradeDateOf } from '@holdfast/core/calendar';
import { epochMs } from '@holdfast/core/units';
import { insertCommand, readAnswer } from '@holdfast/store/commands';
import type { Db } from '@holdfast/store/db';
import { readLease } from '@holdfast/store/leases';
import { attempt } from '@holdfast/store/refusal';
import type { Place, Verb } from './command-line.js';
import { type Desk, exchangeNow, openDesk, openForCommand, shownPath, storeProblem } from './desk.js';
import type { Machine } from './machine.js';
import { complain, EXIT, isProblem, type Problem } from './problem.js';
import { printJson } from './screen.js';

interface Options {
  readonly force?: boolean;
  readonly keepExitManager?: boolean;
  readonly json?: boolean;
}

/** Longer than the supervisor may take for all stages of a stop together. */
const ANSWER_MS_MAX = 60_000;
/** Exchange time: a demo's runs fast. */
const EXPIRES_MS = 3_600_000;

/** `holdfast stop`: asks the supervisor to stop everything in order (A4); positions keep a confirmed resting stop. */
export const addStopCommand: Verb = (program, run) => {
  program
    .command('stop')
    .description('stop everything in order; refused while an open position could not get a confirmed resting stop')
    .option('--force', 'stop even then: you watch those positions yourself')
    .option('--keep-exit-manager', 'end day trader and supervisor, leave the exit manager on guard')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExamples:\n  ./holdfast stop\n  ./holdfast stop --keep-exit-manager')
    .action((options: Options) => run(place => stop(place, options)));
};

async function stop(
  { machine, screen, config }: Place,
  { force = false, keepExitManager = false, json = false }: Options,
): Promise<number> {
  const desk = openDesk(machine, config);
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForCommand(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  try {
    const word = await askSupervisor({ machine, db, desk }, { force, keepExitManager });
    if (isProblem(word)) return complain(screen, word);
    if (json) printJson(screen, { stopped: word.status === 'done', answer: word.answer });
    else screen.out.line(word.answer ?? word.status);
    return word.status === 'done' ? EXIT.ok : EXIT.no;
  } finally {
    db.close();
  }
}

interface Asking {
  readonly machine: Machine;
  readonly db: Db;
  readonly desk: Desk;
}

async function askSupervisor({ machine, db, desk }: Asking, flags: { readonly force: boolean; readonly keepExitManager: boolean }) {
  const lease = attempt(() => readLease(db, 'supervisor'));
  const shown = shownPath(machine, desk.files.store);
  if (lease !== null && 'ok' in lease) return storeProblem(shown, lease.detail);
  if (lease === null || lease.holder === null || machine.isGone(lease.holder)) return nobodyThere();
  const { holder } = lease;
  const now = exchangeNow(machine, desk.files);
  const asked = insertCommand(db, {
    target: 'supervisor',
    kind: 'stop',
    payload: { ...flags },
    tradeDate: tradeDateOf(now),
    expiresAt: epochMs(now + EXPIRES_MS),
    createdBy: 'cli',
    now,
  });
  if (!asked.ok) return storeProblem(shown, asked.detail);
  const until = machine.mono() + ANSWER_MS_MAX;
  while (machine.mono() < until) {
    const word = attempt(() => readAnswer(db, asked.id));
    if (word !== null && !('ok' in word) && word.status !== 'pending' && word.status !== 'taken') {
      // The answer is written just before the end: whoever reads "stopped" may start again at once.
      while (word.status === 'done' && machine.mono() < until && !machine.isGone(holder)) await machine.sleep(20);
      return word;
    }
    if (machine.isGone(holder)) return nobodyThere();
    await machine.sleep(50);
  }
  return {
    code: EXIT.unavailable,
    happened: `The supervisor (pid ${holder.pid}) did not answer within ${ANSWER_MS_MAX / 1000} s.`,
    did: 'The request stays in the store until it expires; nothing else was done.',
    todo: 'Look at `./holdfast status`. If it hangs, end it with SIGKILL (the workers go on) and start it again.',
  } satisfies Problem;
}

const nobodyThere = (): Problem => ({
  code: EXIT.unavailable,
  happened: 'No supervisor is running with this desk.yaml.',
  did: 'Nothing was stopped.',
  todo: 'See `./holdfast status` for workers that are still alive; `./holdfast start` adopts them, then stop again.',
});
