import type { Micros } from '@holdfast/core/units';
import type { Instrument, Quote } from '../exchange-types.js';

/** One instrument as a market scan sees it. */
export interface Candidate {
  readonly instrument: Instrument;
  readonly quote: Quote;
  /** Change since the previous close, per cent. */
  readonly change: number;
}

/** What each scan ranks by, highest first; undefined leaves the instrument out. */
export const RANKINGS: Readonly<Record<string, (candidate: Candidate) => number | undefined>> = {
  TOP_PERC_GAIN: ({ change }) => change,
  TOP_PERC_LOSE: ({ change }) => -change,
  MOST_ACTIVE: ({ quote }) => quote.volume,
  HOT_BY_VOLUME: ({ quote }) => quote.volume,
  HIGH_OPEN_GAP: ({ quote, instrument }) => percent(quote.open, instrument.previousClose),
  LOW_OPEN_GAP: ({ quote, instrument }) => negated(percent(quote.open, instrument.previousClose)),
  TOP_OPEN_PERC_GAIN: ({ quote }) => percent(quote.last, quote.open),
  TOP_OPEN_PERC_LOSE: ({ quote }) => negated(percent(quote.last, quote.open)),
};

/** How far `to` lies above `from`, per cent; undefined without both prices. */
export const percent = (to: Micros, from: Micros): number | undefined => (to > 0 && from > 0 ? (to / from - 1) * 100 : undefined);
const negated = (value: number | undefined): number | undefined => (value === undefined ? undefined : -value);

/** The instruments by the scan's own measure, best first, ties by conId. None for a scan that is not known. */
export function rankInstruments(
  code: string,
  instruments: readonly Instrument[],
  quoteOf: (conId: number) => Quote,
): readonly Instrument[] {
  const rank = RANKINGS[code];
  if (!rank) return [];
  return instruments
    .flatMap(instrument => {
      const quote = quoteOf(instrument.conId);
      const change = percent(quote.last, instrument.previousClose);
      const score = change === undefined ? undefined : rank({ instrument, quote, change });
      return score === undefined ? [] : [{ instrument, score }];
    })
    .sort((left, right) => right.score - left.score || left.instrument.conId - right.instrument.conId)
    .map(({ instrument }) => instrument);
}
