/** One bench's outcome: a table for people with how it was measured, and the same figures for programs. */
export interface BenchResult {
  readonly name: BenchName;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How it was measured and what must be known to read it; one sentence or two each. */
  readonly notes: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

export const BENCH_NAMES = ['wire', 'restart', 'memory', 'micro', 'simulation'] as const;
export type BenchName = (typeof BENCH_NAMES)[number];

/** Columns padded for a terminal; all but the first flush right. */
export function terminalTable({ title, columns, rows, notes }: BenchResult): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map(row => (row[index] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ');
  const rule = widths.map(width => '─'.repeat(width)).join('  ');
  return ['', title, '', line(columns), rule, ...rows.map(line), '', ...notes.map(note => `· ${note}`), ''].join('\n');
}

export function markdownTable({ columns, rows, notes }: BenchResult): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(columns), line(rule), ...rows.map(line), '', ...notes.map(note => `- ${note}`)].join('\n');
}

/**
 * Puts `content` between `<!-- bench:name -->` and `<!-- /bench:name -->` of a document, leaving the words around as they are. Throws when the
 * document has no such place: figures must never vanish silently.
 */
export function between(document: string, name: string, content: string): string {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = document.indexOf(open);
  const to = document.indexOf(close);
  if (from < 0 || to < from) throw new Error(`the document has no place for "${name}": add ${open} and ${close}`);
  return `${document.slice(0, from + open.length)}\n${content}\n${document.slice(to)}`;
}
