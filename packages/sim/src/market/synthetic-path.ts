import type { Random } from '../random.js';
import type { Profile } from './synthetic-roles.js';

/**
 * The price of one synthetic name, second by second. Prices are whole hundredths of a cent; a move is `price × ppm / 10^6` rounded, so
 * only + − × / and rounding touch a price and a seed gives the same day on every machine.
 */
export interface Path {
  /** Moves to the next second of the regular session (0 = the open). */
  step(second: number): Tick;
  /** Moves to the next second before the open, `remaining` seconds of it left. */
  preStep(): number;
}

export interface Tick {
  readonly price: number;
  /** The price went from one place to another without trading between. */
  readonly gapped: boolean;
  readonly halted: boolean;
}

const PPM_SCALE = 1_000_000;
const BELL = 1_000;
/** $2.00: nothing falls further. */
const FLOOR = 20_000;
const HALT_SECONDS = 300;
const ASLEEP = 4;

/** A stretch of the day with one drift. */
interface Stretch {
  until: number;
  driftPpm: number;
}

interface Shock {
  readonly at: number;
  readonly moveBps: number;
}

/** Everything about the day that is drawn beforehand. */
interface Script {
  /** The first stretches, in order; what follows is drawn as the day goes. */
  readonly opening: readonly Stretch[];
  readonly shocks: readonly Shock[];
  readonly haltAt: number;
  readonly resumeBps: number;
  /** Until this second the name sleeps (a quarter of its liveliness), so that a day's trades do not all come in its first half hour. */
  readonly wakesAt: number;
  /** Lowest and highest drift of later stretches, ppm a second. */
  readonly drift: readonly [number, number];
}

const NEVER = Number.POSITIVE_INFINITY;
const PLAIN = { opening: [], shocks: [], haltAt: NEVER, resumeBps: 0, wakesAt: 0, drift: [-9, 12] } as const;

/** @param sessionSeconds 23,400 on a full day; shocks and halts fall into its middle part on half days too. */
function writeScript(profile: Profile, sessionSeconds: number, random: Random): Script {
  const part = (from: number, to: number) => Math.floor((sessionSeconds * random.between(from, to)) / 100);
  switch (profile.role) {
    case 'calm':
      return { ...PLAIN, drift: [-2, 2] };
    case 'volatile':
      return random.chance(2, 5) ? PLAIN : { ...PLAIN, wakesAt: part(5, 75) };
    case 'gapper': {
      // A pull-back first (the gap-and-go rule wants RSI < 60), then the go.
      const pullBack = random.between(60, 180);
      const go = pullBack + random.between(600, 1_200);
      return {
        ...PLAIN,
        opening: [
          { until: pullBack, driftPpm: -random.between(18, 32) },
          { until: go, driftPpm: random.between(8, 24) },
        ],
      };
    }
    case 'runaway':
      return { ...PLAIN, wakesAt: part(0, 30), drift: [6, 16] };
    case 'crasher': {
      // Rises, so that it is bought, and drops through stops in one print, several times a day.
      const wakesAt = part(0, 40);
      const first = wakesAt + random.between(600, 1_500);
      const second = first + random.between(1_800, 3_600);
      const third = second + random.between(2_400, 4_800);
      return {
        ...PLAIN,
        shocks: [first, second, third].map(at => ({ at, moveBps: -random.between(250, 600) })),
        wakesAt,
        drift: [-4, 10],
      };
    }
    case 'halted': {
      const resumeBps = random.between(200, 450) * (random.chance(3, 5) ? -1 : 1);
      const haltAt = part(20, 60);
      return { ...PLAIN, haltAt, resumeBps, wakesAt: haltAt - random.between(900, 1_800) };
    }
  }
}

/** @param start price at the first step, hundredths of a cent. */
export function createPath(
  profile: Profile,
  { start, sessionSeconds, random }: { start: number; sessionSeconds: number; random: Random },
): Path {
  const script = writeScript(profile, sessionSeconds, random);
  let price = start;
  let stretch: Stretch = { until: 0, driftPpm: 0 };
  let openingIndex = 0;

  const move = (ppmThousandths: number) => {
    price = Math.max(FLOOR, price + Math.round((price * ppmThousandths) / (PPM_SCALE * BELL)));
  };
  const jump = (bps: number) => {
    price = Math.max(FLOOR, price + Math.round((price * bps) / 10_000));
  };
  const driftAt = (second: number): number => {
    if (second >= stretch.until) {
      const scripted = script.opening[openingIndex];
      openingIndex += 1;
      stretch = scripted ?? { until: second + random.between(240, 1_200), driftPpm: random.between(script.drift[0], script.drift[1]) };
    }
    return stretch.driftPpm;
  };

  return {
    preStep() {
      // Thin trading: a fifth of the day's liveliness, no drift, so that the gap at the open is the gap that was there at seven.
      move(Math.round((profile.sigmaPpm * random.bell()) / 5));
      return price;
    },
    step(second) {
      if (second >= script.haltAt && second < script.haltAt + HALT_SECONDS) return { price, gapped: false, halted: true };
      const resumes = second === script.haltAt + HALT_SECONDS;
      if (resumes) jump(script.resumeBps);
      const shock = script.shocks.find(candidate => candidate.at === second);
      if (shock) jump(shock.moveBps);
      const full = profile.sigmaPpm * random.bell() + driftAt(second) * BELL;
      move(second < script.wakesAt ? Math.round(full / ASLEEP) : full);
      return { price, gapped: resumes || shock !== undefined, halted: false };
    },
  };
}
