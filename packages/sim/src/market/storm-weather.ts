/** How rough a simulated day is. `calm` still ends brackets both ways, `storm` is the one that hunts for the day on which money is lost. */
export type StormProfile = 'calm' | 'rough' | 'storm';

/** What may befall one symbol during the day. Each is told under its own kind when it happens (`MarketEvent`). */
export type Mishap = 'jump' | 'flash' | 'halt' | 'halt-to-close' | 'wide-spread' | 'thin' | 'empty-quote' | 'crazy-print' | 'stale';

/** The numbers of one profile. Chances "per 1000" are per symbol and day. */
export interface Weather {
  /** Standard deviation of one ten-second move, ppm. 950 crosses a bracket of −0.9 % / +1.8 % in about half an hour. */
  readonly sigmaPpm: readonly [low: number, high: number];
  /** Strongest drift of a stretch of the day, ppm per ten seconds, both ways. */
  readonly driftPpm: number;
  /** Everyday opening gap, both ways. */
  readonly gapBps: number;
  readonly overnightJumpPer1000: number;
  readonly splitPer1000: number;
  /** A jump that looks like a split (half or double) and is none. */
  readonly splitLikePer1000: number;
  readonly lateOpenPer1000: number;
  /** Per day: all symbols fall together. */
  readonly crashPer1000: number;
  readonly spreadBps: readonly [low: number, high: number];
  /** Shares displayed on a side. */
  readonly displayed: readonly [low: number, high: number];
  /** Quotes with 1 to 60 shares, of 100. */
  readonly smallPer100: number;
  /** Expected number of each, per symbol and day, in hundredths. */
  readonly mishaps: Readonly<Record<Mishap, number>>;
}

export const WEATHER: Readonly<Record<StormProfile, Weather>> = {
  calm: {
    sigmaPpm: [300, 600],
    driftPpm: 40,
    gapBps: 60,
    overnightJumpPer1000: 5,
    splitPer1000: 4,
    splitLikePer1000: 0,
    lateOpenPer1000: 5,
    crashPer1000: 0,
    spreadBps: [2, 6],
    displayed: [400, 3_000],
    smallPer100: 3,
    mishaps: {
      jump: 5,
      flash: 0,
      halt: 2,
      'halt-to-close': 0,
      'wide-spread': 5,
      thin: 10,
      'empty-quote': 3,
      'crazy-print': 5,
      stale: 5,
    },
  },
  rough: {
    sigmaPpm: [500, 950],
    driftPpm: 90,
    gapBps: 180,
    overnightJumpPer1000: 20,
    splitPer1000: 12,
    splitLikePer1000: 3,
    lateOpenPer1000: 25,
    crashPer1000: 60,
    spreadBps: [3, 12],
    displayed: [150, 1_500],
    smallPer100: 10,
    mishaps: {
      jump: 60,
      flash: 15,
      halt: 18,
      'halt-to-close': 1,
      'wide-spread': 30,
      thin: 40,
      'empty-quote': 25,
      'crazy-print': 40,
      stale: 25,
    },
  },
  storm: {
    sigmaPpm: [600, 1_300],
    driftPpm: 150,
    gapBps: 300,
    overnightJumpPer1000: 50,
    splitPer1000: 30,
    splitLikePer1000: 10,
    lateOpenPer1000: 60,
    crashPer1000: 250,
    spreadBps: [3, 18],
    displayed: [80, 900],
    smallPer100: 20,
    mishaps: {
      jump: 180,
      flash: 60,
      halt: 50,
      'halt-to-close': 8,
      'wide-spread': 80,
      thin: 90,
      'empty-quote': 70,
      'crazy-print': 110,
      stale: 70,
    },
  },
};
