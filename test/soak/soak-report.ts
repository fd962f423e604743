import { spreadOf } from '../bench/statistics.js';
import { killsOf, type Tally } from './tally.js';

const seconds = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`);
const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, times]) => times > 0)
    .sort(([, left], [, right]) => right - left)
    .map(([what, times]) => `${what} ${times}`)
    .join(', ') || 'none';
const spread = (times: readonly number[]): string => {
  if (times.length === 0) return 'none measured';
  const { count, p50, p99, worst } = spreadOf(times);
  return `median ${seconds(p50)}, p99 ${seconds(p99)}, worst ${seconds(worst)} (n = ${count})`;
};

/** The table a person reads. */
export function formatTally(tally: Tally, wallMs: number): string {
  const { exposure, violations } = tally;
  const byInvariant: Record<string, number> = {};
  for (const { invariant } of violations) byInvariant[invariant] = (byInvariant[invariant] ?? 0) + 1;
  const rows: (readonly [string, string])[] = [
    ['short days', `${tally.days}, storms ${tally.storms}, ${(wallMs / 60_000).toFixed(1)} minutes`],
    ['kill −9', `${killsOf(tally)}: ${listed(tally.kills)}`],
    ['  when', listed(tally.killedAt)],
    ['SIGSTOP … SIGCONT', listed(tally.stops)],
    ['other faults', listed(tally.faults)],
    ['orders sent', `${tally.orders}, entries ${tally.entries}, executions ${tally.executions}`],
    ['trades closed', listed(tally.exits)],
    ['exit manager killed → READY', spread(tally.readyMs)],
    ['faults over → well', spread(tally.recoveryMs)],
    ...Object.entries(exposure).map(
      ([mode, { unwatchedMs, nakedMs, newNakedMs }]) =>
        [
          `longest unwatched, ${mode}`,
          `${seconds(unwatchedMs)}; with no stop resting either ${seconds(nakedMs)}, bought meanwhile ${seconds(newNakedMs)}`,
        ] as const,
    ),
    ['violations', violations.length === 0 ? 'none' : `${violations.length}: ${listed(byInvariant)}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    ...rows.map(([name, words]) => `${name.padEnd(width)}  ${words}`),
    ...violations.map(({ invariant, seed, day, symbol, detail }) => `  ${invariant} seed ${seed} day ${day} ${symbol}: ${detail}`),
  ].join('\n');
}

/** The same for programs; times in milliseconds. */
export function tallyJson(tally: Tally, more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { readyMs, recoveryMs, ...counts } = tally;
  const of = (times: readonly number[]) => (times.length === 0 ? null : spreadOf(times));
  return { ...more, killsTotal: killsOf(tally), ...counts, readyMs: of(readyMs), recoveryMs: of(recoveryMs) };
}
