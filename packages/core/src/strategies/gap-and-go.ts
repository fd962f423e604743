import { sessionAt } from '../calendar.js';
import type { EpochMs } from '../units.js';
import { atLeast, below, type EntryDecision, judge, type SymbolView } from './strategy.js';

/**
 * Gap-and-go entry (A9), in plain words: buy a stock that opened at least 5 % above the previous close and is not overbought (RSI below
 * 60). It does not ask where VWAP is: in the first minutes there hardly is one.
 *
 * It may fire from the open (09:30) for 30 minutes, configurable: the gap is the morning's news, and by noon it explains nothing any more.
 * The gap's own jump is not part of the RSI (see market/indicators.ts), or the rule could never hold on the very stocks it is meant for.
 */
export interface GapAndGoRules {
  readonly enabled: boolean;
  readonly gapBpsMin: number;
  readonly rsiMax: number;
  /** Fires before this many minutes after the session's open. */
  readonly minutesAfterOpenMax: number;
}

export const DEFAULT_GAP_AND_GO_RULES: GapAndGoRules = { enabled: true, gapBpsMin: 500, rsiMax: 60, minutesAfterOpenMax: 30 };

export function decideGapAndGo(view: SymbolView, now: EpochMs, rules: GapAndGoRules = DEFAULT_GAP_AND_GO_RULES): EntryDecision {
  const session = sessionAt(now);
  const minutesAfterOpen = (now - session.open) / 60_000;
  if (!session.isTradingDay || minutesAfterOpen < 0 || minutesAfterOpen >= rules.minutesAfterOpenMax) {
    return {
      ok: false,
      strategy: 'gap-and-go',
      code: 'OUT_OF_WINDOW',
      // Put into words only when somebody records it: it is told at every bar of the day.
      get detail() {
        return `fires from the open for ${rules.minutesAfterOpenMax} min; now is ${Math.floor(minutesAfterOpen)} min after it`;
      },
      rules: [],
    };
  }
  return judge(view, now, {
    strategy: 'gap-and-go',
    rules: [
      atLeast(`gap >= ${rules.gapBpsMin} bps`, view.gapBps ?? null, rules.gapBpsMin),
      below(`RSI < ${rules.rsiMax}`, view.reading.rsi, rules.rsiMax),
    ],
  });
}
