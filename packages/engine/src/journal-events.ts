import type { Event, EventBody } from '@holdfast/core/events';
import { type EpochMs, epochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import { isPlain } from './exact-json.js';
import type { RowReader, RowWriter } from './journal-rows.js';

/**
 * One event as the journal writes it: `[at, mono]` is a tick, `[at, mono, heard]` one since whose predecessor the broker has spoken,
 * `[at, mono, body]` any other event, `[at, mono, slot, changes]` the next one of a stream (quotes, bars, marks of one instrument), told by what
 * changed.
 *
 * - `at`: exchange milliseconds since the event before. `mono`: machine nanoseconds since then. A string is the time itself, where a
 *   difference would not give it back exactly.
 * - `heard`: the tick's `heardAt`, in nanoseconds of machine time after its `mono` (so mostly below zero). A tick of two numbers was heard as the
 *   one before it; before the first of three none was, as in every journal from before this field.
 * - `slot`: streams are numbered as they first appear in full in this segment. `changes`: one number per field in the order of its first
 *   event, what is to be added; fields left out at the end did not change.
 *
 * Most of a day is ticks and quotes: 20 and 40 bytes each, where plain JSON takes 60 and 250.
 */
export type EventItem = readonly unknown[];

/** Streams of flat, mostly whole numbers, and where in the body these lie. */
const STREAMS: Readonly<Record<string, string | null>> = { quote: 'quote', bar: 'bar', 'pnl-mark': null };

const streamOf = (body: EventBody): string | null => (body.kind in STREAMS && 'conId' in body ? `${body.kind} ${body.conId}` : null);

type Fields = Readonly<Record<string, unknown>>;

/** What changes from one event of a stream to the next. */
function fieldsOf(body: Fields): Fields {
  const inner = STREAMS[String(body.kind)] ?? null;
  const fields = inner === null ? body : body[inner];
  return typeof fields === 'object' && fields !== null ? (fields as Fields) : {};
}

function withFields(body: Fields, fields: Fields): Fields {
  const inner = STREAMS[String(body.kind)] ?? null;
  return inner === null ? fields : { ...body, [inner]: fields };
}

const nanoseconds = (mono: number): number => Math.round(mono * 1e6);

/** Where the streams and the times stand; writer and reader go through the same sequence of them. */
interface Course {
  at: number;
  ns: number;
  /** Of the last tick in short. */
  heardAt: MonoMs | null;
  readonly slots: Map<string, number>;
  readonly bodies: Fields[];
}

const newCourse = (): Course => ({ at: 0, ns: 0, heardAt: null, slots: new Map(), bodies: [] });

export function createEventWriter(rows: RowWriter): (event: Event) => string {
  const course = newCourse();
  return ({ at, mono, ...body }) => {
    const times = `${atText(course, at)},${monoText(course, mono)}`;
    const heard = body.kind === 'tick' ? heardText(course, body) : null;
    if (heard !== null) return `[${times}${heard}]`;
    const stream = streamOf(body);
    const slot = stream === null ? undefined : course.slots.get(stream);
    const previous = slot === undefined ? undefined : course.bodies[slot];
    if (stream !== null) remember(course, stream, body);
    const changes = previous && changesBetween(previous, body);
    return changes ? `[${times},${slot},[${changes.join(',')}]]` : `[${times},${rows.encode(body)}]`;
  };
}

const itself = (time: number): string => `"${Object.is(time, -0) ? '-0' : time}"`;

function atText(course: Course, at: number): string {
  const difference = at - course.at;
  const isExact = isPlain(difference) && Object.is(course.at + difference, at);
  course.at = at;
  return isExact ? String(difference) : itself(at);
}

function monoText(course: Course, mono: number): string {
  const ns = nanoseconds(mono);
  const difference = ns - course.ns;
  const isExact = Number.isSafeInteger(ns) && Number.isSafeInteger(difference) && Object.is(ns / 1e6, mono) && !Object.is(ns, -0);
  course.ns = ns;
  return isExact ? String(difference) : itself(mono);
}

/** What a tick says beside its times, or null where that is not to be had in short. */
function heardText(course: Course, body: Extract<EventBody, { kind: 'tick' }>): string | null {
  const { kind: _, heardAt, ...others } = body;
  if (Object.keys(others).length > 0 || (heardAt === undefined && 'heardAt' in body)) return null;
  if (Object.is(heardAt ?? null, course.heardAt)) return '';
  if (heardAt === undefined) return null;
  const difference = nanoseconds(heardAt) - course.ns;
  if (!Number.isSafeInteger(difference) || Object.is(difference, -0) || !Object.is((course.ns + difference) / 1e6, heardAt)) return null;
  course.heardAt = heardAt;
  return `,${difference}`;
}

function remember(course: Course, stream: string, body: Fields): void {
  const slot = course.slots.get(stream) ?? course.slots.size;
  course.slots.set(stream, slot);
  course.bodies[slot] = body;
}

/** What to add to each field, or null where adding does not give the event back exactly: then it is written in full. */
function changesBetween(before: Fields, after: Fields): readonly number[] | null {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  const names = Object.keys(old);
  if (Object.keys(before).join() !== Object.keys(after).join() || Object.keys(now).join() !== names.join()) return null;
  const changes: number[] = [];
  for (const name of names) {
    const change = changeOf(old[name], now[name]);
    if (change === null) return null;
    changes.push(change);
  }
  while (changes.at(-1) === 0) changes.pop();
  return changes;
}

function changeOf(before: unknown, now: unknown): number | null {
  if (Object.is(before, now)) return isPlain(now) ? 0 : null;
  if (typeof before !== 'number' || typeof now !== 'number' || !Number.isSafeInteger(before) || !Number.isSafeInteger(now)) return null;
  const change = now - before;
  // 0 for "the same" is taken: 0 and −0 are not, and differ by nothing.
  return change !== 0 && Number.isSafeInteger(change) && Object.is(before + change, now) ? change : null;
}

export function createEventReader(rows: RowReader): (item: EventItem) => Event {
  const course = newCourse();
  return item => {
    const [at, mono, third, changes] = item;
    const times = { at: readAt(course, at), mono: readMono(course, mono) };
    if (item.length === 3 && typeof third === 'number') course.heardAt = monoMs((course.ns + third) / 1e6);
    if (item.length === 2 || (item.length === 3 && typeof third === 'number'))
      return { ...times, kind: 'tick', ...(course.heardAt === null ? {} : { heardAt: course.heardAt }) };
    const body = typeof third === 'number' ? changed(course, third, changes) : asFields(rows.decode(third));
    const event = { ...times, ...body } as Event;
    const stream = streamOf(event);
    if (stream !== null) remember(course, stream, body);
    return event;
  };
}

function asFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || !('kind' in value)) throw new Error(`no event: ${JSON.stringify(value)}`);
  return value as Fields;
}

function readAt(course: Course, value: unknown): EpochMs {
  if (typeof value !== 'number' && typeof value !== 'string') throw new Error(`no time: ${JSON.stringify(value)}`);
  course.at = typeof value === 'number' ? course.at + value : Number(value);
  return epochMs(course.at);
}

function readMono(course: Course, value: unknown): MonoMs {
  if (typeof value !== 'number' && typeof value !== 'string') throw new Error(`no time: ${JSON.stringify(value)}`);
  course.ns = typeof value === 'number' ? course.ns + value : nanoseconds(Number(value));
  return monoMs(typeof value === 'number' ? course.ns / 1e6 : Number(value));
}

function changed(course: Course, slot: number, changes: unknown): Fields {
  const before = course.bodies[slot];
  if (!before || !Array.isArray(changes)) throw new Error(`no stream ${slot}`);
  const fields = Object.entries(fieldsOf(before)).map(([name, value], index) => {
    const change: unknown = changes[index] ?? 0;
    return [name, typeof value === 'number' && typeof change === 'number' && change !== 0 ? value + change : value] as const;
  });
  return withFields(before, Object.fromEntries(fields));
}
