import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { WorkerName } from '@holdfast/core/orders/order';
import type { EpochMs } from '@holdfast/core/units';
import { encodeExact, encodeGraph } from './exact-json.js';
import { createEventWriter } from './journal-events.js';
import { createRowWriter } from './journal-rows.js';

/**
 * What a journal looks like: JSON lines, each an array whose first word says what it is.
 *
 * | line | what |
 * |---|---|
 * | `["head", {…}]` | a segment begins, with everything the worker's state is made from: at a process start, a new trading date, after a gap |
 * | `["quiet", event, …]` | events that caused no effect (their form: journal-events.ts) |
 * | `["step", event, [effect, …]]` | an event and all that the rules made of it, in full |
 * | `["bug", event, "message"]` | the rules threw on this event; the process ended |
 * | `["rules", "fingerprint"]` | the build of the rules that decided (rules-build.ts) |
 * | `["forget"]` | rows are numbered from 0 again (journal-rows.ts) |
 * | `["gap", {lost, why}]` | what happened from here to the next head is not in the file |
 * | `["end", "why"]` | the process ended by itself |
 *
 * Raised with every change of these lines or of what a worker's state and view look like, for a head is all of one:
 * 2: what the day trader watches is a list, and the baseline of a view has its contracts.
 * 3: ticks tell when the broker was heard. Ticks and states of 2 do not, and are decided on as they were then.
 */
export const JOURNAL_FORMAT = 3;
export const READABLE_FORMATS: readonly unknown[] = [2, JOURNAL_FORMAT];

export interface Head {
  readonly format: 2 | typeof JOURNAL_FORMAT;
  readonly worker: WorkerName;
  /** Of Holdfast. */
  readonly version: string;
  readonly at: EpochMs;
  /** `start`: of a process, whose createState was called with `given`. Else `given` is the state itself: a file never needs another one. */
  readonly because: 'start' | 'new date' | 'gap';
  readonly given: unknown;
}

/** One decision. `bug`: the rules threw instead. */
export interface JournalStep {
  readonly event: Event;
  readonly effects: readonly Effect[];
  readonly bug?: string;
}

export interface Gap {
  /** Steps; null = nobody counts. */
  readonly lost: number | null;
  readonly why: string;
}

/** Begins with an empty line: the one before may be torn. */
export const headLine = (head: Head): string => `\n["head",${encodeGraph(head)}]\n`;
export const gapLine = (gap: Gap): string => `\n["gap",${JSON.stringify(gap)}]\n`;
export const rulesLine = (fingerprint: string): string => `["rules",${JSON.stringify(fingerprint)}]\n`;
export const endLine = (why: string): string => `["end",${JSON.stringify(why)}]\n`;

/** The lines of one segment; each of them may build on the ones before. */
export function createSegmentWriter(): (steps: readonly JournalStep[]) => string {
  const rows = createRowWriter();
  const encode = createEventWriter(rows);
  let quiet: string[] = [];

  const quietLine = (): string => {
    const text = quiet.length === 0 ? '' : `["quiet",${quiet.join(',')}]\n`;
    quiet = [];
    return text;
  };
  const forgetLine = (): string => {
    if (!rows.isFull) return '';
    rows.forget();
    return `${quietLine()}["forget"]\n`;
  };

  return steps => {
    let text = '';
    for (const { event, effects, bug } of steps) {
      text += forgetLine();
      const item = encode(event);
      if (bug !== undefined) text += `${quietLine()}["bug",${item},${JSON.stringify(bug)}]\n`;
      else if (effects.length > 0) text += `${quietLine()}["step",${item},${encodeExact(effects)}]\n`;
      else quiet.push(item);
    }
    return text + quietLine();
  };
}
