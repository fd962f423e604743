import type { EpochMs } from '@holdfast/core/units';
import type { Quote } from '../exchange-types.js';

/** How old delayed data is. */
export const DELAY_MS = 15 * 60_000;

/** The quotes of the last quarter of an hour, one per instrument and second: what delayed data is made of. */
export class QuoteHistory {
  readonly #kept = new Map<number, { quotes: Quote[]; first: number }>();

  record(quote: Quote): void {
    const line = this.#kept.get(quote.conId) ?? { quotes: [], first: 0 };
    this.#kept.set(quote.conId, line);
    const newest = line.quotes.at(-1);
    if (newest && Math.floor(newest.at / 1000) === Math.floor(quote.at / 1000)) line.quotes.pop();
    line.quotes.push(quote);
    // One that is already old enough stays: it is the delayed quote until a newer one comes of age.
    while ((line.quotes[line.first + 1]?.at ?? Number.POSITIVE_INFINITY) <= quote.at - DELAY_MS) line.first += 1;
    if (line.first > 1_000) {
      line.quotes = line.quotes.slice(line.first);
      line.first = 0;
    }
  }

  /** The quote of a quarter of an hour before `now`, undefined while the market is younger than that. */
  delayed(conId: number, now: EpochMs): Quote | undefined {
    const line = this.#kept.get(conId);
    if (!line) return undefined;
    let found: Quote | undefined;
    for (let index = line.first; index < line.quotes.length; index += 1) {
      const quote = line.quotes[index];
      if (!quote || quote.at > now - DELAY_MS) break;
      found = quote;
      line.first = index;
    }
    return found;
  }
}
