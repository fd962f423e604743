import type { Random } from '../random.js';
import type { OrderState } from './counts.js';

export type Profile = 'calm' | 'rough' | 'storm';
export const PROFILES: readonly Profile[] = ['calm', 'rough', 'storm'];

/**
 * Every fault the plan can begin, with its weight. A market has faults of its own (gaps, halts, crazy prints: `market/storm.ts`), and a day
 * its shape (half days, changes of the clock): those are not drawn here. What actually bit is counted where it bites.
 */
export const PLANNED_FAULTS = {
  // processes
  'kill exit-manager': 6,
  'kill day-trader': 4,
  'kill supervisor': 3,
  'kill everything': 1,
  'ambush exit-manager': 10,
  'ambush day-trader': 6,
  'ambush supervisor': 1,
  'hang exit-manager': 3,
  'hang day-trader': 2,
  'hang supervisor': 1,
  'second supervisor': 1,
  // the line
  cut: 5,
  deaf: 2,
  mute: 2,
  'half-open': 2,
  delay: 4,
  repeat: 2,
  reorder: 2,
  'drop statuses': 2,
  // the gateway and its line to the broker
  outage: 2,
  'connectivity lost': 2,
  restart: 1,
  // answers to orders
  reject: 4,
  vanish: 1,
  'slow cancels': 3,
  'refuse cancels': 2,
  'stale positions': 2,
  correction: 2,
  bust: 1,
  // marks
  'crazy marks': 2,
  'frozen marks': 2,
  // people
  'hand sell': 4,
  'hand race': 2,
  'hand buy': 2,
  'hand open': 2,
  'hand order': 1,
  flatten: 2,
  'kill switch': 1,
  'liquidate-all': 1,
  'rest stops': 1,
  // the store and its disk
  'store busy': 3,
  'store full': 2,
  'store io': 2,
  'store unsure': 2,
  'store stranger': 2,
  'store lost': 1,
  'store corrupt': 1,
  'store replaced': 1,
  // the machine
  'clock step': 1,
  suspend: 1,
} as const satisfies Record<string, number>;

/** What the plan can begin. The market has its own faults, and befalls nobody out of the blue but where a seed is focused on that. */
export type PlannedFault = keyof typeof PLANNED_FAULTS | 'market';

/** How many faults a day's two storms hold together, at least and at most. */
const FAULTS_A_DAY: Record<Profile, readonly [number, number]> = { calm: [2, 6], rough: [12, 24], storm: [30, 60] };

export interface PlannedMoment {
  /** Milliseconds after the day's open. */
  readonly afterOpenMs: number;
  readonly fault: PlannedFault;
  /** It waits for an order in this state; null: it comes when it comes. */
  readonly aim: OrderState | null;
}

/**
 * States that pass so quickly, or come so seldom, that a fault would nearly never meet them by chance, with their weights. One fault in three of
 * those that can begin at any instant is aimed at one of them.
 */
const AIMS = {
  'entry INTENT': 2,
  'entry SUBMITTED': 3,
  'entry part filled': 3,
  'entry CANCELLING': 5,
  'entry LOST': 4,
  'exit INTENT': 2,
  'exit CANCELLING': 4,
  'exit part filled': 2,
  'exit LOST': 5,
} as const satisfies Partial<Record<OrderState, number>>;

/** A person looks at the clock, not at our orders; and an ambush waits for its own moment. */
const isAimable = (fault: PlannedFault): boolean => !/^(ambush|hand|bust)/.test(fault);

/** The stretches of a day in which faults may begin, in thousandths of the session; between and after them is quiet. */
export interface Storm {
  readonly from: number;
  readonly to: number;
}

function drawByWeight<T extends string>(random: Random, weights: Readonly<Record<T, number>>): T {
  const entries = Object.entries(weights) as [T, number][];
  let left = random.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [drawn, weight] of entries) {
    left -= weight;
    if (left < 0) return drawn;
  }
  throw new Error('the weights do not add up');
}

const drawFault = (random: Random): PlannedFault => drawByWeight(random, PLANNED_FAULTS);

/** One cell of the table of faults and order states, at which a whole seed goes. */
export interface Focus {
  readonly fault: PlannedFault;
  readonly aim: OrderState;
}

const FOCUSES: readonly Focus[] = ([...Object.keys(PLANNED_FAULTS), 'market'] as PlannedFault[]).flatMap(fault =>
  (Object.keys(AIMS) as (keyof typeof AIMS)[]).map(aim => ({ fault, aim })),
);

/** So many seeds in a row go once through all of them. */
export const FOCUS_COUNT = FOCUSES.length;
export const focusOf = (seed: number): Focus => {
  const focus = FOCUSES[seed % FOCUS_COUNT];
  if (!focus) throw new Error(`seed ${seed} has no focus`);
  return focus;
};

/** Entries that wait are rare where everything fills at once: such a seed's desk rests them, and its market is shallow. */
export const isAboutEntries = ({ focused, seed }: { readonly focused?: boolean; readonly seed: number }): boolean =>
  focused === true && focusOf(seed).aim.startsWith('entry');

/** Tried so often; a try waits for its order, so that fewer strike. */
const FOCUS_EVERY_MS = 300_000;

export interface DayShape {
  readonly profile: Profile;
  readonly sessionMs: number;
  readonly storms: readonly Storm[];
  /** When everything intraday is to be let go. */
  readonly flatAfterOpenMs: number;
  /** Tried again and again through the storms, among half as many other faults. */
  readonly focus: Focus | null;
}

/** Day trades rarely live until the end of the day: so people open some just before it, which must be flat, or carried. */
const LATE_OPENS_MAX = 4;
/** Some early enough to be caught by a halt that outlasts the day. */
const LATE_MS_MAX = [900_000, 3_600_000] as const;

/** The faults of one day, in time order. */
export function planDay(random: Random, { profile, sessionMs, storms, flatAfterOpenMs, focus }: DayShape) {
  const [low, high] = FAULTS_A_DAY[profile];
  const count = random.between(low, high) >> (focus ? 1 : 0);
  const moments: PlannedMoment[] = [];
  for (let index = 0; index < count; index += 1) {
    const storm = storms[random.below(storms.length)];
    if (!storm) break;
    const perMille = random.between(storm.from, storm.to);
    // Faults come alone, and in bursts: half of them within seconds of the one before.
    const before = moments.at(-1);
    const isBurst = before !== undefined && random.chance(1, 2);
    const wanted = isBurst
      ? before.afterOpenMs + random.between(50, 20_000)
      : Math.floor((perMille * sessionMs) / 1_000) + random.below(10_000);
    const last = Math.floor((storm.to * sessionMs) / 1_000);
    const fault = drawFault(random);
    const aim = isAimable(fault) && random.chance(1, 3) ? drawByWeight(random, AIMS) : null;
    moments.push({ afterOpenMs: Math.min(wanted, isBurst ? wanted : last), fault, aim });
  }
  if (focus)
    for (const { from, to } of storms)
      for (let at = (from * sessionMs) / 1_000; at < (to * sessionMs) / 1_000; at += FOCUS_EVERY_MS)
        moments.push({ afterOpenMs: Math.floor(at) + random.below(FOCUS_EVERY_MS / 2), ...focus });
  for (let left = random.below(LATE_OPENS_MAX + 1); left > 0; left -= 1)
    moments.push({
      afterOpenMs: flatAfterOpenMs - random.between(60_000, LATE_MS_MAX[random.below(2)] ?? 0),
      fault: 'hand open',
      aim: null,
    });
  return moments.sort((left, right) => left.afterOpenMs - right.afterOpenMs);
}
