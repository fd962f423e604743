import { createHash } from 'node:crypto';
import { atTime, tradeDateOf } from '@holdfast/core/calendar';
import type { EpochMs } from '@holdfast/core/units';

/**
 * The story of one seed: exchange time, who, what. Every line also goes into a hash, so that two runs of the same seed can be compared
 * without keeping their stories; the lines themselves are kept only on request.
 */
export interface Trace {
  say(at: EpochMs, who: string, what: string): void;
  /** A line for a reader alone: kept like the others, and no part of the hash. */
  remark(at: EpochMs, who: string, what: string): void;
  readonly lines: readonly string[];
  /** Of everything said so far; the same seed gives the same one, on every machine. */
  hash(): string;
}

/** @param keep 'all' for a story to print, a number for the last so many lines (a violation's surroundings), 0 for the hash alone. */
export function createTrace(keep: 'all' | number): Trace {
  const hash = createHash('sha256');
  const lines: string[] = [];
  let said = '';
  const keepLine = (line: string): void => {
    if (keep === 0) return;
    lines.push(line);
    if (keep !== 'all' && lines.length > 2 * keep) lines.splice(0, lines.length - keep);
  };
  const lineOf = (at: EpochMs, who: string, what: string): string => `${clockOf(at)} ${who.padEnd(12)} ${what}`;
  return {
    remark: (at, who, what) => keepLine(lineOf(at, who, what)),
    say(at, who, what) {
      const line = lineOf(at, who, what);
      said += `${line}\n`;
      if (said.length > 16_384) {
        hash.update(said);
        said = '';
      }
      keepLine(line);
    },
    get lines() {
      return keep === 'all' || keep === 0 ? lines : lines.slice(-keep);
    },
    hash: () => hash.copy().update(said).digest('hex').slice(0, 32),
  };
}

const DAY_MS = 86_400_000;

/** `2026-03-09 10:00:00.200`, New York. */
export function clockOf(at: EpochMs): string {
  const date = tradeDateOf(at);
  const midnight = atTime(date, '00:00');
  // A night in which the clocks change has no trading; its lines are an hour off and still in order.
  const time = new Date((((at - midnight) % DAY_MS) + DAY_MS) % DAY_MS).toISOString().slice(11, 23);
  return `${date} ${time}`;
}
