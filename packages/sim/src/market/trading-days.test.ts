import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import { expect, test } from 'vitest';
import { campaignDays, ODD_DAYS, tradingDays } from './trading-days.js';

const HOUR_MS = 3_600_000;

test.each([
  ['over Thanksgiving, with its half day', '2026-11-25', ['2026-11-25', '2026-11-27', '2026-11-30']],
  ['from a holiday on', '2026-11-26', ['2026-11-27', '2026-11-30']],
  ['over Christmas', '2026-12-23', ['2026-12-23', '2026-12-24', '2026-12-28']],
  ['over the change of clocks in spring', '2026-03-06', ['2026-03-06', '2026-03-09']],
  ['over the change of clocks in autumn', '2026-10-30', ['2026-10-30', '2026-11-02']],
  ['from a Sunday on', '2026-06-07', ['2026-06-08']],
])('trading days %s', (_title, from, days) => {
  expect(tradingDays(tradeDate(from), days.length)).toEqual(days);
});

test('the odd days are half days, or open another number of hours after the session before', () => {
  for (const date of ODD_DAYS) {
    const [before, on] = tradingDays(tradeDate(date === '2026-03-09' ? '2026-03-06' : '2026-10-30'), 2).map(sessionOf);
    const isShifted = on?.date === date && ((on.open - (before?.open ?? 0)) / HOUR_MS) % 24 !== 0;
    expect(sessionOf(date).earlyClose || isShifted, date).toBe(true);
  }
});

test('about half of the seeds run over an odd day, every odd day is met on its first and on a later place, and a seed keeps its days', () => {
  const places = new Map<string, Set<number>>();
  let met = 0;
  for (let seed = 0; seed < 400; seed += 1) {
    const days = campaignDays(seed, 3);
    expect(days.every((date, index) => index === 0 || date === tradingDays(days[index - 1] ?? date, 2)[1])).toBe(true);
    const odd = days.find(date => ODD_DAYS.includes(date));
    if (!odd) continue;
    met += 1;
    places.set(odd, (places.get(odd) ?? new Set()).add(days.indexOf(odd)));
  }
  expect(met).toBeGreaterThan(180);
  expect(met).toBeLessThan(260);
  for (const date of ODD_DAYS) expect([...(places.get(date) ?? [])]).toEqual(expect.arrayContaining([1, 2]));
  expect(campaignDays(77, 4)).toEqual(campaignDays(77, 4));
  expect(campaignDays(5, 1)).toHaveLength(1);
});
