import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { restored } from './exact-json.js';
import { createEventReader, type EventItem } from './journal-events.js';
import { type Gap, type Head, READABLE_FORMATS } from './journal-lines.js';
import { createRowReader, type RowReader } from './journal-rows.js';

/** What a journal says, in order. */
export type JournalEntry =
  | { readonly kind: 'head'; readonly head: Head }
  | { readonly kind: 'step'; readonly event: Event; readonly effects: readonly Effect[] }
  | { readonly kind: 'bug'; readonly event: Event; readonly message: string }
  | { readonly kind: 'rules'; readonly fingerprint: string }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'end'; readonly why: string }
  /** The last line of a process that was killed while writing it, or of a disk that filled up. */
  | { readonly kind: 'torn'; readonly line: number };

/** The file is none of ours, or damaged in the middle: `message` says where and how. */
export class UnreadableJournal extends Error {}

/**
 * Reads the lines of one file. A line that cannot be read is torn where nothing of its segment follows, and damage where something does: the
 * lines of a segment build on each other. Throws `UnreadableJournal` for damage.
 */
export function* readJournal(lines: Iterable<string>): Generator<JournalEntry> {
  let segment: SegmentReader | null = null;
  let torn: { readonly line: number; readonly why: string } | null = null;
  let number = 0;
  for (const text of lines) {
    number += 1;
    if (text === '') continue;
    const read = readLine(text, segment);
    if (read.kind === 'unreadable') {
      if (torn) throw damage(torn);
      torn = { line: number, why: read.why };
      continue;
    }
    const [first] = read.entries;
    if (first?.kind === 'head') segment = createSegmentReader();
    if (torn) {
      if (first?.kind !== 'head' && first?.kind !== 'gap') throw damage(torn);
      yield { kind: 'torn', line: torn.line };
      torn = null;
    }
    yield* read.entries;
  }
  if (torn && segment === null) throw damage(torn);
  if (torn) yield { kind: 'torn', line: torn.line };
}

const damage = ({ line, why }: { readonly line: number; readonly why: string }): UnreadableJournal =>
  new UnreadableJournal(`line ${line}: ${why}`);

type ReadLine =
  | { readonly kind: 'read'; readonly entries: readonly JournalEntry[] }
  | { readonly kind: 'unreadable'; readonly why: string };

const NO_JOURNAL = { kind: 'unreadable', why: 'it does not begin as a journal of Holdfast does' } as const;

function readLine(text: string, segment: SegmentReader | null): ReadLine {
  try {
    const [word, ...rest] = arrayOf(JSON.parse(text));
    if (word === 'head') return { kind: 'read', entries: [{ kind: 'head', head: headOf(rest[0]) }] };
    if (word === 'gap') return { kind: 'read', entries: [{ kind: 'gap', gap: rest[0] as Gap }] };
    return segment === null ? NO_JOURNAL : { kind: 'read', entries: segment(word, rest) };
  } catch (error) {
    if (error instanceof UnreadableJournal) throw error;
    if (segment === null) return NO_JOURNAL;
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) };
  }
}

function headOf(value: unknown): Head {
  const head = restored(value);
  const isHead = typeof head === 'object' && head !== null && 'format' in head && 'worker' in head && 'given' in head;
  if (!isHead) throw new UnreadableJournal('a segment begins without its head');
  if (!READABLE_FORMATS.includes(head.format)) {
    const writer = 'version' in head ? String(head.version) : 'unknown';
    throw new UnreadableJournal(
      `written in format ${String(head.format)} (Holdfast ${writer}), and this version reads ${READABLE_FORMATS.join(' and ')}`,
    );
  }
  return head as Head;
}

type SegmentReader = (word: unknown, rest: readonly unknown[]) => readonly JournalEntry[];

function createSegmentReader(): SegmentReader {
  const rows: RowReader = createRowReader();
  const decode = createEventReader(rows);
  const event = (value: unknown): Event => decode(arrayOf(value) as EventItem);
  return (word, rest) => {
    const [first, second] = rest;
    switch (word) {
      case 'quiet':
        return rest.map(item => ({ kind: 'step', event: event(item), effects: [] }));
      case 'step':
        return [{ kind: 'step', event: event(first), effects: arrayOf(restored(second)) as readonly Effect[] }];
      case 'bug':
        return [{ kind: 'bug', event: event(first), message: String(second) }];
      case 'rules':
        return [{ kind: 'rules', fingerprint: String(first) }];
      case 'end':
        return [{ kind: 'end', why: String(first) }];
      case 'forget':
        rows.forget();
        return [];
      default:
        throw new Error(`a line that begins with ${JSON.stringify(word)}`);
    }
  };
}

function arrayOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('no line of a journal');
  return value;
}
