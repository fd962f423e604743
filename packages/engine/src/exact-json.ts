/**
 * JSON that loses nothing: what JSON drops or bends (undefined, NaN, the infinities, −0, maps and sets) is written as an object with the key
 * `$`, and comes back as it was. Everything else is plain JSON, so a journal stays readable. Numbers need no care: JSON's shortest
 * form of a double is exact.
 *
 * | value | text |
 * |---|---|
 * | `undefined` | `{"$":"undefined"}` |
 * | `-0`, `NaN`, `±Infinity` | `{"$":"number","v":"-0"}` |
 * | `Map`, `Set` | `{"$":"map","v":[[key,value]]}`, `{"$":"set","v":[value]}` |
 * | an object that has a key `$` itself | `{"$":"object","v":[["$",value]]}` |
 *
 * Anything else (a function, a class of ours, a Date, a symbol) is no value of the rules, and a bug: it throws.
 */
const TAG = '$';

export function encodeExact(value: unknown): string {
  return JSON.stringify(isPlain(value) ? value : tagged(value));
}

export function decodeExact(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // Most values have nothing to bring back; looking for the tag in the text is far cheaper than walking the value.
  return text.includes(`"${TAG}":`) ? restored(value) : value;
}

/** Whether JSON itself keeps this value as it is. */
export function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isPlainNumber(value);
    case 'object':
      return value === null || (Array.isArray(value) ? value.every(isPlain) : isPlainObject(value));
    default:
      return false;
  }
}

const isPlainNumber = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);

function isPlainObject(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype || TAG in value) return false;
  for (const inner of Object.values(value)) if (!isPlain(inner)) return false;
  return true;
}

function tagged(value: unknown): unknown {
  if (value === undefined) return { [TAG]: 'undefined' };
  if (typeof value === 'number' && !isPlainNumber(value)) return { [TAG]: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value !== 'object') throw new Error(`a ${typeof value} cannot be journaled`);
  if (Array.isArray(value)) return Array.from(value, tagged);
  if (value instanceof Map) return { [TAG]: 'map', v: Array.from(value, entry => entry.map(tagged)) };
  if (value instanceof Set) return { [TAG]: 'set', v: Array.from(value, tagged) };
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new Error(`a ${value.constructor.name} cannot be journaled`);
  const entries = Object.entries(value).map(([key, inner]) => [key, tagged(inner)] as const);
  return TAG in value ? { [TAG]: 'object', v: entries } : Object.fromEntries(entries);
}

const SPECIAL: Readonly<Record<string, number>> = { '-0': -0, NaN: Number.NaN, Infinity, '-Infinity': -Infinity };

/**
 * Brings back what `encodeExact` tagged, in a value that JSON.parse made. `rows` is the table of journal-rows.ts, where the text may refer to
 * it. Throws on a tag nobody knows.
 */
export function restored(value: unknown, rows: unknown[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inner => restored(inner, rows));
  if (TAG in value) return untagged(value[TAG], 'v' in value ? value.v : undefined, rows);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restored(inner, rows)]));
}

function untagged(tag: unknown, content: unknown, rows: unknown[]): unknown {
  if (tag === 'undefined') return undefined;
  if (tag === 'number' && typeof content === 'string' && content in SPECIAL) return SPECIAL[content];
  if (tag === 'row' && typeof content === 'number' && content < rows.length) return rows[content];
  if (tag === 'new') {
    const row = restored(content, rows);
    rows.push(row);
    return row;
  }
  if (Array.isArray(content)) {
    if (tag === 'set') return new Set(content.map(inner => restored(inner, rows)));
    if (tag === 'map') return new Map(content.map(pair => pairOf(pair, rows)));
    if (tag === 'object') return Object.fromEntries(content.map(pair => pairOf(pair, rows)).map(([key, inner]) => [String(key), inner]));
  }
  throw new Error(`no value of this format: ${JSON.stringify({ [TAG]: tag, v: content })}`);
}

function pairOf(pair: unknown, rows: unknown[]): readonly [unknown, unknown] {
  if (!Array.isArray(pair) || pair.length !== 2) throw new Error(`no pair of key and value: ${JSON.stringify(pair)}`);
  return [restored(pair[0], rows), restored(pair[1], rows)];
}
