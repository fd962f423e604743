import { atTime, previousTradingDate, sessionOf } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, micros, type TradeDate } from '@holdfast/core/units';
import type { Bar } from '../exchange-types.js';
import type { Random } from '../random.js';
import type { Profile } from './synthetic-roles.js';
import { TradeTape } from './trade-tape.js';

/** Days of daily bars before the simulated one. */
const DAYS_BACK = 30;
const UNIT = 100; // hundredths of a cent → micro-dollars
const TICK_UNITS = 100;
const SCALE = 1_000_000_000;

export interface Past {
  /** Oldest first; the last is the day before, and its close is the instrument's previous close. */
  readonly days: readonly Bar[];
  /** The day before, second by second. */
  readonly yesterday: TradeTape;
}

const toTickPrice = (units: number): number => Math.max(1, Math.round(units / TICK_UNITS)) * TICK_UNITS * UNIT;

/** The days before, walked backwards from the known previous close, so that every bar agrees with it. Made only when somebody asks. */
export function createPast(
  profile: Profile,
  { previousClose, date, random }: { previousClose: number; date: TradeDate; random: Random },
): Past {
  const before = previousTradingDate(date);
  const yesterday = walkBack(profile, previousClose, before, random);
  const [bar] = yesterday.bars(86_400_000, epochMs(0), epochMs(Number.MAX_SAFE_INTEGER));
  if (!bar) throw new Error('a walked day has prints');
  const days: Bar[] = [{ ...bar, at: midnight(before) }];
  // A day's move is about 150 times a second's (√23,400); yesterday's open is reached from the close before it.
  const daySigma = profile.sigmaPpm * 150;
  let open = bar.open / UNIT;
  let day = before;
  for (let i = 1; i < DAYS_BACK; i += 1) {
    day = previousTradingDate(day);
    const close = open + Math.round((open * daySigma * random.bell()) / (SCALE * 5));
    const dayOpen = Math.max(20_000, close - Math.round((close * daySigma * random.bell()) / SCALE));
    const reach = () => Math.round((close * daySigma * random.between(100, 900)) / SCALE);
    const high = Math.max(close, dayOpen) + reach();
    const low = Math.max(10_000, Math.min(close, dayOpen) - reach());
    days.unshift({
      at: midnight(day),
      open: micros(toTickPrice(dayOpen)),
      high: micros(toTickPrice(high)),
      low: micros(toTickPrice(low)),
      close: micros(toTickPrice(close)),
      volume: Math.round((bar.volume * random.between(600, 1_500)) / 1_000),
      wap: micros(toTickPrice(Math.round((high + low + close) / 3))),
      count: bar.count,
    });
    open = dayOpen;
  }
  return { days, yesterday };
}

const midnight = (date: TradeDate): EpochMs => atTime(date, '00:00');

function walkBack(profile: Profile, previousClose: number, date: TradeDate, random: Random): TradeTape {
  const { open, close } = sessionOf(date);
  const prices: number[] = [];
  let price = previousClose;
  for (let at = close - 1_000; at >= open; at -= 1_000) {
    prices.push(price);
    price = Math.max(20_000, price - Math.round((price * profile.sigmaPpm * random.bell()) / SCALE));
  }
  const tape = new TradeTape();
  let last = price;
  for (let i = prices.length - 1, at: number = open; i >= 0; i -= 1, at += 1_000) {
    const now = prices[i] ?? last;
    const [from, to] = [toTickPrice(last), toTickPrice(now)];
    const volume = random.between(1, 20) * 100;
    tape.add(epochMs(at), {
      open: micros(from),
      high: micros(Math.max(from, to)),
      low: micros(Math.min(from, to)),
      close: micros(to),
      volume,
    });
    last = now;
  }
  return tape;
}
