import type { Effect, Step } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { WorkerName } from '@holdfast/core/orders/order';
import { encodeExact } from './exact-json.js';
import type { Head } from './journal-lines.js';
import type { JournalEntry } from './journal-reader.js';

/** One worker's rules, ready to be fed. */
export interface Replayed {
  /** The state a segment begins with. */
  begin(head: Head): void;
  /** Throws what the rules throw. */
  step(event: Event): readonly Effect[];
  state(): unknown;
}

/** The rules of a worker as `core` exports them. `S` is its state, `B` what that is made from. */
export function replayed<S, B>(brain: { createState(start: B): S; decide(state: S, event: Event): Step<S> }): Replayed {
  let state: S | null = null;
  return {
    begin({ because, given }) {
      // The journal was written from these very types; another build of the rules may know others, and then differs or throws.
      state = because === 'start' ? brain.createState(given as B) : (given as S);
    },
    step(event) {
      if (state === null) throw new Error('an event before the head of its segment');
      const decided = brain.decide(state, event);
      state = decided.state;
      return decided.effects;
    },
    state: () => state,
  };
}

/** One event of which the rules now make something else. `threw`: what they threw, or had thrown. */
export interface Difference {
  readonly segment: number;
  readonly event: Event;
  readonly recorded: readonly Effect[] | { readonly threw: string };
  readonly replayed: readonly Effect[] | { readonly threw: string };
}

/** A segment: one process, or what went on of it on another date or after a gap. */
export interface ReplayedSegment {
  readonly head: Omit<Head, 'given'>;
  /** Null: it did not live long enough to say which build of the rules it ran. */
  readonly fingerprint: string | null;
  readonly events: number;
  /** Events with effects. */
  readonly decisions: number;
  readonly effects: number;
  readonly differences: number;
  /** How it ended, in words; null = it was killed, or still runs. */
  readonly end: string | null;
}

export interface Replay {
  readonly segments: readonly ReplayedSegment[];
  /** The first ones. */
  readonly differences: readonly Difference[];
  /** Of all segments. */
  readonly differenceCount: number;
  /** Lines that were cut off in the middle of writing. */
  readonly torn: number;
  readonly gaps: number;
}

export interface ReplayOptions {
  readonly brains: Readonly<Partial<Record<WorkerName, () => Replayed>>>;
  /** Hears every step as the rules now make it. */
  readonly onStep?: (step: { readonly event: Event; readonly effects: readonly Effect[]; readonly isSame: boolean }) => void;
  readonly onOther?: (entry: Exclude<JournalEntry, { kind: 'step' }>) => void;
  /** The replay ends before the first event of which this is true. */
  readonly isOver?: (event: Event) => boolean;
}

const KEPT_DIFFERENCES = 20;
type Outcome = readonly Effect[] | { readonly threw: string };
type Counted = { -readonly [K in keyof ReplayedSegment]: ReplayedSegment[K] };

/**
 * Feeds a journal back through the rules and compares: every decision and effect must come again, to the last digit. Pure: no file, clock
 * or broker. After a difference the rules go on with their own state, so one cause may show many times: read the first.
 * Throws for a worker whose rules were not given.
 */
export function replay(entries: Iterable<JournalEntry>, { brains, onStep, onOther, isOver }: ReplayOptions): Replay {
  const segments: Counted[] = [];
  const differences: Difference[] = [];
  let brain: Replayed | null = null;
  let current: Counted | null = null;
  let torn = 0;
  let gaps = 0;

  function compare(event: Event, recorded: Outcome): void {
    if (!brain || !current) throw new Error('an event before the first head');
    const outcome = outcomeOf(brain, event);
    const effects = 'threw' in outcome ? [] : outcome;
    const isSame = encodeExact(outcome) === encodeExact(recorded);
    current.events += 1;
    current.decisions += effects.length > 0 ? 1 : 0;
    current.effects += effects.length;
    current.differences += isSame ? 0 : 1;
    if (!isSame && differences.length < KEPT_DIFFERENCES) {
      differences.push({ segment: segments.length, event, recorded, replayed: outcome });
    }
    onStep?.({ event, effects, isSame });
  }

  for (const entry of entries) {
    if ('event' in entry && isOver?.(entry.event)) break;
    if (entry.kind === 'step') {
      compare(entry.event, entry.effects);
      continue;
    }
    onOther?.(entry);
    if (entry.kind === 'bug') compare(entry.event, { threw: entry.message });
    if (entry.kind === 'rules' && current) current.fingerprint = entry.fingerprint;
    if (entry.kind === 'end' && current) current.end = entry.why;
    if (entry.kind === 'torn') torn += 1;
    if (entry.kind === 'gap') gaps += 1;
    if (entry.kind !== 'head') continue;
    const { given: _, ...head } = entry.head;
    const make = brains[head.worker];
    if (!make) throw new Error(`no rules were given for the ${head.worker}`);
    brain = make();
    brain.begin(entry.head);
    current = { head, fingerprint: null, events: 0, decisions: 0, effects: 0, differences: 0, end: null };
    segments.push(current);
  }
  const differenceCount = segments.reduce((sum, segment) => sum + segment.differences, 0);
  return { segments, differences, differenceCount, torn, gaps };
}

function outcomeOf(brain: Replayed, event: Event): Outcome {
  try {
    return brain.step(event);
  } catch (error) {
    // What the rules throw is their answer to this event, and the journal may say the same.
    return { threw: error instanceof Error ? error.message : String(error) };
  }
}
