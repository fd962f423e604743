import { type Micros, micros, toTick } from '@holdfast/core/units';
import type { MarketUpdate } from '../exchange-types.js';
import type { TapeTrade } from './trade-tape.js';

type UpdateQuote = NonNullable<MarketUpdate['quote']>;

const LOT = 100;
const SIZE_MAX = 5_000;
/** Width of a derived quote: two basis points (one on each side of the middle), at least one tick. */
const WIDTH_BPS = 2;
export const STEPS_PER_MINUTE = 12;
/** Steps at whose end the first and the second extreme of the minute are reached. */
const FIRST_EXTREME = 3;
const SECOND_EXTREME = 9;

/**
 * A quote for data that have none: the print is taken as made at the bid when the price fell in this step, at the ask otherwise; the
 * other side stands one tick or 2 bps away, whichever is more. A quarter of the printed volume is displayed, in lots of 100, from 100 to
 * 5,000 shares. Worked: a print up to 345.42 with 2,865 shares gives 345.35 × 345.42, 700 shares a side.
 */
export function quoteFromTrade(trade: TapeTrade, tick: Micros): UpdateQuote {
  const width = Math.max(tick, toTick(micros(Math.round((trade.close * WIDTH_BPS) / 10_000)), tick, 'up'));
  const fell = trade.close < trade.open;
  const anchor = toTick(trade.close, tick, fell ? 'down' : 'up');
  const size = Math.min(SIZE_MAX, Math.max(LOT, Math.floor(trade.volume / 4 / LOT) * LOT));
  const bid = fell ? anchor : micros(Math.max(tick, anchor - width));
  const ask = fell ? micros(anchor + width) : anchor;
  return { bid, ask: ask > bid ? ask : micros(bid + tick), bidSize: size, askSize: size };
}

/**
 * A minute bar as twelve five-second steps: from the open straight to the first extreme (reached after 15 s), to the second (45 s), to
 * the close. A rising minute goes to its low first, a falling one to its high. Steps know the extremes of their own minute and nothing
 * later, so bars of a minute and more see no future; bars inside the minute are plausible, not real. A minute with fewer shares than steps is one step at its end.
 * Returned by step number 1…12.
 */
export function stepsOfMinute(bar: TapeTrade, tick: Micros): readonly { readonly step: number; readonly trade: TapeTrade }[] {
  if (bar.volume <= 0) return [];
  if (bar.volume < STEPS_PER_MINUTE) return [{ step: STEPS_PER_MINUTE, trade: bar }];
  const rising = bar.close >= bar.open;
  const first = rising ? bar.low : bar.high;
  const second = rising ? bar.high : bar.low;
  let before = bar.open;
  return Array.from({ length: STEPS_PER_MINUTE }, (_, index) => {
    const step = index + 1;
    const price = priceAfter(step, { bar, first, second, tick });
    const volume = Math.floor((bar.volume * step) / STEPS_PER_MINUTE) - Math.floor((bar.volume * index) / STEPS_PER_MINUTE);
    const trade = { open: before, high: micros(Math.max(before, price)), low: micros(Math.min(before, price)), close: price, volume };
    before = price;
    return { step, trade };
  });
}

interface MinutePath {
  readonly bar: TapeTrade;
  readonly first: Micros;
  readonly second: Micros;
  readonly tick: Micros;
}

function priceAfter(step: number, { bar, first, second, tick }: MinutePath): Micros {
  if (step === FIRST_EXTREME) return first;
  if (step === SECOND_EXTREME) return second;
  if (step === STEPS_PER_MINUTE) return bar.close;
  const [from, to, start, end] =
    step < FIRST_EXTREME
      ? [bar.open, first, 0, FIRST_EXTREME]
      : step < SECOND_EXTREME
        ? [first, second, FIRST_EXTREME, SECOND_EXTREME]
        : [second, bar.close, SECOND_EXTREME, STEPS_PER_MINUTE];
  const exact = toTick(micros(Math.round(from + ((to - from) * (step - start)) / (end - start))), tick, 'nearest');
  return micros(Math.min(bar.high, Math.max(bar.low, exact)));
}
