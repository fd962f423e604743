import { isoTime, toCents } from '@holdfast/core/units';
import type { DayReview } from '@holdfast/store/reports';
import { clockTime } from '../clock-time.js';
import { EXIT } from '../problem.js';
import { formatReview, roundTripJson } from '../review-table.js';
import { printJson, type Screen, type Stream, wrapForTerminal } from '../screen.js';
import type { Kill } from './chaos.js';
import type { DemoOutcome } from './judge.js';

export interface DemoReport {
  readonly outcome: DemoOutcome & { readonly wallSeconds: number };
  readonly review: DayReview;
  readonly source: string;
  /** How many kills the day was to have; fewer is a failure: a demo that injected no faults has shown nothing. */
  readonly killsPlanned: number;
}

/** Why the day does not count as a success, in words; empty when it does. A day cut short need not be flat. */
export function shortcomings({ outcome, killsPlanned }: DemoReport): readonly string[] {
  const { violations, isFlat, isWholeDay, isBaselineUntouched, kills, baseline } = outcome;
  const found: string[] = [];
  if (violations.length > 0) found.push(`${violations.length} ${violations.length === 1 ? 'invariant was' : 'invariants were'} broken`);
  if (isWholeDay && !isFlat) found.push('positions are still open');
  if (!isBaselineUntouched) found.push(`the baseline (${baseline.symbol}) was touched`);
  if (kills.length < killsPlanned) found.push(`only ${kills.length} of ${killsPlanned} kills could be given: the day had too few entries`);
  for (const { worker, readyMs } of kills) if (readyMs === null) found.push(`the ${worker} was not READY again`);
  return found;
}

/** Tells the day: a table for people, or one line of JSON on stdout and the table on stderr. Returns the exit code. */
export function tellDay(screen: Screen, report: DemoReport, { json }: { readonly json: boolean }): number {
  const people = json ? screen.err : screen.out;
  people.line(wrapForTerminal(people, `\n${formatDay(report, people.paint)}`, '    '));
  if (json) printJson(screen, dayJson(report));
  return shortcomings(report).length === 0 ? EXIT.ok : EXIT.no;
}

function dayJson({ outcome, review, source }: DemoReport) {
  const { violations, isFlat, wallSeconds } = outcome;
  return {
    date: review.date,
    source,
    roundTrips: review.roundTrips.map(roundTripJson),
    restarts: review.restarts,
    violations: violations.map(({ invariant, at, symbol, detail }) => ({ invariant, at: isoTime(at), symbol, detail })),
    pnl: toCents(review.totals.pnl),
    flat: isFlat,
    wallSeconds,
  };
}

function formatDay(report: DemoReport, paint: Stream['paint']): string {
  const { outcome, review } = report;
  const { violations, baseline, isBaselineUntouched, isFlat } = outcome;
  const bad = shortcomings(report);
  const untouched = isBaselineUntouched
    ? `${baseline.quantity} ${baseline.symbol}, untouched`
    : paint.red(`${baseline.quantity} ${baseline.symbol}`);
  return [
    formatReview(review, paint),
    ...(outcome.kills.length > 0 ? ['', paint.bold('Kills survived'), ...outcome.kills.map(formatKill)] : []),
    '',
    `Flat: ${isFlat ? 'yes' : paint.red('no')}; hands off: ${untouched}`,
    violations.length === 0
      ? `Invariants I1–I6, I12 at the exchange: ${paint.green('all held')}`
      : paint.red(`Broken at the exchange: ${violations.length}`),
    ...violations.map(({ invariant, at, symbol, detail }) => `  ${invariant} ${clockTime(at)} ${symbol}: ${detail}`),
    formatPace(report),
    bad.length === 0 ? paint.green('The day is good.') : paint.red(`The day is not good: ${bad.join('; ')}.`),
  ].join('\n');
}

const seconds = (ms: number | null): string =>
  ms === null ? 'never' : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

function formatKill({ worker, pid, at, symbol, situation, readyMs, protectedMs, filledMs }: Kill): string {
  const lines = [`  ${clockTime(at)} ${worker} (pid ${pid})`, `    ${situation}`];
  const exits = protectedMs === 0 ? `${symbol}'s exits rested all the while` : `${symbol}'s target rests after ${seconds(protectedMs)}`;
  if (worker === 'exit-manager') lines.push(`    without a guard for ${seconds(readyMs)} (killed → READY); ${exits}`);
  else if (filledMs === null) lines.push(`    its order did not fill; READY again after ${seconds(readyMs)}`);
  else
    lines.push(
      `    the order filled ${seconds(filledMs)} after its sender's death; the exit manager had the target resting ${seconds(protectedMs)} after the fill`,
      `    READY again after ${seconds(readyMs)}`,
    );
  return lines.join('\n');
}

function formatPace({ outcome }: DemoReport): string {
  const { machineMs, brakedMs, effectiveSpeed, speed } = outcome.pace;
  const slow = Object.entries(brakedMs).filter(([, ms]) => ms >= 100);
  const slowMs = slow.reduce((sum, [, ms]) => sum + ms, 0);
  const share = machineMs > 0 ? Math.round((100 * slowMs) / machineMs) : 0;
  const why = slow.length === 0 ? '' : ` (${slow.map(([reason, ms]) => `${reason} ${(ms / 1000).toFixed(1)} s`).join(', ')})`;
  return `Time: ${outcome.wallSeconds.toFixed(1)} s in all; exchange at ${Math.round(effectiveSpeed)}× of ${speed}× asked for, ${share} % of it at 1×${why}`;
}
