import { type Micros, micros } from '@holdfast/core/units';
import type { Split } from '../exchange-types.js';
import type { Random } from '../random.js';
import type { Weather } from './storm-weather.js';

/** What happened to one symbol between yesterday's close and today's open. */
export interface Morning {
  /** Yesterday's close as the broker shows it today, adjusted for a split. A whole tick. */
  readonly previousClose: Micros;
  readonly split?: { readonly numerator: number; readonly denominator: number };
  readonly gapBps: number;
  readonly gap: 'opening-gap' | 'overnight-jump' | 'split-like-jump' | 'none';
}

export const TICK = micros(10_000);
/** From here on an opening away from yesterday's close counts as a gap. */
const GAP_FROM_BPS = 100;
/** Forward splits happen to dear shares, reverse ones to cheap ones, so that prices stay in a range where brackets make sense. */
const DEAR = 80_000_000;
const CHEAP = 12_000_000;
const FORWARD = [
  [2, 1],
  [3, 1],
  [4, 1],
  [3, 2],
] as const;
const REVERSE = [
  [1, 5],
  [1, 10],
] as const;

/** @param mayArrive splits and split-like jumps need a day before: on the first one nothing was held. */
export function drawMorning(
  close: Micros,
  { weather, random, mayArrive }: { weather: Weather; random: Random; mayArrive: boolean },
): Morning {
  const split = mayArrive && random.chance(weather.splitPer1000, 1_000) ? drawSplit(close, random) : undefined;
  const splitLike = mayArrive && !split && random.chance(weather.splitLikePer1000, 1_000);
  const overnight = !split && !splitLike && random.chance(weather.overnightJumpPer1000, 1_000);
  const previousClose = split ? toWholeTick((close * split.denominator) / split.numerator) : toWholeTick(close);
  // Half of the price is gone as in a two-for-one, or it has doubled; give or take two per cent.
  if (splitLike) {
    const gapBps = (random.chance(3, 4) ? -5_000 : 10_000) + random.between(-200, 200);
    return { previousClose, gapBps, gap: 'split-like-jump' };
  }
  if (overnight) {
    const gapBps = random.between(600, 2_500) * (random.chance(3, 5) ? -1 : 1);
    return { previousClose, gapBps, gap: 'overnight-jump' };
  }
  const gapBps = random.between(-weather.gapBps, weather.gapBps);
  const gap = Math.abs(gapBps) >= GAP_FROM_BPS ? 'opening-gap' : 'none';
  return { previousClose, gapBps, gap, ...(split ? { split } : {}) };
}

function drawSplit(close: Micros, random: Random): Omit<Split, 'conId'> {
  const forward = close >= DEAR || (close > CHEAP && random.chance(1, 2));
  const ratios = forward ? FORWARD : REVERSE;
  const [numerator, denominator] = ratios[random.below(ratios.length)] ?? FORWARD[0];
  return { numerator, denominator };
}

const toWholeTick = (price: number): Micros => micros(Math.max(1, Math.round(price / TICK)) * TICK);
