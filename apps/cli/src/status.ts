import { existsSync } from 'node:fs';
import { DEFAULT_SUPERVISION } from '@holdfast/core/supervision/policy';
import { type DeskStatus, formatStatus, readStatus } from '@holdfast/engine/status';
import { attempt } from '@holdfast/store/refusal';
import type { Place, Verb } from './command-line.js';
import { type Desk, exchangeNow, openForReport, openWorkingDesk, shownPath, storeProblem } from './desk.js';
import { complain, EXIT, isProblem, type Problem } from './problem.js';
import { printJson, wrapForTerminal } from './screen.js';

interface Options {
  readonly json?: boolean;
  readonly watch?: boolean;
}

const WATCH_TERMINAL_MS = 1_000;
const WATCH_PLAIN_MS = 5_000;

/** `holdfast status`: the same block the supervisor's console shows (requirement A3), on demand. */
export const addStatusCommand: Verb = (program, run) => {
  program
    .command('status')
    .description('workers, positions, what closed today and P&L; exit code 1 when the exit manager is not READY')
    .option('--json', 'one line of JSON on stdout')
    .option('--watch', 'again every second at a terminal (every 5 s elsewhere), until Ctrl+C')
    .addHelpText('after', '\nExamples:\n  ./holdfast status\n  ./holdfast status --watch\n  ./holdfast status --json | jq .pnl.realized')
    .action((options: Options) => run(place => status(place, options)));
};

async function status(place: Place, { json = false, watch = false }: Options): Promise<number> {
  const { machine, screen } = place;
  const desk = openWorkingDesk(place);
  if (isProblem(desk)) return complain(screen, desk);
  const isScreen = watch && !json && screen.out.isTerminal;
  let interrupted = false;
  let wake: () => void = () => undefined;
  const forget = watch
    ? machine.onInterrupt(() => {
        interrupted = true;
        wake();
      })
    : () => undefined;
  try {
    for (;;) {
      const seen = look(place, desk);
      if (isProblem(seen)) {
        if (!watch) return complain(screen, seen);
        screen.err.line(`${seen.happened} ${seen.todo}`);
      } else {
        if (json) printJson(screen, seen);
        else screen.out.line(`${isScreen ? '\x1b[2J\x1b[H' : ''}${paintStatus(place, formatStatus(seen))}`);
        if (!watch) return isGuarded(seen) ? EXIT.ok : EXIT.no;
      }
      await Promise.race([
        machine.sleep(isScreen ? WATCH_TERMINAL_MS : WATCH_PLAIN_MS),
        new Promise<void>(resolve => {
          wake = resolve;
        }),
      ]);
      if (interrupted) return EXIT.ok;
    }
  } finally {
    forget();
  }
}

const isGuarded = (seen: DeskStatus): boolean => seen.workers.some(worker => worker.name === 'exit-manager' && worker.state === 'READY');

function look({ machine }: Place, { files }: Desk): DeskStatus | Problem {
  const db = openForReport(machine, files);
  if (isProblem(db)) return db;
  try {
    const seen = attempt(() =>
      readStatus(db, {
        exchange: exchangeNow(machine, files),
        mono: machine.mono(),
        bootId: machine.bootId,
        stillMsMax: DEFAULT_SUPERVISION.stillMsMax,
        isGone: machine.isGone,
        heartbeat: worker => machine.heartbeat(files.heartbeat(worker)),
        isHalted: existsSync(files.halt),
      }),
    );
    return 'detail' in seen ? storeProblem(shownPath(machine, files.store), seen.detail) : seen;
  } finally {
    db.close();
  }
}

/** Colour where it helps the eye find trouble; the words are the same without. */
function paintStatus({ screen }: Place, block: string): string {
  const { paint } = screen.out;
  return wrapForTerminal(screen.out, block, '     ')
    .replaceAll(/\bREADY\b|\bRUNNING\b/g, word => paint.green(word))
    .replaceAll(
      /\b(?:DEAD|HUNG|PARKED|BROKER-LOST|KILL SWITCH ON|HALT FILE PRESENT|DAY TRADER HALTED|broker not connected|store takes no write|gateway without the broker)\b/g,
      word => paint.red(word),
    )
    .replaceAll(/\b(?:STARTING|CONNECTING|RECONCILING|STOPPING|OFF)\b/g, word => paint.yellow(word));
}
