import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Why a data file was refused: a code for programs, a sentence with file, line and column for people. */
export interface FileRefusal {
  readonly ok: false;
  readonly code: 'UNREADABLE' | 'MISSING_COLUMN' | 'BAD_NUMBER' | 'TIME_ORDER' | 'NO_DATA' | 'NO_SESSION';
  readonly detail: string;
}

export interface Columns {
  readonly ok: true;
  readonly rows: number;
  /** One array per wanted column, in the order asked for. Scaled as asked; an empty field is −1. */
  readonly values: readonly (readonly number[])[];
}

/** A column to read: its name in the header and by what its decimals are multiplied (1 for times and sizes, 10^6 for dollars). */
export interface Wanted {
  readonly name: string;
  readonly scale: 1 | 1_000_000;
}

export const EMPTY_FIELD = -1;

const NEWLINE = 10;
const RETURN = 13;
const COMMA = 44;
const DOT = 46;
const ZERO = 48;
const NINE = 57;

const refuse = (code: FileRefusal['code'], detail: string): FileRefusal => ({ ok: false, code, detail });

/** The text of a gzipped (or plain) file, or why it cannot be had. */
export function readDataFile(path: string): { readonly ok: true; readonly bytes: Buffer } | FileRefusal {
  try {
    const raw = readFileSync(path);
    return { ok: true, bytes: raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw };
  } catch (error) {
    return refuse(
      'UNREADABLE',
      `${path}: cannot be read (${error instanceof Error ? error.message : String(error)}); restore the file or leave its symbol out`,
    );
  }
}

/**
 * Reads the wanted columns of a CSV file with one header line. Numbers are plain non-negative decimals with at most as many decimals
 * as the scale keeps. The first wanted column must be the time and may not go back. Refuses the file at the first thing that is wrong.
 */
export function readColumns(path: string, wanted: readonly Wanted[]): Columns | FileRefusal {
  const file = readDataFile(path);
  if (!file.ok) return file;
  const { bytes } = file;
  const headerEnd = bytes.indexOf(NEWLINE);
  const header = bytes
    .toString('latin1', 0, headerEnd < 0 ? bytes.length : headerEnd)
    .trim()
    .split(',');
  const targets: number[] = header.map(name => wanted.findIndex(column => column.name === name));
  const missing = wanted.find(column => !header.includes(column.name));
  if (missing) {
    return refuse(
      'MISSING_COLUMN',
      `${path}, line 1: column "${missing.name}" is missing (the header has ${header.join(', ')}); the file is not used`,
    );
  }
  if (headerEnd < 0) return { ok: true, rows: 0, values: wanted.map(() => []) };

  const values: number[][] = wanted.map(() => []);
  const times = values[0] ?? [];
  let position = headerEnd + 1;
  let line = 2;
  let lastTime = -1;
  while (position < bytes.length) {
    for (let column = 0; column < targets.length; column += 1) {
      const target = targets[column] ?? -1;
      const scale = wanted[target]?.scale ?? 1;
      const start = position;
      let whole = 0;
      let unit = 0;
      let digits = 0;
      let bad = false;
      let byte = bytes[position] ?? NEWLINE;
      while (byte !== COMMA && byte !== NEWLINE) {
        if (byte >= ZERO && byte <= NINE) {
          digits += 1;
          whole = whole * 10 + (byte - ZERO);
          unit *= 10;
        } else if (byte === DOT && unit === 0) unit = 1;
        else if (byte !== RETURN) bad = true;
        position += 1;
        byte = bytes[position] ?? NEWLINE;
      }
      const value = unit > 1 ? (whole * scale) / unit : whole * scale;
      const empty = position === start || (position === start + 1 && bytes[start] === RETURN);
      const ended = byte === NEWLINE;
      position += 1;
      if (target >= 0) {
        if (!empty && (bad || digits === 0 || !Number.isSafeInteger(value))) {
          const text = bytes.toString('latin1', start, position - 1);
          return refuse(
            'BAD_NUMBER',
            `${path}, line ${line}, column "${header[column]}": "${text}" is not a number this column may hold; the file is not used`,
          );
        }
        values[target]?.push(empty ? EMPTY_FIELD : value);
      }
      if (ended && column < targets.length - 1) {
        return refuse(
          'MISSING_COLUMN',
          `${path}, line ${line}: ends after ${column + 1} of ${targets.length} columns; the file is not used`,
        );
      }
      if (!ended && column === targets.length - 1) {
        return refuse('BAD_NUMBER', `${path}, line ${line}: has more than its ${targets.length} columns; the file is not used`);
      }
    }
    const time = times[times.length - 1] ?? EMPTY_FIELD;
    if (time <= lastTime) {
      return refuse(
        'TIME_ORDER',
        `${path}, line ${line}, column "${wanted[0]?.name}": ${time} does not come after ${lastTime}; the file is not used`,
      );
    }
    lastTime = time;
    line += 1;
  }
  return { ok: true, rows: times.length, values };
}
