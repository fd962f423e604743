import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { type EpochMs, isoTime } from '@holdfast/core/units';
import type { JournalEntry } from '@holdfast/engine/journal-reader';
import type { Difference, Replay, ReplayedSegment } from '@holdfast/engine/replay';
import { clockTime } from './clock-time.js';
import type { Narrator } from './replay-words.js';
import { countOf, type Stream } from './screen.js';

/** How a replay is told: the story, the summary, the JSON. */

const SHOWN_DIFFERENCES = 5;

/** New York time with milliseconds. */
const precise = (at: EpochMs): string => `${clockTime(at)}.${String(Math.floor(at) % 1000).padStart(3, '0')}`;

export function stepLines(
  { event, effects, isSame }: { readonly event: Event; readonly effects: readonly Effect[]; readonly isSame: boolean },
  narrator: Narrator,
): readonly string[] {
  const mark = isSame ? '' : '   << the journal says something else';
  return [
    `${precise(event.at)}  ${narrator.event(event)}${mark}`,
    ...effects.map(effect => `                → ${narrator.effect(effect)}`),
  ];
}

/** What is no step, for the story; null where there is nothing to tell. */
export function otherLine(entry: Exclude<JournalEntry, { kind: 'step' }>): string | null {
  switch (entry.kind) {
    case 'head':
      return `${precise(entry.head.at)}  ${entry.head.worker} of version ${entry.head.version}, ${BECAUSE[entry.head.because]}`;
    case 'bug':
      return `${precise(entry.event.at)}  the rules threw: ${entry.message}`;
    case 'gap':
      return `              gap: ${entry.gap.lost ?? 'unknown many'} events are missing, ${entry.gap.why}`;
    case 'end':
      return `              the process ended: ${entry.why}`;
    case 'torn':
      return `              line ${entry.line} is torn: the process was killed while writing it, or the disk was full`;
    case 'rules':
      return null;
  }
}

const BECAUSE = { start: 'started', 'new date': 'goes on on a new date', gap: 'goes on after a gap' } as const;

interface Shown {
  readonly paint: Stream['paint'];
  readonly file: string;
  /** Of the rules that replayed. */
  readonly fingerprint: string;
  readonly narrator: Narrator;
  /** The replay ended where it was asked to. */
  readonly isCut: boolean;
}

export function formatReplay(seen: Replay, { paint, file, fingerprint, narrator, isCut }: Shown): string {
  const { segments, differences, differenceCount, torn, gaps } = seen;
  const sum = (of: (segment: ReplayedSegment) => number): number => segments.reduce((total, segment) => total + of(segment), 0);
  const total = {
    events: sum(({ events }) => events),
    decisions: sum(({ decisions }) => decisions),
    effects: sum(({ effects }) => effects),
  };
  const counts = [countOf(total.events, 'event'), countOf(total.decisions, 'decision'), countOf(total.effects, 'effect')].join(', ');
  const verdict =
    differenceCount === 0
      ? paint.green('Every decision and effect came again: 0 differences.')
      : paint.red(`${countOf(differenceCount, 'difference')}.`);
  return [
    `${file}: ${countOf(segments.length, 'segment')}, ${counts}`,
    ...segments.map((segment, index) => formatSegment(segment, { number: index + 1, isCut: isCut && index === segments.length - 1 })),
    ...(torn > 0 ? [`${countOf(torn, 'torn line')}: what a process was writing when it was killed, or the disk was full`] : []),
    ...(gaps > 0 ? [`${countOf(gaps, 'gap')}: what happened there is not in the journal; the state after it is`] : []),
    ...otherRules(seen, fingerprint),
    ...differences.slice(0, SHOWN_DIFFERENCES).flatMap(difference => formatDifference(difference, narrator)),
    ...(differenceCount > SHOWN_DIFFERENCES ? ['', `The first ${SHOWN_DIFFERENCES} are shown. Later ones may only follow from them.`] : []),
    verdict,
  ].join('\n');
}

function formatSegment(segment: ReplayedSegment, { number, isCut }: { readonly number: number; readonly isCut: boolean }): string {
  const { head, events, decisions, differences, end, fingerprint } = segment;
  const rules = fingerprint === null ? '' : `, rules ${fingerprint}`;
  const lastWord = end === null ? 'no last word: killed, or still running' : `ended: ${end.split('\n')[0]}`;
  const wrong = differences === 0 ? '' : `, ${countOf(differences, 'difference')}`;
  const counts = `${countOf(events, 'event')}, ${countOf(decisions, 'decision')}${wrong}`;
  return `  ${number}. ${clockTime(head.at)} ${head.worker} ${BECAUSE[head.because]} (version ${head.version}${rules}): ${counts}; ${isCut ? 'replayed up to here' : lastWord}`;
}

/** A person who sees differences must know first whether they compare like with like. */
function otherRules({ segments, differenceCount }: Replay, fingerprint: string): readonly string[] {
  const others = new Set(
    segments.flatMap(segment => (segment.fingerprint === null || segment.fingerprint === fingerprint ? [] : [segment.fingerprint])),
  );
  if (others.size > 0) {
    const so =
      differenceCount === 0
        ? 'they decide the same here.'
        : 'differences may be the change itself. Replay with the version that wrote it to be sure.';
    return [`Written by other rules (${[...others].join(', ')}; these are ${fingerprint}): ${so}`];
  }
  const isUnknown = segments.some(segment => segment.fingerprint === null);
  return isUnknown ? [`A process did not live to say which rules it ran; these are ${fingerprint}.`] : [];
}

function formatDifference({ segment, event, recorded, replayed }: Difference, narrator: Narrator): readonly string[] {
  const told = (outcome: Difference['recorded']): readonly string[] => {
    if ('threw' in outcome) return [`      threw: ${outcome.threw}`];
    if (outcome.length === 0) return ['      nothing'];
    return outcome.flatMap(effect => [`      ${narrator.effect(effect)}`, `        ${JSON.stringify(effect)}`]);
  };
  return [
    '',
    `${precise(event.at)} (segment ${segment}) ${narrator.event(event)}`,
    '    the journal has:',
    ...told(recorded),
    '    these rules make of it:',
    ...told(replayed),
  ];
}

export function replayJson(seen: Replay, { file, fingerprint }: Pick<Shown, 'file' | 'fingerprint'>): object {
  const { segments, differences, differenceCount, torn, gaps } = seen;
  return {
    file,
    segments: segments.map(({ head, ...counted }) => ({
      worker: head.worker,
      at: isoTime(head.at),
      because: head.because,
      version: head.version,
      ...counted,
    })),
    events: segments.reduce((sum, { events }) => sum + events, 0),
    decisions: segments.reduce((sum, { decisions }) => sum + decisions, 0),
    effects: segments.reduce((sum, { effects }) => sum + effects, 0),
    differences: differenceCount,
    first: differences
      .slice(0, SHOWN_DIFFERENCES)
      .map(({ segment, event, recorded, replayed }) => ({ segment, at: isoTime(event.at), event, recorded, replayed })),
    torn,
    gaps,
    rules: fingerprint,
    sameRules: segments.every(segment => segment.fingerprint === fingerprint),
  };
}
