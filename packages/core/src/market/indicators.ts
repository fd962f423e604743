import { isRegularHours, tradeDateOf } from '../calendar.js';
import type { BrokerBar } from '../events.js';
import { type Bps, bpsBetween, type EpochMs, type Micros, type TradeDate } from '../units.js';

/**
 * Streaming indicators over closed bars: VWAP of the session, Wilder's RSI and ATR. Each is `(state, bar) → state` over plain values that
 * can be stored and read back, and is seeded by feeding it history bars first. Prices here are micro-dollars as plain doubles, since
 * averages have fractions; only + − × ÷ and comparisons are used, so every machine gets the same bits.
 *
 * The night is not a bar: the first bar of a trading date is compared with nothing before it. A stock that opens 5 % higher would
 * otherwise show an RSI near 100 and an ATR above any threshold for the next fourteen bars, for one jump that has its own number
 * (`openingGapBps`).
 */

/** Wilder's period for RSI and ATR. */
export const WILDER_PERIOD = 14;

/** A running Wilder average: plain mean of the first 14 values, from then on (average × 13 + value) ÷ 14. */
interface WilderAverage {
  readonly count: number;
  /** The sum while warming up, the average once `count` has reached 14. */
  readonly value: number;
}

const EMPTY_AVERAGE: WilderAverage = { count: 0, value: 0 };

function average(state: WilderAverage, value: number): WilderAverage {
  if (state.count >= WILDER_PERIOD) return { count: state.count, value: (state.value * (WILDER_PERIOD - 1) + value) / WILDER_PERIOD };
  const sum = state.value + value;
  const count = state.count + 1;
  return { count, value: count === WILDER_PERIOD ? sum / WILDER_PERIOD : sum };
}

/** Everything the indicators remember about one symbol. */
export interface Indicators {
  readonly bars: number;
  readonly lastAt: EpochMs | null;
  readonly lastClose: Micros | null;
  readonly tradeDate: TradeDate | null;
  /** Regular hours of `tradeDate` only. */
  readonly vwap: { readonly valueSum: number; readonly volume: number };
  readonly gains: WilderAverage;
  readonly losses: WilderAverage;
  readonly trueRange: WilderAverage;
}

export const NO_INDICATORS: Indicators = {
  bars: 0,
  lastAt: null,
  lastClose: null,
  tradeDate: null,
  vwap: { valueSum: 0, volume: 0 },
  gains: EMPTY_AVERAGE,
  losses: EMPTY_AVERAGE,
  trueRange: EMPTY_AVERAGE,
};

/** Takes one closed bar. A bar not later than the last changes nothing, so history and live bars may overlap. */
export function addBar(state: Indicators, bar: BrokerBar): Indicators {
  if (state.lastAt !== null && bar.at <= state.lastAt) return state;
  const tradeDate = tradeDateOf(bar.at);
  const isSameDay = tradeDate === state.tradeDate;
  const previousClose = isSameDay ? state.lastClose : null;
  const change = previousClose === null ? null : bar.close - previousClose;
  return {
    bars: state.bars + 1,
    lastAt: bar.at,
    lastClose: bar.close,
    tradeDate,
    vwap: addToVwap(isSameDay ? state.vwap : NO_INDICATORS.vwap, bar),
    gains: change === null ? state.gains : average(state.gains, Math.max(change, 0)),
    losses: change === null ? state.losses : average(state.losses, Math.max(-change, 0)),
    trueRange: average(state.trueRange, trueRange(bar, previousClose)),
  };
}

/** Feeds history, oldest first. */
export const seed = (bars: readonly BrokerBar[], state: Indicators = NO_INDICATORS): Indicators => bars.reduce(addBar, state);

/**
 * VWAP sums typical price × volume from 09:30, where typical = (high + low + close) ÷ 3.
 * Two bars, 50.20/49.80/50.00 × 100 and 51.20/50.80/51.00 × 300: (50 × 100 + 51 × 300) ÷ 400 = 50.75.
 */
function addToVwap(vwap: Indicators['vwap'], bar: BrokerBar): Indicators['vwap'] {
  if (bar.volume <= 0 || !isRegularHours(bar.at)) return vwap;
  const typical = (bar.high + bar.low + bar.close) / 3;
  return { valueSum: vwap.valueSum + typical * bar.volume, volume: vwap.volume + bar.volume };
}

/** The widest of high − low and both distances from the previous close: 51.00/50.60 after a close of 50.00 has a range of 1.00. */
function trueRange(bar: BrokerBar, previousClose: number | null): number {
  if (previousClose === null) return bar.high - bar.low;
  return Math.max(bar.high, previousClose) - Math.min(bar.low, previousClose);
}

/** What the indicators say now; null = not enough bars yet. Prices in micro-dollars with fractions. */
export interface Reading {
  readonly vwap: number | null;
  /** 0 to 100. */
  readonly rsi: number | null;
  readonly atr: number | null;
  /** ATR ÷ last close, in basis points: 0.15 on 50.00 = 30. */
  readonly atrBps: number | null;
  readonly lastClose: Micros | null;
  readonly lastAt: EpochMs | null;
}

export function read(state: Indicators): Reading {
  const { vwap, trueRange: range, lastClose, lastAt } = state;
  const atr = range.count >= WILDER_PERIOD ? range.value : null;
  return {
    vwap: vwap.volume > 0 ? vwap.valueSum / vwap.volume : null,
    rsi: rsiOf(state),
    atr,
    atrBps: atr !== null && lastClose !== null && lastClose > 0 ? (atr / lastClose) * 10_000 : null,
    lastClose,
    lastAt,
  };
}

/**
 * RSI = 100 − 100 ÷ (1 + average gain ÷ average loss): gains of 0.24 against losses of 0.10 on average → 100 − 100 ÷ 3.4 = 70.6.
 * 100 without any loss, 50 when nothing moved at all.
 */
function rsiOf({ gains, losses }: Indicators): number | null {
  if (gains.count < WILDER_PERIOD) return null;
  if (losses.value === 0) return gains.value === 0 ? 50 : 100;
  return 100 - 100 / (1 + gains.value / losses.value);
}

/**
 * The gap: how far the first price of the day lies above the previous session's close: 47.00 → 49.82 is +600 bps. `price` is the last
 * pre-market trade before 09:30 and the opening trade after it. Undefined without a previous close or a price.
 */
export const openingGapBps = (previousClose: Micros, price: Micros): Bps | undefined =>
  previousClose > 0 && price > 0 ? bpsBetween(previousClose, price) : undefined;
