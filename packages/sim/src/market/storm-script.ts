import type { Random } from '../random.js';
import type { TradingSession } from '../trading-session.js';
import type { Mishap, Weather } from './storm-weather.js';

/** One mishap of one symbol, exchange time. Episodes of a symbol never overlap; `until` of an instant one equals `from`. */
export interface Episode {
  readonly kind: Mishap | 'crash';
  readonly from: number;
  readonly until: number;
  /** The move of a jump, flash, crazy print, crash or resumption; the spread's width while it is wide. */
  readonly bps: number;
  /** Whose quote is missing. */
  readonly side: 'bid' | 'ask' | 'both';
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Nothing befalls a symbol in its first seconds (its opening is an event of its own), nor begins in its last minute. */
const FROM_OPEN_MS = 20 * SECOND_MS;
const BEFORE_CLOSE_MS = MINUTE_MS;
/** Between two episodes the symbol trades at least this long. */
const APART_MS = 15 * SECOND_MS;
/** A halt that outlasts the day begins in its last hour and a half, half of them around the time when day trades are let go. */
const LAST_HALT_MS = [90 * MINUTE_MS, 25 * MINUTE_MS] as const;

const KINDS: readonly Mishap[] = ['jump', 'flash', 'halt', 'halt-to-close', 'wide-spread', 'thin', 'empty-quote', 'crazy-print', 'stale'];

export interface ScriptWish {
  readonly weather: Weather;
  readonly session: TradingSession;
  readonly random: Random;
  /** When all symbols fall together and by how much (negative), or undefined. */
  readonly crash?: { readonly at: number; readonly bps: number } | undefined;
}

/** Draws one symbol's mishaps of the day, in time order. What would overlap an earlier one is left out, so a storm may have a few less than its rates. */
export function writeScript({ weather, session, random, crash }: ScriptWish): readonly Episode[] {
  const drawn: Episode[] = [];
  if (crash) {
    const bps = crash.bps + random.between(-60, 60);
    drawn.push({ kind: 'crash', from: crash.at, until: crash.at, bps, side: 'both' });
  }
  for (const kind of KINDS) {
    const rate = weather.mishaps[kind];
    // From none to twice the mean, so that days differ.
    const count = Math.floor(random.between(0, 2 * rate + 99) / 100);
    for (let i = 0; i < count; i += 1) drawn.push(drawEpisode(kind, session, random));
  }
  drawn.sort((left, right) => left.from - right.from);
  const kept: Episode[] = [];
  let free = 0;
  for (const episode of drawn) {
    if (episode.from < free || (episode.kind !== 'halt-to-close' && episode.until > session.close - SECOND_MS)) continue;
    kept.push(episode);
    free = episode.until + APART_MS;
  }
  return kept;
}

function drawEpisode(kind: Mishap, session: TradingSession, random: Random): Episode {
  const { open, close } = session;
  // Milliseconds are drawn too: what happens between two regular marks should not always happen on the second.
  const whole = Math.floor((close - BEFORE_CLOSE_MS - open - FROM_OPEN_MS) / SECOND_MS);
  const from = open + FROM_OPEN_MS + random.below(whole) * SECOND_MS + random.below(SECOND_MS);
  return episodeFrom(kind, from, { close, random });
}

/** A mishap of any kind that begins now, for one symbol; null where no room is left for it before the close. */
export function drawSudden(now: number, { close }: TradingSession, random: Random): Episode | null {
  if (now >= close - LAST_HALT_MS[0]) return null;
  const kind = ([...KINDS, 'crash'] as const)[random.below(KINDS.length + 1)];
  if (kind === undefined) return null;
  if (kind === 'crash') return { kind, from: now, until: now, bps: -random.between(100, 400), side: 'both' };
  if (kind === 'halt-to-close') return { kind, from: now, until: close, bps: 0, side: 'both' };
  return episodeFrom(kind, now, { close, random });
}

function episodeFrom(kind: Mishap, from: number, { close, random }: { readonly close: number; readonly random: Random }): Episode {
  const seconds = (low: number, high: number) => from + random.between(low, high) * SECOND_MS;
  const either = (bps: number) => (random.chance(1, 2) ? bps : -bps);
  const plain = { kind, from, until: from, bps: 0, side: 'both' } as const;
  switch (kind) {
    case 'jump':
      // Two of three fall: most positions of the desk are long.
      return { ...plain, bps: random.between(100, 700) * (random.chance(2, 3) ? -1 : 1) };
    case 'flash':
      return { ...plain, until: from + random.between(600, 4_000), bps: -random.between(150, 900) };
    case 'halt':
      return { ...plain, until: seconds(60, 900), bps: either(random.between(20, 900)) };
    case 'halt-to-close':
      return { ...plain, from: close - random.between(MINUTE_MS, LAST_HALT_MS[random.below(2)] ?? 0), until: close };
    case 'wide-spread':
      return { ...plain, until: seconds(20, 400), bps: random.between(80, 400) };
    case 'thin':
      return { ...plain, until: seconds(30, 600) };
    case 'empty-quote':
      return { ...plain, until: seconds(3, 90), side: random.chance(1, 3) ? 'both' : random.chance(2, 3) ? 'bid' : 'ask' };
    case 'crazy-print':
      return { ...plain, bps: either(random.between(400, 6_000)) };
    case 'stale':
      return { ...plain, until: seconds(25, 600) };
  }
}
