import type { Micros } from '@holdfast/core/units';
import type { Book } from './book.js';
import type { MarketUpdate } from './exchange-types.js';
import { type LiveOrder, tradableShares } from './live-order.js';

export interface Match {
  readonly shares: number;
  readonly price: Micros;
}

/** The prints of one step and how much of their volume earlier orders have left. */
export interface Prints {
  readonly trade: NonNullable<MarketUpdate['trade']>;
  readonly volumeLeft: number;
}

/** "last" counts for a stop only within the quote or at most 0.5 % outside of it (TWS guide, stop orders). In basis points. */
const TRIGGER_BAND_BPS = 50;

const isAtOrBetter = (order: LiveOrder, price: Micros): boolean => {
  const { type, limitPrice, side } = order.request;
  if (type === 'MKT' || type === 'STP') return true;
  if (limitPrice === undefined) return false;
  return side === 'BUY' ? price <= limitPrice : price >= limitPrice;
};

/**
 * What the displayed quote gives this order: at most the size still standing there, at the quote's price (so a limit may be
 * improved on). A market order larger than the display gets the rest from later quotes.
 */
export function matchQuote(order: LiveOrder, book: Book): Match | undefined {
  const { side } = order.request;
  const price = book.opposite(side);
  const shares = Math.min(tradableShares(order), book.available(side));
  if (shares <= 0 || !isAtOrBetter(order, price)) return undefined;
  return { shares, price };
}

/**
 * What a print at or through a resting limit gives it: its own price (never worse than the quote that stands), at most the volume
 * printed (`volumeLeft`). This is how a target fills on a touch that is gone again when the next quote comes.
 */
export function matchTrade(order: LiveOrder, book: Book, { trade, volumeLeft }: Prints): Match | undefined {
  const { type, limitPrice, side } = order.request;
  if ((type !== 'LMT' && type !== 'STP LMT') || limitPrice === undefined) return undefined;
  const reached = side === 'BUY' ? trade.low <= limitPrice : trade.high >= limitPrice;
  const shares = Math.min(tradableShares(order), volumeLeft);
  if (!reached || shares <= 0) return undefined;
  const quoted = book.opposite(side);
  const betterQuoted = quoted > 0 && (side === 'BUY' ? quoted < limitPrice : quoted > limitPrice);
  return { shares, price: betterQuoted ? quoted : limitPrice };
}

/** Would a stop trigger at this last price, given the quote that stands? */
export function isTriggeredBy(order: LiveOrder, last: Micros, book: Book): boolean {
  const { stopPrice, side } = order.request;
  if (stopPrice === undefined || last <= 0) return false;
  const { bid, ask } = book.quote;
  if (bid > 0 && last * 10_000 < bid * (10_000 - TRIGGER_BAND_BPS)) return false;
  if (ask > 0 && last * 10_000 > ask * (10_000 + TRIGGER_BAND_BPS)) return false;
  return side === 'BUY' ? last >= stopPrice : last <= stopPrice;
}

/** Would any print of this step trigger it? The extreme is tried first; if it lies too far outside the quote, the close decides. */
export function isTriggeredByTrade(order: LiveOrder, trade: NonNullable<MarketUpdate['trade']>, book: Book): boolean {
  const extreme = order.request.side === 'BUY' ? trade.high : trade.low;
  return isTriggeredBy(order, extreme, book) || isTriggeredBy(order, trade.close, book);
}

/** What the opening print gives a market- or limit-on-open order: all of it, for the cross gathers the whole day's interest. */
export function matchCross(order: LiveOrder, crossPrice: Micros): Match | undefined {
  const shares = order.request.quantity - order.filled;
  return shares > 0 && isAtOrBetter(order, crossPrice) ? { shares, price: crossPrice } : undefined;
}
