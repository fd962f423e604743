import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  atTime,
  flatFrom,
  isRegularHours,
  nextTradingDate,
  noEntriesFrom,
  phaseAt,
  previousTradingDate,
  sessionAt,
  sessionOf,
  tradeDate,
  tradeDateOf,
} from './calendar.js';
import { epochMs, fromIsoTime, isoTime } from './units.js';

const day = tradeDate;
const utc = fromIsoTime;

describe('trading dates', () => {
  it.each([
    ['2026-03-09T13:30:00.000Z', '2026-03-09', 'the open, summer time'],
    ['2026-03-10T01:30:00.000Z', '2026-03-09', 'the evening is already tomorrow in UTC'],
    ['2026-03-10T03:59:59.999Z', '2026-03-09', 'last millisecond, summer time'],
    ['2026-03-10T04:00:00.000Z', '2026-03-10', 'midnight, summer time'],
    ['2026-01-15T04:59:59.999Z', '2026-01-14', 'last millisecond, winter time'],
    ['2026-01-15T05:00:00.000Z', '2026-01-15', 'midnight, winter time'],
    ['2026-03-08T04:59:59.999Z', '2026-03-07', 'before the night the clocks go forward'],
    ['2026-03-09T04:00:00.000Z', '2026-03-09', 'after it'],
    ['2026-11-01T03:59:59.999Z', '2026-10-31', 'before the night the clocks go back'],
    ['2026-11-02T04:59:59.999Z', '2026-11-01', 'the 25th hour'],
    ['2026-11-02T05:00:00.000Z', '2026-11-02', 'after it'],
    ['1969-12-31T23:00:00.000Z', '1969-12-31', 'before the epoch'],
  ])('A12: %s is %s (%s)', (at, expected) => expect(tradeDateOf(utc(at))).toBe(expected));

  test("agrees with the platform's own time zone data at any moment", () => {
    const newYork = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York', year: 'numeric', month: '2-digit', day: '2-digit' });
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2013, 0, 1), max: Date.UTC(2030, 0, 1) }), ms => {
        expect(tradeDateOf(epochMs(ms))).toBe(newYork.format(new Date(ms)));
      }),
    );
  });

  it.each(['2026-02-30', '2026-1-5', 'today', ''])('refuses %j as a date', text => expect(() => tradeDate(text)).toThrow(/YYYY-MM-DD/));
});

describe('sessions', () => {
  it.each([
    ['2026-03-09', '13:30', '20:00', 'the Monday after the clocks went forward'],
    ['2026-03-06', '14:30', '21:00', 'the Friday before'],
    ['2026-11-02', '14:30', '21:00', 'the Monday after they went back'],
    ['2026-11-27', '14:30', '18:00', 'half day: 13:00 New York'],
    ['2024-07-03', '13:30', '17:00', 'half day in summer'],
  ])('A12: %s trades from %s to %s UTC (%s)', (date, open, close) => {
    const session = sessionOf(day(date));
    expect([isoTime(session.open).slice(11, 16), isoTime(session.close).slice(11, 16)]).toEqual([open, close]);
    expect(session.isTradingDay).toBe(true);
    expect(isoTime(session.preOpen)).toBe(isoTime(atTime(day(date), '04:00')));
  });

  it.each([
    ['2022-06-20', 'Juneteenth', 'first observed in 2022, a Sunday made up on Monday'],
    ['2021-12-24', 'Christmas Day', 'a Saturday Christmas closes Friday'],
    ['2022-12-26', 'Christmas Day', 'a Sunday Christmas closes Monday'],
    ['2018-12-05', 'Mourning for George H. W. Bush', 'irregular'],
    ['2026-07-03', 'Independence Day', 'a Saturday holiday closes Friday'],
    ['2026-04-03', 'Good Friday', 'Easter minus two'],
    ['2019-04-19', 'Good Friday', 'late Easter'],
    ['2023-01-02', "New Year's Day", 'a Sunday made up on Monday'],
    ['2026-03-07', 'weekend', 'Saturday'],
  ])('A12: %s is closed: %s (%s)', (date, note) => {
    const session = sessionOf(day(date));
    expect(session).toMatchObject({ isTradingDay: false, note });
    expect(session.open).toBe(session.close);
    expect(isRegularHours(session.open)).toBe(false);
  });

  it.each([
    ['2021-12-31', false, 'a New Year on Saturday is not made up on Friday'],
    ['2021-06-18', false, 'no Juneteenth before 2022'],
    ['2022-07-01', false, 'Friday before a Monday Fourth'],
    ['2021-07-02', false, 'Friday before a Sunday Fourth'],
    ['2020-07-02', false, 'Thursday before an observed Friday'],
    ['2022-12-23', false, 'Friday before a Christmas weekend'],
    ['2017-07-03', true, 'Monday before a Tuesday Fourth'],
    ['2019-12-24', true, 'Christmas Eve on a Tuesday'],
    ['2015-11-27', true, 'day after Thanksgiving'],
  ])('A12: %s trades, early close %s (%s)', (date, earlyClose) =>
    expect(sessionOf(day(date))).toMatchObject({ isTradingDay: true, earlyClose }),
  );

  it.each([
    ['2026-07-02', '2026-07-06'],
    ['2025-01-08', '2025-01-10'],
    ['2026-03-06', '2026-03-09'],
    ['2026-12-31', '2027-01-04'],
  ])('next after %s is %s, and back', (date, next) => {
    expect(nextTradingDate(day(date))).toBe(next);
    expect(previousTradingDate(day(next))).toBe(date);
  });

  test('every year from 2013 to 2035 has 248 to 253 sessions', () => {
    for (let year = 2013; year <= 2035; year += 1) {
      let count = 0;
      for (let date = nextTradingDate(day(`${year - 1}-12-31`)); date.startsWith(`${year}`); date = nextTradingDate(date)) count += 1;
      expect(count, `${year}`).toBeGreaterThanOrEqual(248);
      expect(count, `${year}`).toBeLessThanOrEqual(253);
    }
  });

  const oracle = fileURLToPath(new URL('../../../../shared/data/reference/calendar_exceptions.csv', import.meta.url));
  test.skipIf(!existsSync(oracle))('A12: agrees with the published exceptions (skipped where ../shared/data is absent)', () => {
    const rows = readFileSync(oracle, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map(line => line.split(','));
    const published = new Map(rows.map(([date, kind]) => [date ?? '', kind]));
    const years = new Set([...published.keys()].map(date => date.slice(0, 4)));
    let compared = 0;
    for (let at = Date.UTC(2013, 0, 1, 17); at < Date.UTC(2028, 0, 1); at += 86_400_000) {
      const session = sessionAt(epochMs(at));
      if (!years.has(session.date.slice(0, 4)) || session.note === 'weekend') continue;
      const ours = !session.isTradingDay ? 'closed' : session.earlyClose ? 'early_close' : undefined;
      expect(ours, session.date).toBe(published.get(session.date));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(1_500);
  });
});

describe('clock times', () => {
  it.each([
    ['2026-03-09', '09:30', '2026-03-09T13:30:00.000Z'],
    ['2026-01-09', '09:30:15', '2026-01-09T14:30:15.000Z'],
    ['2026-03-08', '01:59:59', '2026-03-08T06:59:59.000Z'],
    ['2026-03-08', '03:00', '2026-03-08T07:00:00.000Z'],
    ['2026-03-08', '02:30', '2026-03-08T07:30:00.000Z'],
    ['2026-11-01', '12:00', '2026-11-01T17:00:00.000Z'],
    ['2026-03-09', '23:59:59', '2026-03-10T03:59:59.000Z'],
  ])('%s %s is %s', (date, clock, expected) => expect(isoTime(atTime(day(date), clock))).toBe(expected));

  it.each(['24:00', '9:30', '09:60', '09:30:60', 'noon'])('refuses %j', clock =>
    expect(() => atTime(day('2026-03-09'), clock)).toThrow(/HH:MM/),
  );
});

describe('phases', () => {
  const normal = '2026-03-09';
  const half = '2026-11-27';
  it.each([
    [normal, '03:00', 'closed'],
    [normal, '06:59:59', 'closed'],
    [normal, '07:00', 'data-aggregation'],
    [normal, '07:30', 'pre-market-analysis'],
    [normal, '08:15', 'ticker-validation'],
    [normal, '09:00', 'market-on-open'],
    [normal, '09:26:59', 'market-on-open'],
    [normal, '09:27', 'pre-open'],
    [normal, '09:30', 'trading'],
    [normal, '15:44:59', 'trading'],
    [normal, '15:45', 'liquidation'],
    [normal, '15:59:59', 'liquidation'],
    [normal, '16:00', 'after-close'],
    [normal, '19:59:59', 'after-close'],
    [normal, '20:00', 'closed'],
    [half, '12:44:59', 'trading'],
    [half, '12:45', 'liquidation'],
    [half, '13:00', 'after-close'],
    ['2026-11-26', '10:00', 'closed'],
    ['2026-03-08', '10:00', 'closed'],
  ])('A12: %s %s is %s', (date, clock, phase) => expect(phaseAt(atTime(day(date), clock))).toBe(phase));

  it.each([
    [30, 10, '15:29:59', 'trading'],
    [30, 10, '15:30', 'no-entries'],
    [30, 10, '15:50', 'liquidation'],
    // Selling everything while still buying would be nonsense: the earlier moment rules entries too.
    [5, 20, '15:39:59', 'trading'],
    [5, 20, '15:40', 'liquidation'],
  ])('A12: entries end %s min and liquidation starts %s min before the close: %s is %s', (noEntries, flat, clock, phase) => {
    const rules = { noEntriesMinutesBeforeClose: noEntries, flatMinutesBeforeClose: flat };
    expect(phaseAt(atTime(day(normal), clock), rules)).toBe(phase);
  });

  test('an over-long wind-down never starts before the open', () => {
    const session = sessionOf(day(half));
    const rules = { noEntriesMinutesBeforeClose: 600, flatMinutesBeforeClose: 600 };
    expect(flatFrom(session, rules)).toBe(session.open);
    expect(noEntriesFrom(session, rules)).toBe(session.open);
  });
});
