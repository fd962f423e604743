import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import type { Instrument, MarketUpdate, OrderSide, Quote } from './exchange-types.js';
import type { LiveOrder } from './live-order.js';

const NOTHING: Micros = micros(0);

/** One instrument's top of book, what of it is still to be had, the day so far, and the orders that wait here in time priority. */
export class Book {
  quote: Quote;
  /** The opening cross has printed. */
  crossed = false;
  private bidLeft = 0;
  private askLeft = 0;
  private regularSeen = false;

  constructor(
    readonly instrument: Instrument,
    private readonly open: EpochMs,
    /** Working orders of all clients for this instrument, oldest first; those of the day before are brought along. */
    readonly orders: LiveOrder[] = [],
  ) {
    this.quote = {
      conId: instrument.conId,
      at: epochMs(0),
      bid: NOTHING,
      ask: NOTHING,
      bidSize: 0,
      askSize: 0,
      last: NOTHING,
      lastSize: 0,
      lastAt: epochMs(0),
      volume: 0,
      open: NOTHING,
      high: NOTHING,
      low: NOTHING,
      halted: false,
    };
  }

  /** Takes in a market update. A quote in it refreshes the displayed sizes; without one, what was consumed stays consumed. */
  apply(update: MarketUpdate): void {
    const old = this.quote;
    const { quote, trade } = update;
    if (quote) {
      this.bidLeft = quote.bidSize;
      this.askLeft = quote.askSize;
    }
    // Open, high and low are the regular session's, as the broker shows them; before it, high and low are the pre-market's and open is 0.
    const regular = trade !== undefined && update.at >= this.open;
    const starts = regular && !this.regularSeen;
    if (regular) this.regularSeen = true;
    this.quote = {
      conId: old.conId,
      at: update.at,
      bid: quote?.bid ?? old.bid,
      ask: quote?.ask ?? old.ask,
      bidSize: quote?.bidSize ?? old.bidSize,
      askSize: quote?.askSize ?? old.askSize,
      last: trade?.close ?? old.last,
      lastSize: trade?.volume ?? old.lastSize,
      lastAt: trade ? update.at : old.lastAt,
      volume: old.volume + (trade?.volume ?? 0),
      open: starts ? trade.open : old.open,
      high: trade && (starts || trade.high > old.high) ? trade.high : old.high,
      low: trade && (starts || old.low === 0 || trade.low < old.low) ? trade.low : old.low,
      halted: update.halted ?? old.halted,
    };
  }

  /** Price an order of this side would trade at now, 0 when nobody quotes the other side. */
  opposite(side: OrderSide): Micros {
    return side === 'BUY' ? this.quote.ask : this.quote.bid;
  }

  /** Shares still displayed against an order of this side. */
  available(side: OrderSide): number {
    if (this.opposite(side) <= 0) return 0;
    return side === 'BUY' ? this.askLeft : this.bidLeft;
  }

  consume(side: OrderSide, shares: number): void {
    if (side === 'BUY') this.askLeft -= shares;
    else this.bidLeft -= shares;
  }

  /** The last price kept within the quote, as the broker's mark price is; before any price, yesterday's close. */
  mark(): Micros {
    const { last, bid, ask } = this.quote;
    if (last <= 0) return bid > 0 && ask > 0 ? micros(Math.round((bid + ask) / 2)) : this.instrument.previousClose;
    if (bid > 0 && last < bid) return bid;
    return ask > 0 && last > ask ? ask : last;
  }
}
