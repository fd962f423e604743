/**
 * The units of the house. Money is whole micro-dollars, sizes are whole shares (or contracts), ratios are basis points,
 * and two kinds of time never mix: exchange time (may run fast in a demo) and machine time (monotonic, never scaled).
 * Every rounding in the project goes through this file and says which way it goes.
 */

declare const unit: unique symbol;
type Branded<N extends string> = number & { readonly [unit]: N };

/** Micro-dollars, 1e-6 USD. A safe integer: exact up to about $9 billion. */
export type Micros = Branded<'micros'>;
/** Whole shares or contracts. Signed where it says so: positive = long. */
export type Shares = Branded<'shares'>;
/** Basis points, 1/100 of a per cent. May have a fraction. */
export type Bps = Branded<'bps'>;
/** Exchange time: milliseconds since 1970-01-01 UTC, as the gateway's clock tells it. */
export type EpochMs = Branded<'epoch-ms'>;
/** Machine time: monotonic milliseconds, the same clock in every process of the machine. Only differences mean anything. */
export type MonoMs = Branded<'mono-ms'>;
/** A session's business date in the contract's own zone, `2026-03-09`. */
export type TradeDate = string & { readonly [unit]: 'trade-date' };

export const MICROS_PER_DOLLAR = 1_000_000;

const safeInteger = (value: number, what: string): number => {
  if (!Number.isSafeInteger(value)) throw new Error(`${what} must be a whole, safe number, got ${value}`);
  return value;
};

/** Wraps a whole number of micro-dollars. Throws on a fraction: a fraction here is a bug, not a price. */
export const micros = (value: number): Micros => safeInteger(value, 'micro-dollars') as Micros;
/** Wraps a whole number of shares. Fractional holdings must be refused before they get here (they are hands-off). */
export const shares = (value: number): Shares => safeInteger(value, 'shares') as Shares;
export const bps = (value: number): Bps => value as Bps;
export const epochMs = (value: number): EpochMs => value as EpochMs;
export const monoMs = (value: number): MonoMs => value as MonoMs;

/** Dollars (as a broker or table gives them) to micro-dollars, to the nearest: 50.43 → 50_430_000. */
export const fromDollars = (dollars: number): Micros => micros(Math.round(dollars * MICROS_PER_DOLLAR));
/** Micro-dollars to dollars, for the wire, tables and screens. Exact for every price and sum we store. */
export const toDollars = (amount: Micros): number => amount / MICROS_PER_DOLLAR;

/** `price × (1 + bps/10 000)`, to the nearest micro-dollar: $50 and +180 bps → $50.90. */
export const addBps = (price: Micros, ratio: Bps): Micros => micros(Math.round(price + (price * ratio) / 10_000));
/** How far `to` lies above `from`, in basis points of `from`: 50.00 → 50.90 = +180. */
export const bpsBetween = (from: Micros, to: Micros): Bps => bps(((to - from) / from) * 10_000);

/**
 * Rounds a price to the contract's tick. `down` and `up` are towards zero and away from it for positive prices:
 * a protective sell limit rounds up to be no worse than asked, a stop's trigger rounds towards the entry.
 */
export function toTick(price: Micros, tick: Micros, direction: 'down' | 'up' | 'nearest'): Micros {
  const ticks = price / tick;
  const whole = direction === 'down' ? Math.floor(ticks) : direction === 'up' ? Math.ceil(ticks) : Math.round(ticks);
  return micros(whole * tick);
}

/** To whole cents, half away from zero, for money on screens and in reports. Returns dollars: 1.005 → 1.01. */
export const toCents = (amount: Micros): number => (Math.sign(amount) * Math.round(Math.abs(amount) / 10_000)) / 100;

/** Whole shares that `money` buys at `price` per share; 0 when it buys none or the price makes no sense. */
export const sharesFor = (money: Micros, price: Micros): Shares => shares(price > 0 && money > 0 ? Math.floor(money / price) : 0);

/** price × shares × multiplier, in micro-dollars. */
export const notional = (price: Micros, quantity: number, multiplier = 1): Micros => micros(Math.round(price * quantity * multiplier));

/** ISO-8601 UTC with milliseconds, the form of every time in the store. */
export const isoTime = (at: EpochMs): string => new Date(at).toISOString();
export const fromIsoTime = (text: string): EpochMs => epochMs(Date.parse(text));
