import { type Micros, micros, type Shares, sharesFor, toDollars } from '../units.js';

/**
 * How many shares one entry may have: the smallest of every limit, rounded down (A11, C2). Never "at least one": one share of a dear
 * stock can break every limit at once, so zero shares is a refusal and says which limit made it so.
 */
export interface SizingInput {
  /** Fraction of equity one entry may use, above 0 and at most 1: 0.25. */
  readonly allocation: number;
  /** Net liquidation value. */
  readonly equity: Micros;
  readonly buyingPower: Micros;
  /** Further limits in dollars, each under its own name: cash, exposure left, what other entries in flight have already taken … */
  readonly caps: readonly Cap[];
  /** The entry's limit price: the most a share can cost. */
  readonly limitPrice: Micros;
  /** Dollars per point, 1 for stocks. */
  readonly multiplier?: number;
}

export interface Cap {
  readonly name: string;
  readonly amount: Micros;
}

export type Sizing =
  | { readonly ok: true; readonly shares: Shares /** The limit that decided. */; readonly limitedBy: string; readonly budget: Micros }
  | { readonly ok: false; readonly code: 'BAD_ALLOCATION' | 'BAD_PRICE' | 'NO_MONEY' | 'ZERO_SHARES'; readonly detail: string };

const refuse = (code: Extract<Sizing, { ok: false }>['code'], detail: string): Sizing => ({ ok: false, code, detail });
const usd = (amount: Micros): string => `$${toDollars(amount).toFixed(2)}`;

/** $100,000 equity, 0.25, limit 50.00 → 500 shares by allocation; with $12,345 of cash left → 246 by cash. */
export function sizeEntry(input: SizingInput): Sizing {
  const { allocation, equity, buyingPower, caps, limitPrice, multiplier = 1 } = input;
  if (!(allocation > 0 && allocation <= 1)) return refuse('BAD_ALLOCATION', `allocation must be above 0 and at most 1, got ${allocation}`);
  if (!(limitPrice > 0 && multiplier > 0)) return refuse('BAD_PRICE', `no size at a limit of ${usd(limitPrice)} × ${multiplier}`);

  const limits: Cap[] = [
    { name: 'allocation', amount: micros(Math.floor(equity * allocation)) },
    { name: 'buying power', amount: buyingPower },
    ...caps,
  ];
  const tightest = limits.reduce((least, cap) => (cap.amount < least.amount ? cap : least));
  const { name, amount } = tightest;
  if (amount <= 0) return refuse('NO_MONEY', `${name} leaves ${usd(amount)}`);

  const unitCost = micros(Math.ceil(limitPrice * multiplier));
  const shares = sharesFor(amount, unitCost);
  if (shares === 0) return refuse('ZERO_SHARES', `${name} of ${usd(amount)} buys no share at ${usd(unitCost)}`);
  return { ok: true, shares, limitedBy: name, budget: amount };
}
