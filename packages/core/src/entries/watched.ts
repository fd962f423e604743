import type { Contract } from '../contract.js';
import type { QuoteUpdate } from '../events.js';
import { type BarBuilder, newBarBuilder } from '../market/bars.js';
import { type Indicators, NO_INDICATORS } from '../market/indicators.js';
import type { EpochMs, Micros, MonoMs, TradeDate } from '../units.js';
import { NO_QUOTE_PART, type QuotePart } from './quote-part.js';

/** Entries are decided on bars of this length (A9). */
export const ENTRY_BAR_MS = 30_000;

/** What is still to be asked about a symbol, in this order; `live` = everything known, followed by bars and quotes. */
export type Stage = 'contract' | 'daily' | 'history' | 'live';

/** One symbol of the watchlist or the scan. */
export interface Watched {
  readonly symbol: string;
  readonly source: 'watchlist' | 'scanner';
  readonly stage: Stage;
  /** The request under way for this stage. */
  readonly request: { readonly id: number; readonly askedAt: MonoMs } | null;
  readonly tries: number;
  readonly notBefore: MonoMs | null;
  /** Unknown to the broker, or nothing we may trade: told once and left alone. */
  readonly isDropped: boolean;
  readonly contract: Contract | null;
  readonly builder: BarBuilder;
  readonly indicators: Indicators;
  readonly quote: QuoteUpdate | null;
  readonly quotedAt: EpochMs | null;
  /** Real-time bars come on this connection; without them delayed quotes make the bars. */
  readonly hasBars: boolean;
  readonly quotePart: QuotePart;
  /** The regular session's last close, and the trading date it is the previous close of. */
  readonly previousClose: { readonly price: Micros; readonly of: TradeDate } | null;
  /** The first trade of the regular session of that date. */
  readonly openingTrade: { readonly price: Micros; readonly on: TradeDate } | null;
  /** Bars are complete from this moment on (history included), so a first regular bar after it is the opening. */
  readonly completeSince: EpochMs | null;
  /** Verdict and code last recorded: repeats are not recorded again. */
  readonly lastRecorded: string;
  /** No entry any more on this date, whatever the rules say, and why. */
  readonly shut: { readonly on: TradeDate; readonly code: string; readonly detail: string } | null;
  readonly rejections: number;
}

export const newWatched = (symbol: string, source: Watched['source']): Watched => ({
  symbol,
  source,
  stage: 'contract',
  request: null,
  tries: 0,
  notBefore: null,
  isDropped: false,
  contract: null,
  builder: newBarBuilder(ENTRY_BAR_MS),
  indicators: NO_INDICATORS,
  quote: null,
  quotedAt: null,
  hasBars: false,
  quotePart: NO_QUOTE_PART,
  previousClose: null,
  openingTrade: null,
  completeSince: null,
  lastRecorded: '',
  shut: null,
  rejections: 0,
});
