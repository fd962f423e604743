import { encodeExact, restored } from './exact-json.js';

/**
 * The same rows come again and again: every view of the store and every answer of the broker lists all orders, executions and positions of the
 * day, of which one or two changed. So a row is written in full once, as `{"$":"new","v":…}`, and from then on by its number, as
 * `{"$":"row","v":12}`. Writer and reader number alike, and both forget everything at a `forget` line.
 */
export interface RowWriter {
  /** The value as text, its rows by number where they were written before. */
  encode(value: unknown): string;
  /** Once more rows are known than memory should hold; the caller writes a `forget` line and calls `forget`. */
  readonly isFull: boolean;
  forget(): void;
}

const ROWS_MAX = 5_000;
/** A shorter row costs less than its number. */
const ROW_LENGTH_MIN = 48;
/** `view.orders[…]` of a store event lies this deep. */
const DEPTH_MAX = 2;

export function createRowWriter(): RowWriter {
  const numbers = new Map<string, number>();

  function row(value: unknown): string {
    const text = encodeExact(value);
    if (text.length < ROW_LENGTH_MIN) return text;
    const number = numbers.get(text);
    if (number !== undefined) return `{"$":"row","v":${number}}`;
    numbers.set(text, numbers.size);
    return `{"$":"new","v":${text}}`;
  }

  function encode(value: unknown, depth: number): string {
    if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return encodeExact(value);
    if (Array.isArray(value)) return `[${value.map(row).join(',')}]`;
    if (Object.getPrototypeOf(value) !== Object.prototype || '$' in value) return encodeExact(value);
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}:${encode(inner, depth + 1)}`)
      .join(',')}}`;
  }

  return {
    encode: value => encode(value, 0),
    get isFull() {
      return numbers.size >= ROWS_MAX;
    },
    forget: () => numbers.clear(),
  };
}

export interface RowReader {
  /** What a row writer wrote, from the value JSON.parse made of its text. */
  decode(value: unknown): unknown;
  forget(): void;
}

export function createRowReader(): RowReader {
  const rows: unknown[] = [];
  return {
    decode: value => restored(value, rows),
    forget: () => {
      rows.length = 0;
    },
  };
}
