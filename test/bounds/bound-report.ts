import { figure, type Spread } from '../bench/statistics.js';

/** One bound of DESIGN.md §8 as it was met, or a time without a bound that must be known. Milliseconds of machine time. */
export interface Measured {
  readonly what: string;
  /** The design's bound on the 99th percentile; null where it states none. */
  readonly boundMs: number | null;
  readonly spread: Spread;
}

/** The longest times a position was held without protection, by protection mode and what was done to the desk. */
export interface Unprotected {
  readonly mode: string;
  readonly fault: string;
  readonly times: number;
  /** No READY exit manager watched it. */
  readonly unwatchedMs: number;
  /** … and no stop rested for it at the broker, though it had been watched before. */
  readonly nakedMs: number;
  /** The same of a position that opened after the fault. */
  readonly newNakedMs: number;
}

export interface BoundsResult {
  readonly measured: readonly Measured[];
  readonly unprotected: readonly Unprotected[];
}

const time = (ms: number): string => (ms < 1_000 ? `${figure(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`);
const verdict = ({ boundMs, spread }: Measured): string => (boundMs === null ? '' : spread.p99 <= boundMs ? 'met' : 'MISSED');

const MEASURED_COLUMNS = ['what', 'n', 'median', 'p99', 'worst', 'bound (p99)', ''] as const;
const UNPROTECTED_COLUMNS = [
  'mode',
  'what was done',
  'times',
  'longest unwatched',
  '… and no stop resting',
  'bought meanwhile: no stop resting',
] as const;

const measuredRow = (one: Measured): readonly string[] => [
  one.what,
  String(one.spread.count),
  time(one.spread.p50),
  time(one.spread.p99),
  time(one.spread.worst),
  one.boundMs === null ? '' : time(one.boundMs),
  verdict(one),
];
const unprotectedRow = ({ mode, fault, times, unwatchedMs, nakedMs, newNakedMs }: Unprotected): readonly string[] => [
  mode,
  fault,
  String(times),
  time(unwatchedMs),
  time(nakedMs),
  time(newNakedMs),
];

/** Both tables, for the document or (padded) for a terminal. */
export function boundsTables({ measured, unprotected }: BoundsResult, kind: 'markdown' | 'terminal'): string {
  const tables: string[] = [];
  if (measured.length > 0) tables.push(table(MEASURED_COLUMNS, measured.map(measuredRow), kind));
  if (unprotected.length > 0) tables.push(table(UNPROTECTED_COLUMNS, unprotected.map(unprotectedRow), kind));
  return tables.join('\n\n');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[], kind: 'markdown' | 'terminal'): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  if (kind === 'markdown')
    return [line(columns), line(columns.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map(row => (row[index] ?? '').length)));
  const padded = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ');
  return [padded(columns), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(padded)].join('\n');
}
