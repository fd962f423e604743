import { nextTradingDate, previousTradingDate, sessionOf, tradeDate } from '@holdfast/core/calendar';
import type { TradeDate } from '@holdfast/core/units';
import { createRandom } from '../random.js';

/** The next `count` trading days, `from` included when it is one. Weekends and holidays are left out, half days are in. */
export function tradingDays(from: TradeDate, count: number): readonly TradeDate[] {
  const days: TradeDate[] = [];
  let date = sessionOf(from).isTradingDay ? from : nextTradingDate(from);
  for (; days.length < count; date = nextTradingDate(date)) days.push(date);
  return days;
}

/** Days on which the clock or the calendar does something: half days of 13:00 close, and the first trading day after each change of clocks. */
export const ODD_DAYS: readonly TradeDate[] = ['2026-11-27', '2026-12-24', '2026-03-09', '2026-11-02'].map(tradeDate);

const FIRST_DAY = tradeDate('2026-01-02');
/** From there on a campaign of a few weeks still ends in 2026 or soon after. */
const START_CHOICES = 245;

/**
 * The days of one seed: `count` trading days in a row. Half of the seeds run over one of `ODD_DAYS` (at a place in the row drawn too, its
 * eve included when there is room for it), the others begin anywhere in 2026.
 */
export function campaignDays(seed: number, count: number): readonly TradeDate[] {
  const random = createRandom(seed, 'days');
  const odd = ODD_DAYS[random.below(ODD_DAYS.length)];
  if (!odd || random.chance(1, 2)) {
    const start = tradingDays(FIRST_DAY, START_CHOICES)[random.below(START_CHOICES)];
    return tradingDays(start ?? FIRST_DAY, count);
  }
  let start = odd;
  const before = count < 2 ? 0 : random.between(1, count - 1);
  for (let i = 0; i < before; i += 1) start = previousTradingDate(start);
  return tradingDays(start, count);
}
