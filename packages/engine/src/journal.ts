import { tradeDateOf } from '@holdfast/core/calendar';
import type { Alert, Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { WorkerName } from '@holdfast/core/orders/order';
import { type EpochMs, epochMs, monoMs, type TradeDate } from '@holdfast/core/units';
import { createSegmentWriter, endLine, gapLine, headLine, JOURNAL_FORMAT, type JournalStep, rulesLine } from './journal-lines.js';
import type { Log } from './log.js';

/** What the worker's loop tells its journal. */
export interface Recorder {
  /** A decision, before it is performed. Keeps the two references and does nothing else: an order may wait behind this call. */
  step(event: Event, effects: readonly Effect[]): void;
  /** The rules threw on this event. */
  bug(event: Event, message: string): void;
  /** The loop has done what there was to do, sends included. `state` is as after the last step. An alert belongs in the store. */
  turnEnded(state: unknown, turn: { readonly isBeat: boolean }): Alert | null;
  /** The process ends; written with the last turn. */
  ended(why: string): void;
}

export interface Journal extends Recorder {
  /** Before the first step, with what is given to the brain's createState. */
  begin(given: { readonly at: EpochMs }): void;
  /** The fingerprint of the rules, once there was time to take it. */
  tellRules(fingerprint: string): void;
}

export type SinkResult = { readonly ok: true; readonly bytes: number } | { readonly ok: false; readonly detail: string };

/** Where the lines go: files (journal-files.ts), or memory in a simulation. Never throws. */
export interface JournalSink {
  /** Opens the file of that date, to append. `bytes` is what it holds. */
  open(date: TradeDate): SinkResult;
  /** One write. `bytes` is what the file holds now. A failure may leave a torn line. */
  append(text: string): SinkResult;
}

export interface JournalParts {
  readonly worker: WorkerName;
  /** Of Holdfast. */
  readonly version: string;
  readonly sink: JournalSink;
  /** A day's file that has grown to this is not written on. */
  readonly dayBytesMax: number;
  readonly log: Log;
}

/** Bare ticks wait so long for company (machine time); everything else is written with its turn. */
const TICKS_WAIT_MS = 1_000;
/** Steps kept in memory at most. A turn with more leaves a gap, and the state itself after it. */
const STEPS_MAX = 20_000;
/** A sink that failed is tried again so often (machine time). */
const TRY_AGAIN_MS = 5_000;
const HOUR_MS = 3_600_000;

/** Nothing is written until `retryAt` (machine time), or until the trading date turns. */
interface OpenGap {
  readonly kind: 'failed' | 'full' | 'overflow' | 'bug';
  readonly why: string;
  readonly retryAt: number;
  readonly lost: number;
}

/**
 * The journal of one worker: every event it took, in order, with all the rules made of it, so that `holdfast replay` can feed it back
 * (DESIGN §2). A step is only noted while the loop turns, and written, in one write, when the turn's sends are out: a step with effects
 * at the end of its turn, other events with the next beat, bare ticks within a second. What cannot be written costs the journal
 * a gap, never a decision; after a gap the state itself is written, so that the rest can be replayed.
 */
export function createJournal({ worker, version, sink, dayBytesMax, log }: JournalParts): Journal {
  let noted: JournalStep[] = [];
  let given: { readonly at: EpochMs } | null = null;
  let fingerprint: string | null = null;
  /** Lines that belong to no event, for the next write. */
  let extra = '';
  let encode: ((steps: readonly JournalStep[]) => string) | null = null;
  let date: TradeDate | null = null;
  let bytes = 0;
  let gap: OpenGap | null = null;
  let last = { at: epochMs(0), mono: monoMs(0) };
  let writtenAt = monoMs(0);
  let hasDecision = false;
  let hasMore = false;
  let asked = { hour: -1, date: tradeDateOf(epochMs(0)) };

  /** New York's midnight is on an hour of the epoch, so that the calendar need not be asked at every event. */
  function dateOf(at: EpochMs): TradeDate {
    const hour = Math.floor(at / HOUR_MS);
    if (hour !== asked.hour) asked = { hour, date: tradeDateOf(at) };
    return asked.date;
  }

  /** `lost`: steps of the text that was not written. */
  function openGap(kind: OpenGap['kind'], why: string, lost = 0): Alert | null {
    const isNews = gap?.kind !== kind;
    const retryAt = kind === 'failed' ? last.mono + TRY_AGAIN_MS : kind === 'overflow' ? 0 : Number.POSITIVE_INFINITY;
    gap = { kind, why, retryAt, lost: (gap?.lost ?? 0) + lost + noted.length };
    noted = [];
    given = null;
    encode = null;
    if (!isNews) return null;
    log('error', 'journal-gap', { kind, why });
    return gapAlert(worker, kind, why);
  }

  /** What was noted, as text. A segment that begins with a state begins after the noted steps: they are in it. */
  function textOf(state: unknown): string {
    if (encode) {
      const text = encode(noted) + extra;
      noted = [];
      extra = '';
      return text;
    }
    const because = given ? 'start' : gap ? 'gap' : 'new date';
    const before = gap ? gapLine({ lost: gap.lost + noted.length, why: gap.why }) : '';
    const head = headLine({ format: JOURNAL_FORMAT, worker, version, at: given?.at ?? last.at, because, given: given ?? state });
    if (!given) noted = [];
    given = null;
    encode = createSegmentWriter();
    return `${before}${head}${fingerprint === null ? '' : rulesLine(fingerprint)}${textOf(state)}`;
  }

  function append(state: unknown): Alert | null {
    const count = noted.length;
    const text = textOf(state);
    if (bytes + text.length > dayBytesMax) {
      const why = `its file of ${date} has reached journal.dayMegabytesMax`;
      sink.append(gapLine({ lost: null, why }));
      return openGap('full', why, count);
    }
    const written = sink.append(text);
    if (!written.ok) return openGap('failed', written.detail, count);
    bytes = written.bytes;
    if (gap) log('warn', 'journal-goes-on', { lost: gap.lost });
    gap = null;
    return null;
  }

  function open(today: TradeDate): Alert | null {
    const opened = sink.open(today);
    date = opened.ok ? today : null;
    encode = null;
    if (!opened.ok) return openGap('failed', opened.detail);
    bytes = opened.bytes;
    if (gap?.kind === 'full') gap = null;
    return null;
  }

  function write(state: unknown): Alert | null {
    const today = dateOf(last.at);
    const hasTurned = date !== null && date !== today;
    if (gap && last.mono < gap.retryAt && !(hasTurned && gap.kind === 'full')) {
      gap = { ...gap, lost: gap.lost + noted.length };
      noted = [];
      return null;
    }
    // The step that heard of the new date ends the old file; the new one begins with the state after it.
    const closing = hasTurned && encode ? append(state) : null;
    const opening = date === today ? null : open(today);
    return closing ?? opening ?? (date === null ? null : append(state));
  }

  function note(step: JournalStep): void {
    last = step.event;
    if (noted.length < STEPS_MAX) noted.push(step);
    else openGap('overflow', `more than ${STEPS_MAX} events in one turn of the loop`);
  }

  return {
    begin(start) {
      given = start;
    },
    tellRules(told) {
      fingerprint = told;
      if (encode) extra += rulesLine(told);
    },
    step(event, effects) {
      if (effects.length > 0) hasDecision = true;
      else if (event.kind !== 'tick') hasMore = true;
      note({ event, effects });
    },
    bug(event, message) {
      hasDecision = true;
      note({ event, effects: [], bug: message });
    },
    ended(why) {
      hasDecision = true;
      extra += endLine(why);
    },
    turnEnded(state, { isBeat }) {
      const isDue = hasDecision || (isBeat && (hasMore || (noted.length > 0 && last.mono - writtenAt >= TICKS_WAIT_MS)));
      if (!isDue) return null;
      hasDecision = false;
      hasMore = false;
      writtenAt = monoMs(last.mono);
      try {
        return write(state);
      } catch (error) {
        // The journal only watches: a bug in it must not end what protects positions.
        return openGap('bug', error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    },
  };
}

/** Keeps the lines: for tests and simulations. */
export interface MemorySink extends JournalSink {
  readonly files: ReadonlyMap<TradeDate, string>;
}

export function createMemorySink(): MemorySink {
  const files = new Map<TradeDate, string>();
  let date: TradeDate | null = null;
  return {
    files,
    open(next) {
      date = next;
      return { ok: true, bytes: files.get(next)?.length ?? 0 };
    },
    append(text) {
      if (date === null) return { ok: false, detail: 'no file is open' };
      const content = (files.get(date) ?? '') + text;
      files.set(date, content);
      return { ok: true, bytes: content.length };
    },
  };
}

function gapAlert(worker: WorkerName, kind: OpenGap['kind'], why: string): Alert {
  return {
    level: 'warning',
    code: 'JOURNAL_GAP',
    symbol: null,
    happened: `The journal of the ${worker} has a gap: ${why.split('\n')[0]}.`,
    did: 'Every decision and order went on as ever; what happens meanwhile cannot be replayed.',
    todo:
      kind === 'full'
        ? 'Nothing: the next trading date has a file of its own. Raise journal.dayMegabytesMax to keep such days whole.'
        : 'See whether the disk is full and the folder var/journal can be written to.',
  };
}
