import type { BrokerBar, QuoteUpdate } from '../events.js';
import { PART_MS } from '../market/bars.js';
import { type EpochMs, epochMs, micros } from '../units.js';

/**
 * 5-second parts made of quotes, for accounts without live data: they get delayed quotes but no real-time bars (error 420), and delayed
 * data is enough to run (A11). Stamped by when they arrive; their volume is what the day's volume grew by.
 */
export interface QuotePart {
  readonly forming: BrokerBar | null;
  readonly dayVolume: number | null;
}

export const NO_QUOTE_PART: QuotePart = { forming: null, dayVolume: null };

/** Takes a quote; `finished` is the part before it, once a quote of a later one has come. Quotes without a last price tell nothing. */
export function addQuote(
  part: QuotePart,
  quote: QuoteUpdate,
  at: EpochMs,
): { readonly part: QuotePart; readonly finished: BrokerBar | null } {
  const { last, volume } = quote;
  if (last <= 0) return { part, finished: null };
  const slot = epochMs(Math.floor(at / PART_MS) * PART_MS);
  const traded = part.dayVolume === null ? 0 : Math.max(0, volume - part.dayVolume);
  const { forming } = part;
  if (forming?.at === slot) {
    const joined = {
      ...forming,
      high: micros(Math.max(forming.high, last)),
      low: micros(Math.min(forming.low, last)),
      close: last,
      volume: forming.volume + traded,
      wap: last,
    };
    return { part: { forming: joined, dayVolume: volume }, finished: null };
  }
  const begun: BrokerBar = { at: slot, open: last, high: last, low: last, close: last, volume: traded, wap: last };
  return { part: { forming: begun, dayVolume: volume }, finished: forming };
}
