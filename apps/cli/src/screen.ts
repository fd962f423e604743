import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

type Colors = ReturnType<typeof pc.createColors>;

/** One of the two streams, with what it can show. Colours do nothing where no terminal is. */
export interface Stream {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly paint: Colors;
  /** One line or several; the end of the line is added. */
  line(text: string): void;
  /** Exactly this, for progress on one line. */
  raw(text: string): void;
}

export interface Screen {
  /** What was asked for: tables, JSON. */
  readonly out: Stream;
  /** Progress and complaints. */
  readonly err: Stream;
}

export interface StreamFacts {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly write: (text: string) => void;
}

/** `NO_COLOR` and `FORCE_COLOR` as the conventions of those names have it. */
export function createStream({ isTTY, columns, write }: StreamFacts, environment: Readonly<Record<string, string | undefined>>): Stream {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  const isColored = !NO_COLOR && (Boolean(FORCE_COLOR) || (isTTY && TERM !== 'dumb'));
  return {
    isTerminal: isTTY,
    columns: columns ?? 80,
    paint: pc.createColors(isColored),
    line: text => write(`${text}\n`),
    raw: write,
  };
}

/** One object, one line: what `--json` promises on stdout. */
export const printJson = (screen: Screen, value: unknown): void => screen.out.line(JSON.stringify(value));

export interface Column<R> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: R) => string;
  /** Colours a padded cell. */
  readonly paint?: (text: string, row: R) => string;
}

/** A table without frames: fits 80 columns when its cells do, and greps well. */
export function formatTable<R>(columns: readonly Column<R>[], rows: readonly R[], paint: Colors): string {
  const cells = rows.map(row => columns.map(column => column.cell(row)));
  const widths = columns.map((column, index) => Math.max(column.title.length, ...cells.map(line => line[index]?.length ?? 0)));
  const pad = (text: string, index: number): string =>
    columns[index]?.align === 'right' ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0);
  const head = paint.dim(
    columns
      .map((column, index) => pad(column.title, index))
      .join('  ')
      .trimEnd(),
  );
  const lines = rows.map((row, at) =>
    columns
      .map((column, index) => {
        const cell = pad(cells[at]?.[index] ?? '', index);
        return column.paint ? column.paint(cell, row) : cell;
      })
      .join('  ')
      .trimEnd(),
  );
  return [head, ...lines].join('\n');
}

/** `1 day`, `2 days`: for nouns that take an s. */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const dollars = (amount: number | null): string => (amount === null ? '-' : `$${amount.toFixed(2)}`);
/** With the sign in front of the currency, as on a statement: −$12.30. */
export const signedDollars = (amount: number | null): string =>
  amount === null ? '-' : `${amount < 0 ? '−' : '+'}$${Math.abs(amount).toFixed(2)}`;
export const signedPercent = (value: number | null): string =>
  value === null ? '-' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)} %`;

/** Green for a gain, red for a loss, for anything that shows money earned. */
export const paintGain = (paint: Colors, text: string, amount: number | null): string =>
  amount === null || amount === 0 ? text : amount > 0 ? paint.green(text) : paint.red(text);

/** Breaks lines at spaces so that they fit a terminal; what continues is indented. Elsewhere lines stay whole, for grep. */
export function wrapForTerminal(stream: Stream, text: string, indent: string): string {
  if (!stream.isTerminal) return text;
  return text
    .split('\n')
    .flatMap(line => wrapLine(line, stream.columns, indent))
    .join('\n');
}

function wrapLine(line: string, width: number, indent: string): readonly string[] {
  if (stripVTControlCharacters(line).length <= width || width <= 2 * indent.length) return [line];
  const at = line.lastIndexOf(' ', width);
  if (line.slice(0, Math.max(0, at)).trim() === '') return [line];
  return [line.slice(0, at).trimEnd(), ...wrapLine(`${indent}${line.slice(at + 1)}`, width, indent)];
}
