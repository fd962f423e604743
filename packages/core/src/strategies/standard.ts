import type { EpochMs } from '../units.js';
import { above, atLeast, below, dollars, type EntryDecision, judge, type SymbolView } from './strategy.js';

/**
 * Standard entry (A9), in plain words: buy a stock that trades above the session's average price (VWAP), that is not overbought
 * (RSI below 60), and that moves enough to be worth it (ATR of at least 0.3 % of its price on 30-second bars).
 *
 * All three at once; all three come from closed 30-second bars, so it can fire from the 15th bar of history on, any time in the phase in
 * which entries are allowed.
 */
export interface StandardRules {
  readonly enabled: boolean;
  /** RSI(14) must be below this, 0 to 100. */
  readonly rsiMax: number;
  /** ATR(14) ÷ price must be at least this many basis points. */
  readonly atrBpsMin: number;
}

export const DEFAULT_STANDARD_RULES: StandardRules = { enabled: true, rsiMax: 60, atrBpsMin: 30 };

export function decideStandard(view: SymbolView, now: EpochMs, rules: StandardRules = DEFAULT_STANDARD_RULES): EntryDecision {
  const { reading, price } = view;
  return judge(view, now, {
    strategy: 'standard',
    rules: [
      above('price > VWAP (USD)', dollars(price), dollars(reading.vwap)),
      below(`RSI < ${rules.rsiMax}`, reading.rsi, rules.rsiMax),
      atLeast(`ATR >= ${rules.atrBpsMin} bps`, reading.atrBps, rules.atrBpsMin),
    ],
  });
}
