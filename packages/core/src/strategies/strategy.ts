import type { Reading } from '../market/indicators.js';
import { type Bps, type EpochMs, MICROS_PER_DOLLAR, type Micros } from '../units.js';

/**
 * What an entry strategy is: a look at one symbol, answered with a signal or a refusal, both with the numbers that decided.
 * A strategy knows nothing of claims, capital or other symbols; those come after it (risk/, the store's claim).
 */
export type StrategyName = 'standard' | 'gap-and-go';

/** One symbol as a strategy sees it. */
export interface SymbolView {
  readonly symbol: string;
  /** What it trades at now: the newest price, not older than the last bar. */
  readonly price: Micros;
  /** VWAP, RSI and ATR of closed 30-second bars. */
  readonly reading: Reading;
  /** Opening gap against the previous close; undefined when either price is unknown. */
  readonly gapBps: Bps | undefined;
}

/** One rule and the numbers it compared, in the unit its name gives. `value` null = not known yet, which never passes. */
export interface RuleCheck {
  readonly name: string;
  readonly value: number | null;
  readonly limit: number | null;
  readonly pass: boolean;
}

export interface Signal {
  readonly symbol: string;
  readonly strategy: StrategyName;
  readonly at: EpochMs;
  readonly price: Micros;
  /** For people: every rule with its numbers. */
  readonly reason: string;
  readonly rules: readonly RuleCheck[];
}

export type RefusalCode =
  | 'NOT_TRADING' // outside the phase in which entries are allowed
  | 'OUT_OF_WINDOW' // the strategy's own hours
  | 'NOT_READY' // not enough bars yet, or the gap is unknown
  | 'STALE_BARS' // the newest bar is too old to decide by
  | 'RULE_FAILED'
  | 'SWITCHED_OFF';

export type EntryDecision =
  | { readonly ok: true; readonly signal: Signal }
  | {
      readonly ok: false;
      readonly strategy: StrategyName;
      readonly code: RefusalCode;
      readonly detail: string;
      readonly rules: readonly RuleCheck[];
    };

/** `value > limit`, and false while either is unknown. */
export const above = (name: string, value: number | null, limit: number | null): RuleCheck => ({
  name,
  value,
  limit,
  pass: value !== null && limit !== null && value > limit,
});
export const atLeast = (name: string, value: number | null, limit: number): RuleCheck => ({
  name,
  value,
  limit,
  pass: value !== null && value >= limit,
});
export const below = (name: string, value: number | null, limit: number): RuleCheck => ({
  name,
  value,
  limit,
  pass: value !== null && value < limit,
});

/** Prices of a rule in dollars, as people read them. */
export const dollars = (price: number | null): number | null => (price === null ? null : price / MICROS_PER_DOLLAR);

/** A signal if every rule passes; otherwise a refusal that tells the missing ones apart from the failed ones. */
export function judge(
  view: SymbolView,
  at: EpochMs,
  { strategy, rules }: { readonly strategy: StrategyName; readonly rules: readonly RuleCheck[] },
): EntryDecision {
  const { symbol, price } = view;
  if (rules.every(rule => rule.pass)) {
    const signal: Signal = {
      symbol,
      strategy,
      at,
      price,
      // Put into words only when somebody acts on it: most signals stop at the gate.
      get reason() {
        return `${strategy}: ${explain(rules)}`;
      },
      rules,
    };
    return { ok: true, signal };
  }
  const unknown = rules.filter(rule => rule.value === null || rule.limit === null);
  if (unknown.length > 0) {
    return { ok: false, strategy, code: 'NOT_READY', detail: `not known yet: ${unknown.map(rule => rule.name).join(', ')}`, rules };
  }
  return {
    ok: false,
    strategy,
    code: 'RULE_FAILED',
    // Put into words only when somebody records it: most refusals repeat the one before.
    get detail() {
      return explain(rules.filter(rule => !rule.pass));
    },
    rules,
  };
}

/** `RSI < 60: 62.31 vs 60 ✗` for each rule. */
export const explain = (rules: readonly RuleCheck[]): string =>
  rules.map(({ name, value, limit, pass }) => `${name}: ${short(value)} vs ${short(limit)} ${pass ? '✓' : '✗'}`).join('; ');

const short = (value: number | null): string => (value === null ? 'unknown' : String(Math.round(value * 100) / 100));

/** The rules as one flat record, for the decisions table: `{ 'RSI < 60': 62.3, 'RSI < 60 limit': 60 }`. */
export const numbersOf = (rules: readonly RuleCheck[]): Readonly<Record<string, number | null>> =>
  Object.fromEntries(
    rules.flatMap(({ name, value, limit }) => [
      [name, value],
      [`${name} limit`, limit],
    ]),
  );
