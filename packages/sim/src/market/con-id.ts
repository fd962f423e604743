/** 1_000_000 leaves room below for ids that tests make up. */
const BASE = 1_000_000;
const LETTERS = 37;

/**
 * A stable contract id for a ticker: base 37 over A–Z, 0–9 and everything else, so that SPY is the same instrument in every source and on
 * every date. Distinct for tickers of up to five characters of A–Z and 0–9; the result fits 32 bits.
 */
export function conIdOf(symbol: string): number {
  let value = 0;
  for (const character of symbol) {
    const code = character.charCodeAt(0);
    const digit = code >= 65 && code <= 90 ? code - 64 : code >= 48 && code <= 57 ? code - 21 : 0;
    value = (value * LETTERS + digit) % 2_000_000_000;
  }
  return BASE + value;
}
