import { type Config, parseConfig } from '@holdfast/engine/config';
import type { Random } from '../random.js';

export type Protection = 'guarded' | 'monitored' | 'resting';
/** The two worlds of order ownership: may a client cancel what another one placed (DESIGN §4, "Ownership")? */
export type Ownership = 'own-only' | 'any-client';

export const PROTECTIONS: readonly Protection[] = ['guarded', 'monitored', 'resting'];
const ACCOUNT = 'DU1234567';

/** What a seed decides about the desk before its first day. */
export interface DeskSetup {
  readonly account: string;
  readonly protection: Protection;
  readonly ownership: Ownership;
  readonly config: Config;
  /** The order in which the day trader follows the symbols. */
  readonly watchlist: readonly string[];
}

export interface Wanted {
  readonly protection?: Protection;
  readonly ownership?: Ownership;
  /** Entries rest at a price that the market may not come back to, for as long as they may: what befalls a waiting entry is looked for. */
  readonly waitingEntries?: boolean;
}

const pick = <T>(random: Random, list: readonly T[]): T => {
  const chosen = list[random.below(list.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
};

/** The desk of a seed: its configuration goes through the same parser as an operator's. */
export function drawSetup(random: Random, symbols: readonly string[], wanted: Wanted): DeskSetup {
  const protection = wanted.protection ?? pick(random, ['guarded', 'guarded', 'monitored', 'resting']);
  const ownership = wanted.ownership ?? pick(random, ['own-only', 'any-client']);
  const text = JSON.stringify({
    mode: 'paper',
    account: ACCOUNT,
    exits: {
      protection,
      targetBps: pick(random, [120, 180, 300]),
      stopBps: pick(random, [60, 90, 90, 150]),
      trailArmBps: pick(random, [null, null, 40, 80]),
      trailGiveBackBps: pick(random, [30, 60]),
    },
    entries: {
      allocation: pick(random, [0.05, 0.1, 0.2]),
      maxPositions: random.between(3, 6),
      style: wanted.waitingEntries ? 'resting' : pick(random, ['resting', 'resting', 'immediate']),
      ttlSeconds: wanted.waitingEntries ? 90 : pick(random, [20, 90, 90]),
      limitBufferBps: wanted.waitingEntries ? 0 : pick(random, [0, 10, 40]),
      scanner: { enabled: false },
      strategies: {
        // Thresholds at which a signal comes some ten times a day: a desk that never trades proves nothing.
        standard: { rsiMax: pick(random, [40, 50, 60]), atrBpsMin: 0 },
        gapAndGo: { gapBpsMin: 30, rsiMax: 100, minutesAfterOpenMax: 60 },
      },
    },
    supervisor: { parkAfterCrashes: 100 },
  });
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(`the desk of this seed is misconfigured: ${JSON.stringify(parsed.problems)}`);
  const watchlist = symbols.map(symbol => ({ symbol, key: random.next() })).sort((left, right) => left.key - right.key);
  return { account: ACCOUNT, protection, ownership, config: parsed.config, watchlist: watchlist.map(({ symbol }) => symbol) };
}
