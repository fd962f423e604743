import { existsSync, rmSync } from 'node:fs';
import { tradeDateOf } from '@holdfast/core/calendar';
import { epochMs } from '@holdfast/core/units';
import { insertCommand } from '@holdfast/store/commands';
import { readKillSwitch, setKillSwitch } from '@holdfast/store/kill-switch';
import type { Place, Verb } from './command-line.js';
import { exchangeNow, openForCommand, openWorkingDesk, shownPath, storeProblem } from './desk.js';
import { complain, EXIT, isProblem } from './problem.js';
import { printJson } from './screen.js';

/** Exchange time: a demo's runs fast. */
const EXPIRES_MS = 3_600_000;

/** `holdfast resume`: entries are allowed again, by a person (D7). Undoes what liquidate-all and a HALT file left on. */
export const addResumeCommand: Verb = (program, run) => {
  program
    .command('resume')
    .description('allow entries again: turns the kill switch off and removes the HALT file, as after liquidate-all')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nSymbols that were closed today stay blocked until the next trading date.\n\nExample:\n  ./holdfast resume')
    .action((options: { readonly json?: boolean }) => run(place => resume(place, options.json === true)));
};

function resume(place: Place, json: boolean): number {
  const { machine, screen } = place;
  const desk = openWorkingDesk(place);
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForCommand(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  try {
    const before = readKillSwitch(db);
    const now = exchangeNow(machine, desk.files);
    const off = setKillSwitch(db, { on: false, reason: 'resumed by a person', actor: 'operator', now });
    if (!off.ok) return complain(screen, storeProblem(shownPath(machine, desk.files.store), off.detail));
    const wasHalted = existsSync(desk.files.halt);
    rmSync(desk.files.halt, { force: true });
    // A day trader that obeyed the HALT file goes on obeying until it is told.
    insertCommand(db, {
      target: 'day-trader',
      kind: 'resume',
      payload: {},
      tradeDate: tradeDateOf(now),
      expiresAt: epochMs(now + EXPIRES_MS),
      createdBy: 'cli',
      now,
    });
    const words = before.on
      ? `the kill switch is off (it was on: ${before.reason}); entries are allowed again`
      : 'the kill switch was off already; entries are allowed';
    if (json) printJson(screen, { resumed: true, wasOn: before.on, reason: before.reason, wasHalted });
    else screen.out.line(wasHalted ? `${words}; the HALT file (${shownPath(machine, desk.files.halt)}) existed and was removed` : words);
    return EXIT.ok;
  } finally {
    db.close();
  }
}
