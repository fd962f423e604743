import { describe, expect, it, test } from 'vitest';
import { atTime, tradeDate } from '../calendar.js';
import { addBar, NO_INDICATORS, type Reading, read } from '../market/indicators.js';
import { bps, type EpochMs, epochMs, fromDollars } from '../units.js';
import { DEFAULT_ENTRY_RULES, decideEntry, type EntryRules, type Verdict } from './decide-entry.js';
import { decideGapAndGo } from './gap-and-go.js';
import { decideStandard } from './standard.js';
import { numbersOf, type SymbolView } from './strategy.js';

const DAY = tradeDate('2026-03-09');
const at = (clock: string): EpochMs => atTime(DAY, clock);

interface Situation {
  readonly price?: number;
  readonly vwap?: number | null;
  readonly rsi?: number | null;
  readonly atrBps?: number | null;
  readonly gapBps?: number;
  readonly barAgeMs?: number;
}

/** A stock at 50.00 above its VWAP, calm and moving: standard says yes, there is no gap. */
function view(now: EpochMs, { price = 50, vwap = 49.8, rsi = 55, atrBps = 40, gapBps, barAgeMs = 30_000 }: Situation): SymbolView {
  const reading: Reading = {
    vwap: vwap === null ? null : vwap * 1e6,
    rsi,
    atr: atrBps === null ? null : atrBps * price * 100,
    atrBps,
    lastClose: fromDollars(price),
    lastAt: epochMs(now - barAgeMs),
  };
  return { symbol: 'ACME', price: fromDollars(price), reading, gapBps: gapBps === undefined ? undefined : bps(gapBps) };
}

const outcome = (verdict: Verdict): string => (verdict.ok ? verdict.signal.strategy : verdict.code);

describe('market situations', () => {
  it.each<readonly [string, string, Situation, string]>([
    ['above VWAP, calm, moving', '10:00', {}, 'standard'],
    ['exactly at VWAP is not above it', '10:00', { vwap: 50 }, 'RULE_FAILED'],
    ['a hair above VWAP', '10:00', { vwap: 49.999999 }, 'standard'],
    ['below VWAP', '10:00', { vwap: 50.2 }, 'RULE_FAILED'],
    ['RSI of exactly 60 is not below it', '10:00', { rsi: 60 }, 'RULE_FAILED'],
    ['RSI just below 60', '10:00', { rsi: 59.99 }, 'standard'],
    ['overbought', '10:00', { rsi: 82 }, 'RULE_FAILED'],
    ['ATR of exactly 0.3 % is enough', '10:00', { atrBps: 30 }, 'standard'],
    ['ATR just below 0.3 %', '10:00', { atrBps: 29.99 }, 'RULE_FAILED'],
    ['a big gap at the open needs no VWAP', '09:30', { gapBps: 800, vwap: null }, 'gap-and-go'],
    ['nor an ATR', '09:31', { gapBps: 800, atrBps: 5 }, 'gap-and-go'],
    ['a gap of exactly 5 %', '09:45', { gapBps: 500, vwap: 51 }, 'gap-and-go'],
    ['a gap just below 5 %', '09:45', { gapBps: 499.9, vwap: 51 }, 'RULE_FAILED'],
    ['a gap down is no gap-and-go', '09:45', { gapBps: -800, vwap: 51 }, 'RULE_FAILED'],
    ['a gap already overbought', '09:45', { gapBps: 800, rsi: 75 }, 'RULE_FAILED'],
    ['a gap, and standard holds too: the narrower window is named', '09:45', { gapBps: 800 }, 'gap-and-go'],
    ['the last moment of the gap window', '09:59:59', { gapBps: 800, vwap: 51 }, 'gap-and-go'],
    ['half an hour after the open the gap is old news', '10:00', { gapBps: 800, vwap: 51 }, 'RULE_FAILED'],
    ['but a gapper may still be a standard entry', '11:00', { gapBps: 800 }, 'standard'],
    ['RSI not ready', '09:45', { gapBps: 800, rsi: null }, 'NOT_READY'],
    ['ATR not ready', '10:00', { atrBps: null }, 'NOT_READY'],
    ['no regular bar yet', '10:00', { vwap: null }, 'NOT_READY'],
    ['before the open', '09:29:59', { gapBps: 800 }, 'NOT_TRADING'],
    ['last second before the wind-down', '15:44:59', {}, 'standard'],
    ['wind-down', '15:45', {}, 'NOT_TRADING'],
    ['after the close', '16:00', {}, 'NOT_TRADING'],
    ['bars 90 s old still count', '10:00', { barAgeMs: 90_000 }, 'standard'],
    ['older ones do not', '10:00', { barAgeMs: 90_001 }, 'STALE_BARS'],
  ])('A9: %s (%s)', (_title, clock, situation, expected) => {
    expect(outcome(decideEntry(view(at(clock), situation), at(clock)))).toBe(expected);
  });

  it.each<readonly [string, string, string]>([
    ['2026-11-27', '12:44:59', 'standard'],
    ['2026-11-27', '12:45', 'NOT_TRADING'],
    ['2026-11-26', '10:00', 'NOT_TRADING'],
    ['2026-03-08', '10:00', 'NOT_TRADING'],
  ])('A12: on %s at %s (half day, holiday, Sunday): %s', (date, clock, expected) => {
    const now = atTime(tradeDate(date), clock);
    expect(outcome(decideEntry(view(now, {}), now))).toBe(expected);
  });
});

describe('what the operator reads', () => {
  test('A9: a signal carries every rule with its numbers', () => {
    const verdict = decideStandard(view(at('10:00'), { rsi: 54.321 }), at('10:00'));
    expect(verdict).toMatchObject({
      ok: true,
      signal: {
        symbol: 'ACME',
        at: at('10:00'),
        price: fromDollars(50),
        reason: 'standard: price > VWAP (USD): 50 vs 49.8 ✓; RSI < 60: 54.32 vs 60 ✓; ATR >= 30 bps: 40 vs 30 ✓',
        rules: [
          { name: 'price > VWAP (USD)', value: 50, limit: 49.8, pass: true },
          { name: 'RSI < 60', value: 54.321, limit: 60, pass: true },
          { name: 'ATR >= 30 bps', value: 40, limit: 30, pass: true },
        ],
      },
    });
  });

  test('A9: a refusal names what failed, of every strategy', () => {
    const verdict = decideEntry(view(at('09:45'), { rsi: 75, gapBps: 100 }), at('09:45'));
    expect(verdict).toMatchObject({
      ok: false,
      code: 'RULE_FAILED',
      detail: 'gap-and-go: gap >= 500 bps: 100 vs 500 ✗; RSI < 60: 75 vs 60 ✗ | standard: RSI < 60: 75 vs 60 ✗',
    });
  });

  test('A9: an unknown number is called unknown, not failed', () => {
    expect(decideStandard(view(at('10:00'), { rsi: null, vwap: null }), at('10:00'))).toMatchObject({
      code: 'NOT_READY',
      detail: 'not known yet: price > VWAP (USD), RSI < 60',
    });
    expect(decideGapAndGo(view(at('09:45'), {}), at('09:45'))).toMatchObject({
      code: 'NOT_READY',
      detail: 'not known yet: gap >= 500 bps',
    });
  });

  test('the numbers as one flat record', () => {
    const verdict = decideGapAndGo(view(at('09:45'), { gapBps: 612, rsi: 70 }), at('09:45'));
    expect(verdict.ok ? {} : numbersOf(verdict.rules)).toEqual({
      'gap >= 500 bps': 612,
      'gap >= 500 bps limit': 500,
      'RSI < 60': 70,
      'RSI < 60 limit': 60,
    });
  });
});

describe('configuration', () => {
  const rules = (change: { gap?: boolean; standard?: boolean; minutes?: number }): EntryRules => ({
    ...DEFAULT_ENTRY_RULES,
    gapAndGo: { ...DEFAULT_ENTRY_RULES.gapAndGo, enabled: change.gap ?? true, minutesAfterOpenMax: change.minutes ?? 30 },
    standard: { ...DEFAULT_ENTRY_RULES.standard, enabled: change.standard ?? true },
  });

  it.each<readonly [string, string, Situation, EntryRules, string]>([
    ['no gap-and-go: a gapper must be above VWAP', '09:45', { gapBps: 800, vwap: 51 }, rules({ gap: false }), 'RULE_FAILED'],
    ['no standard', '10:00', {}, rules({ standard: false }), 'OUT_OF_WINDOW'],
    ['neither', '10:00', {}, rules({ gap: false, standard: false }), 'SWITCHED_OFF'],
    ['a five-minute window', '09:35', { gapBps: 800, vwap: 51 }, rules({ minutes: 5 }), 'RULE_FAILED'],
    ['a window of an hour', '10:29', { gapBps: 800, vwap: 51 }, rules({ minutes: 60 }), 'gap-and-go'],
  ])('A9: %s', (_title, clock, situation, config, expected) => {
    expect(outcome(decideEntry(view(at(clock), situation), at(clock), config))).toBe(expected);
  });
});

test('A9: warm-up on live bars: nothing until the 15th close, then the first signal', () => {
  let state = NO_INDICATORS;
  const outcomes: string[] = [];
  for (let i = 0; i < 15; i += 1) {
    const start = epochMs(at('10:00') + i * 30_000);
    const now = epochMs(start + 30_000);
    // A saw tooth that drifts up: 7 × 0.20 up, 7 × 0.15 down, each bar 0.30 wide. RSI = 100 − 100 ÷ (1 + 1.40 ÷ 1.05) = 57.1.
    const close = 50 + Math.floor(i / 2) * 0.05 + (i % 2) * 0.2;
    const bar = { open: fromDollars(close), high: fromDollars(close + 0.15), low: fromDollars(close - 0.15), close: fromDollars(close) };
    state = addBar(state, { at: start, ...bar, volume: 1_000, wap: fromDollars(close) });
    outcomes.push(outcome(decideEntry({ symbol: 'ACME', price: fromDollars(close), reading: read(state), gapBps: undefined }, now)));
  }
  expect(outcomes.slice(0, 14)).toEqual(Array(14).fill('NOT_READY'));
  expect(outcomes.slice(14)).toEqual(['standard']);
});
