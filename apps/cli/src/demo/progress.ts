import type { EpochMs } from '@holdfast/core/units';
import { clockTime } from '../clock-time.js';
import { type Screen, signedDollars } from '../screen.js';

/** What a running demo tells, on stderr: one line that is rewritten at a terminal, a plain line now and then elsewhere. */
export interface Progress {
  /** Something happened: a line of its own. */
  say(line: string): void;
  /** How far the day is. Shown at once at a terminal, at most every ten seconds elsewhere. */
  show(state: ProgressState): void;
  /** Leaves the terminal's line. */
  end(): void;
}

export interface ProgressState {
  readonly at: EpochMs;
  /** Exchange seconds per machine second since the last look, and why it is slow. */
  readonly speed: number;
  readonly brake: string | null;
  readonly open: readonly string[];
  readonly roundTrips: number;
  /** Dollars, open positions at their marks. */
  readonly pnl: number;
}

const PLAIN_EVERY_MS = 10_000;

export function createProgress(screen: Screen, mono: () => number): Progress {
  const { err } = screen;
  let current = '';
  let shownAt = Number.NEGATIVE_INFINITY;
  const draw = (text: string): void => {
    current = text;
    err.raw(`\r\x1b[K${text}`);
  };
  return {
    say(line) {
      if (!err.isTerminal) return err.line(line);
      err.raw(`\r\x1b[K${line}\n`);
      draw(current);
    },
    show(state) {
      if (err.isTerminal) return draw(formatProgress(state, err.columns - 1));
      if (mono() - shownAt < PLAIN_EVERY_MS) return;
      shownAt = mono();
      err.line(formatProgress(state, 200));
    },
    end() {
      if (err.isTerminal && current !== '') err.raw('\r\x1b[K');
      current = '';
    },
  };
}

function formatProgress({ at, speed, brake, open, roundTrips, pnl }: ProgressState, width: number): string {
  const pace = `${speed < 10 ? speed.toFixed(1) : Math.round(speed)}×${brake === null ? '' : ` (${brake})`}`;
  const line = `${clockTime(at)}  ${pace}  ${roundTrips} done  P&L ${signedDollars(pnl)}  open ${open.length}${open.length === 0 ? '' : `: ${open.join(' ')}`}`;
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
