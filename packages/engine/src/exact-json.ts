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
 * | a value that comes again, at first and from then on | `{"$":"new","v":value}`, `{"$":"row","v":0}` |
 *
 * Anything else (a function, a class of ours, a Date, a symbol) is no value of the rules, and a bug: it throws.
 */
const TAG = '$';

/** A value by its content. An object that is in it twice is written twice. */
export function encodeExact(value: unknown): string {
  return JSON.stringify(isPlain(value) ? value : createTagger(new Set())(value));
}

/** A value with its identities: an object that is in it twice is one object again when it comes back. The states of the rules need that. */
export function encodeGraph(value: unknown): string {
  return JSON.stringify(createTagger(sharedIn(value))(value));
}

export const decodeExact = (text: string): unknown => restored(JSON.parse(text));

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

/** Objects that are reached more than once. */
function sharedIn(value: unknown): ReadonlySet<object> {
  const seen = new Set<object>();
  const shared = new Set<object>();
  const visit = (inner: unknown): void => {
    if (typeof inner !== 'object' || inner === null) return;
    if (seen.has(inner)) {
      shared.add(inner);
      return;
    }
    seen.add(inner);
    if (inner instanceof Map) for (const entry of inner) entry.forEach(visit);
    else if (inner instanceof Set) inner.forEach(visit);
    else Object.values(inner).forEach(visit);
  };
  visit(value);
  return shared;
}

/** Values into what JSON.stringify may be given. A shared object gets its number when it is complete, as `restored` counts them. */
function createTagger(shared: ReadonlySet<object>): (value: unknown) => unknown {
  const numbers = new Map<object, number>();

  function tagged(value: unknown): unknown {
    if (value === undefined) return { [TAG]: 'undefined' };
    if (typeof value === 'number' && !isPlainNumber(value)) return { [TAG]: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
    if (typeof value !== 'object') throw new Error(`a ${typeof value} cannot be journaled`);
    const number = numbers.get(value);
    if (number !== undefined) return { [TAG]: 'row', v: number };
    const content = taggedObject(value);
    if (!shared.has(value)) return content;
    numbers.set(value, numbers.size);
    return { [TAG]: 'new', v: content };
  }

  function taggedObject(value: object): unknown {
    if (Array.isArray(value)) return Array.from(value, tagged);
    if (value instanceof Map) return { [TAG]: 'map', v: Array.from(value, entry => entry.map(tagged)) };
    if (value instanceof Set) return { [TAG]: 'set', v: Array.from(value, tagged) };
    if (Object.getPrototypeOf(value) !== Object.prototype)
      throw new Error(`a ${value.constructor?.name ?? 'prototype-less object'} cannot be journaled`);
    const entries = Object.entries(value).map(([key, inner]) => [key, tagged(inner)] as const);
    return TAG in value ? { [TAG]: 'object', v: entries } : Object.fromEntries(entries);
  }

  return tagged;
}

const SPECIAL: ReadonlyMap<unknown, number> = new Map([
  ['-0', -0],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/**
 * Brings back what was tagged, in a value that JSON.parse made. `rows` is what `row` numbers refer to: give the same list to go on counting
 * from one text to the next (journal-rows.ts). Throws on a tag nobody knows.
 */
export function restored(value: unknown, rows: unknown[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inner => restored(inner, rows));
  if (TAG in value) return untagged(value[TAG], 'v' in value ? value.v : undefined, rows);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restored(inner, rows)]));
}

function untagged(tag: unknown, content: unknown, rows: unknown[]): unknown {
  if (tag === 'undefined') return undefined;
  if (tag === 'number' && SPECIAL.has(content)) return SPECIAL.get(content);
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
