import { DateTime } from 'luxon';
import { type EpochMs, epochMs, type TradeDate } from './units.js';

/**
 * The New York session calendar: which date a moment belongs to, when the day's session opens and closes, what phase of the day it is.
 * The only file that knows a time zone. luxon costs about 6 µs a call, so it is asked once per calendar day; after that every answer is
 * integer arithmetic over what was kept. Half days close at 13:00 New York, and everything "before the close" counts from there.
 */

const ZONE = 'America/New_York';
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** One date's hours, in exchange time. */
export interface Session {
  readonly date: TradeDate;
  readonly isTradingDay: boolean;
  /** Closes at 13:00 instead of 16:00. */
  readonly earlyClose: boolean;
  /** Why it is closed or short ('Thanksgiving Day', 'weekend'), empty on an ordinary day. */
  readonly note: string;
  /** 04:00, the start of pre-market trading. */
  readonly preOpen: EpochMs;
  /** 09:30. On a day without a session `open` equals `close`, so that "between open and close" is never true. */
  readonly open: EpochMs;
  readonly close: EpochMs;
  /** End of after-hours trading: 20:00, on half days 17:00. Equals `close` on a day without a session. */
  readonly extendedClose: EpochMs;
}

interface Exception {
  readonly kind: 'closed' | 'early-close';
  readonly name: string;
}

/** Closures no rule foretells. A new one is added here the day the exchange announces it. */
const IRREGULAR: Readonly<Record<string, Exception>> = {
  '2012-10-29': { kind: 'closed', name: 'Hurricane Sandy' },
  '2012-10-30': { kind: 'closed', name: 'Hurricane Sandy' },
  '2018-12-05': { kind: 'closed', name: 'Mourning for George H. W. Bush' },
  '2025-01-09': { kind: 'closed', name: 'Mourning for James E. Carter' },
};

// ---- dates as day numbers (days since 1970-01-01), so that stepping is addition ----

const dayNumber = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day) / DAY_MS;
/** 0 = Sunday … 6 = Saturday; 1970-01-01 was a Thursday. */
const weekday = (day: number): number => (((day + 4) % 7) + 7) % 7;
const dateText = (day: number): TradeDate => new Date(day * DAY_MS).toISOString().slice(0, 10) as TradeDate;

/** The number of a date written `2026-03-09`. Throws on anything else, 30 February included. */
function parseDay(date: string): number {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date);
  const day = parts ? dayNumber(Number(parts[1]), Number(parts[2]), Number(parts[3])) : Number.NaN;
  if (Number.isNaN(day) || dateText(day) !== date) throw new Error(`a trading date is written YYYY-MM-DD and exists, got "${date}"`);
  return day;
}

/** Checks and brands a date given as text. Throws on a date that does not exist; check operator input before it gets here. */
export const tradeDate = (text: string): TradeDate => dateText(parseDay(text));

// ---- the exchange's rules (NYSE Rule 7.2, "Holidays", and the yearly notices of early closings) ----

/** The n-th given weekday of a month: (2026, 1, 1, 3) = third Monday of January. */
function nthWeekday(year: number, month: number, wanted: number, nth: number): number {
  const first = dayNumber(year, month, 1);
  return first + ((wanted - weekday(first) + 7) % 7) + (nth - 1) * 7;
}

/** Easter Sunday in the Gregorian calendar (the anonymous algorithm). 2026 → 5 April. */
function easterSunday(year: number): number {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const inCentury = year % 100;
  const moonShift = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const epact = (19 * golden + century - Math.floor(century / 4) - moonShift + 15) % 30;
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(inCentury / 4) - epact - (inCentury % 4)) % 7;
  const late = Math.floor((golden + 11 * epact + 22 * toSunday) / 451);
  const sum = epact + toSunday - 7 * late + 114;
  return dayNumber(year, Math.floor(sum / 31), (sum % 31) + 1);
}

/** A holiday on Saturday closes the Friday before, one on Sunday the Monday after. */
function observed(day: number): number {
  if (weekday(day) === 6) return day - 1;
  return weekday(day) === 0 ? day + 1 : day;
}

const isMondayToThursday = (day: number): boolean => weekday(day) >= 1 && weekday(day) <= 4;

function computeExceptions(year: number): ReadonlyMap<number, Exception> {
  const found = new Map<number, Exception>();
  const closed = (day: number, name: string) => found.set(day, { kind: 'closed', name });
  const early = (day: number, name: string) => found.set(day, { kind: 'early-close', name });

  const newYear = dayNumber(year, 1, 1);
  // A New Year's Day on Saturday is not made up on Friday: that is the last day of the accounting year (2022, 2028).
  if (weekday(newYear) !== 6) closed(observed(newYear), "New Year's Day");
  closed(nthWeekday(year, 1, 1, 3), 'Martin Luther King, Jr. Day');
  closed(nthWeekday(year, 2, 1, 3), "Washington's Birthday");
  closed(easterSunday(year) - 2, 'Good Friday');
  const lastOfMay = dayNumber(year, 5, 31);
  closed(lastOfMay - ((weekday(lastOfMay) + 6) % 7), 'Memorial Day');
  if (year >= 2022) closed(observed(dayNumber(year, 6, 19)), 'Juneteenth');
  closed(observed(dayNumber(year, 7, 4)), 'Independence Day');
  closed(nthWeekday(year, 9, 1, 1), 'Labor Day');
  const thanksgiving = nthWeekday(year, 11, 4, 4);
  closed(thanksgiving, 'Thanksgiving Day');
  closed(observed(dayNumber(year, 12, 25)), 'Christmas Day');

  early(thanksgiving + 1, 'day after Thanksgiving');
  // On a Friday these are the observed holiday itself, or an ordinary day before a weekend holiday.
  if (isMondayToThursday(dayNumber(year, 7, 3))) early(dayNumber(year, 7, 3), 'eve of Independence Day');
  if (isMondayToThursday(dayNumber(year, 12, 24))) early(dayNumber(year, 12, 24), 'Christmas Eve');
  return found;
}

const exceptionsByYear = new Map<number, ReadonlyMap<number, Exception>>();

function exceptionOn(day: number, date: TradeDate): Exception | undefined {
  const year = Number(date.slice(0, 4));
  let ofYear = exceptionsByYear.get(year);
  if (!ofYear) {
    ofYear = computeExceptions(year);
    exceptionsByYear.set(year, ofYear);
  }
  return IRREGULAR[date] ?? ofYear.get(day);
}

// ---- one record per calendar day, made once (content depends on the date alone, so keeping it is no hidden state) ----

interface NewYorkDay {
  readonly midnight: number;
  /** The clocks change today (always a Sunday at 02:00): times of this day are not midnight plus hours. */
  readonly shifts: boolean;
  readonly session: Session;
}

const zoneTime = (day: number, secondOfDay: number): number => {
  const [year, month, date] = dateText(day).split('-').map(Number);
  const clock = { hour: Math.floor(secondOfDay / 3600), minute: Math.floor(secondOfDay / 60) % 60, second: secondOfDay % 60 };
  return DateTime.fromObject({ year: Number(year), month: Number(month), day: Number(date), ...clock }, { zone: ZONE }).toMillis();
};

function makeDay(day: number): NewYorkDay {
  const midnight = zoneTime(day, 0);
  const shifts = zoneTime(day, 12 * 3600) - midnight !== 12 * HOUR_MS;
  const date = dateText(day);
  const isWeekend = weekday(day) === 0 || weekday(day) === 6;
  const exception = exceptionOn(day, date);
  const isTradingDay = !isWeekend && exception?.kind !== 'closed';
  const earlyClose = isTradingDay && exception?.kind === 'early-close';

  const at = (minutes: number) => epochMs(shifts ? zoneTime(day, minutes * 60) : midnight + minutes * MINUTE_MS);
  const open = at(9 * 60 + 30);
  const close = isTradingDay ? at(earlyClose ? 13 * 60 : 16 * 60) : open;
  const extendedClose = isTradingDay ? at(earlyClose ? 17 * 60 : 20 * 60) : open;
  const note = isTradingDay && !earlyClose ? '' : (exception?.name ?? 'weekend');
  return { midnight, shifts, session: { date, isTradingDay, earlyClose, note, preOpen: at(4 * 60), open, close, extendedClose } };
}

const days = new Map<number, NewYorkDay>();
const numbers = new Map<string, number>();

function newYorkDay(day: number): NewYorkDay {
  let known = days.get(day);
  if (!known) {
    known = makeDay(day);
    days.set(day, known);
    numbers.set(known.session.date, day);
  }
  return known;
}

const numberOf = (date: TradeDate): number => numbers.get(date) ?? parseDay(date);

/** New York is behind UTC, so its midnight falls into the UTC day of the same date: before it, it is still yesterday there. */
function dayAt(at: EpochMs): NewYorkDay {
  const utcDay = Math.floor(at / DAY_MS);
  const sameDate = newYorkDay(utcDay);
  return at >= sameDate.midnight ? sameDate : newYorkDay(utcDay - 1);
}

// ---- what the others ask ----

/** The New York date a moment falls on: 2026-03-10T01:30Z is still 2026-03-09. Weekends and holidays have dates too. */
export const tradeDateOf = (at: EpochMs): TradeDate => dayAt(at).session.date;

/** A date's hours. Throws on a text that is no date. Correct by rule from 2013; irregular closures as far as they are listed here. */
export const sessionOf = (date: TradeDate): Session => newYorkDay(numberOf(date)).session;

/** The hours of the New York date a moment falls on. */
export const sessionAt = (at: EpochMs): Session => dayAt(at).session;

/** Inside regular trading hours (RTH), the open included, the close not. */
export const isRegularHours = (at: EpochMs): boolean => {
  const { open, close } = sessionAt(at);
  return at >= open && at < close;
};

function stepToTradingDay(date: TradeDate, step: 1 | -1): TradeDate {
  let day = numberOf(date) + step;
  while (!newYorkDay(day).session.isTradingDay) day += step;
  return newYorkDay(day).session.date;
}

/** The first trading day after a date: Thursday 2026-07-02's next is Monday the 6th (the 3rd is the observed holiday). */
export const nextTradingDate = (date: TradeDate): TradeDate => stepToTradingDay(date, 1);
/** The last trading day before a date. */
export const previousTradingDate = (date: TradeDate): TradeDate => stepToTradingDay(date, -1);

/** Seconds since midnight of a clock time `HH:MM` or `HH:MM:SS`, 00:00 to 23:59:59. Throws on anything else. */
function secondOfDay(clock: string): number {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(clock);
  if (!parts) throw new Error(`a clock time is written HH:MM or HH:MM:SS, got "${clock}"`);
  return Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3] ?? 0);
}

/**
 * A New York clock time on a date: ('2026-03-09', '09:30') → 13:30 UTC, in January 14:30 UTC.
 * An hour the clocks skip (02:30 on a Sunday in March) becomes the same minute of the next one.
 */
export function atTime(date: TradeDate, clock: string): EpochMs {
  const day = numberOf(date);
  const { midnight, shifts } = newYorkDay(day);
  const seconds = secondOfDay(clock);
  return epochMs(shifts ? zoneTime(day, seconds) : midnight + seconds * SECOND_MS);
}

/** The parts of a day (requirement A12), in the order they come. */
export type Phase =
  | 'closed'
  | 'data-aggregation'
  | 'pre-market-analysis'
  | 'ticker-validation'
  | 'market-on-open'
  | 'pre-open'
  | 'trading'
  | 'no-entries'
  | 'liquidation'
  | 'after-close';

/** How long before the session's own close the day winds down: 15 is 15:45 on a normal day and 12:45 on a half day. */
export interface PhaseRules {
  /** No new entries from here on. */
  readonly noEntriesMinutesBeforeClose: number;
  /** Everything intraday is sold from here on. */
  readonly flatMinutesBeforeClose: number;
}

export const DEFAULT_PHASE_RULES: PhaseRules = { noEntriesMinutesBeforeClose: 15, flatMinutesBeforeClose: 15 };

/** Minutes after midnight at which the phases before the open begin. Market-on-open orders stop at 09:27: Nasdaq refuses them from 09:28. */
const MORNING: readonly (readonly [Phase, number])[] = [
  ['pre-open', 9 * 60 + 27],
  ['market-on-open', 9 * 60],
  ['ticker-validation', 8 * 60 + 15],
  ['pre-market-analysis', 7 * 60 + 30],
  ['data-aggregation', 7 * 60],
];
/** The improvement cycle ends here, half days included. */
const AFTER_CLOSE_ENDS = 20 * 60;

/** The moment from which everything intraday must be sold. On a day without a session that is its (empty) open. */
export const flatFrom = (session: Session, rules: PhaseRules = DEFAULT_PHASE_RULES): EpochMs =>
  epochMs(Math.max(session.open, session.close - rules.flatMinutesBeforeClose * MINUTE_MS));

/** The moment from which no entry may be sent: never later than `flatFrom`. */
export const noEntriesFrom = (session: Session, rules: PhaseRules = DEFAULT_PHASE_RULES): EpochMs =>
  epochMs(Math.max(session.open, Math.min(session.close - rules.noEntriesMinutesBeforeClose * MINUTE_MS, flatFrom(session, rules))));

/** Which phase of its day a moment belongs to. Entries are allowed in 'trading' alone (market-on-open orders in their own phase). */
export function phaseAt(at: EpochMs, rules: PhaseRules = DEFAULT_PHASE_RULES): Phase {
  const { midnight, session } = dayAt(at);
  if (!session.isTradingDay) return 'closed';
  if (at < session.open) return MORNING.find(([, minute]) => at >= midnight + minute * MINUTE_MS)?.[0] ?? 'closed';
  if (at >= session.close) return at < midnight + AFTER_CLOSE_ENDS * MINUTE_MS ? 'after-close' : 'closed';
  if (at >= flatFrom(session, rules)) return 'liquidation';
  return at >= noEntriesFrom(session, rules) ? 'no-entries' : 'trading';
}
