/**
 * The only source of luck in the simulation: sfc32 (Chris Doty-Humphrey's small fast counting generator), 32-bit integer steps
 * only, so that a seed gives the same numbers on every machine. Streams are forked by name: drawing more from one never
 * shifts another, and a new symbol leaves the old ones' days unchanged.
 */
export interface Random {
  /** A whole number in [0, 2^32). */
  next(): number;
  /** A whole number in [0, bound), bound up to 2^21 without bias that matters. */
  below(bound: number): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True in `numerator` of `denominator` cases. */
  chance(numerator: number, denominator: number): boolean;
  /** Bell-shaped around 0 with standard deviation 1000: the sum of four even draws, so never beyond ±3464. */
  bell(): number;
  /** An independent stream under a name. */
  fork(name: string): Random;
}

const TWO_32 = 4_294_967_296;
/** Four even draws from ±866 have variance 4 × 866² / 3 ≈ 1000². */
const BELL_DRAW = 866;
const WARM_UP_ROUNDS = 12;

/** FNV-1a over UTF-16 units: a name becomes 32 bits. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The last whole number before which none is skipped: from the next on a seed would be a rounded one. */
export const SEED_MAX = 2 ** 53;

/** @param seed any whole number from 0 to 2^53; throws on others, because a rounded seed would not replay. */
export function createRandom(seed: number, name = ''): Random {
  if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MAX) throw new Error(`a seed is a whole number from 0 to 2^53, got ${seed}`);
  let a = seed >>> 0;
  let b = Math.floor(seed / TWO_32) >>> 0;
  let c = hashText(name);
  let counter = 1;

  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP_ROUNDS; i += 1) next();

  const below = (bound: number): number => Math.floor((next() * bound) / TWO_32);
  const between = (low: number, high: number): number => low + below(high - low + 1);
  return {
    next,
    below,
    between,
    chance: (numerator, denominator) => below(denominator) < numerator,
    bell: () =>
      between(-BELL_DRAW, BELL_DRAW) + between(-BELL_DRAW, BELL_DRAW) + between(-BELL_DRAW, BELL_DRAW) + between(-BELL_DRAW, BELL_DRAW),
    fork: child => createRandom(seed, `${name}/${child}`),
  };
}
