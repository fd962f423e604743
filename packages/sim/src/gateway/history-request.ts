import { previousTradingDate, sessionAt, sessionOf } from '@holdfast/core/calendar';
import { type EpochMs, epochMs } from '@holdfast/core/units';
import { type ContractQuery, readContract } from './contract-request.js';
import type { RequestFields } from './request-fields.js';
import { parseWireTime } from './wire-time.js';

/** A request for historical bars: its words, and what they mean in time. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const BAR_SIZES: Readonly<Record<string, number>> = {
  '1 secs': SECOND_MS,
  '5 secs': 5 * SECOND_MS,
  '10 secs': 10 * SECOND_MS,
  '15 secs': 15 * SECOND_MS,
  '30 secs': 30 * SECOND_MS,
  '1 min': MINUTE_MS,
  '2 mins': 2 * MINUTE_MS,
  '3 mins': 3 * MINUTE_MS,
  '5 mins': 5 * MINUTE_MS,
  '10 mins': 10 * MINUTE_MS,
  '15 mins': 15 * MINUTE_MS,
  '20 mins': 20 * MINUTE_MS,
  '30 mins': 30 * MINUTE_MS,
  '1 hour': HOUR_MS,
  '2 hours': 2 * HOUR_MS,
  '3 hours': 3 * HOUR_MS,
  '4 hours': 4 * HOUR_MS,
  '8 hours': 8 * HOUR_MS,
  '1 day': DAY_MS,
};
const SHOWS: readonly string[] = ['TRADES', 'MIDPOINT', 'BID', 'ASK', 'ADJUSTED_LAST'];

/** The longest duration each small bar may be asked for; the broker is strict below a minute and lax above (IBKR §5). */
const SMALL_BARS: readonly (readonly [barMs: number, longestMs: number])[] = [
  [SECOND_MS, 1_800 * SECOND_MS],
  [5 * SECOND_MS, 3_600 * SECOND_MS],
  [15 * SECOND_MS, 14_400 * SECOND_MS],
  [30 * SECOND_MS, 28_800 * SECOND_MS],
];

export interface HistoryRequest {
  readonly requestId: number;
  readonly contract: ContractQuery;
  readonly endText: string;
  readonly barSize: string;
  readonly duration: string;
  readonly regularOnly: boolean;
  readonly show: string;
  /** 1 text, 2 epoch seconds; days are always `yyyymmdd`. */
  readonly formatDate: number;
  readonly keepUpToDate: boolean;
}

/** `reqId contract… includeExpired end barSize duration useRth whatToShow formatDate keepUpToDate options`. */
export function readHistoryRequest(fields: RequestFields): HistoryRequest {
  const requestId = fields.integer();
  const contract = readContract(fields);
  fields.skip(1);
  return {
    requestId,
    contract,
    endText: fields.text(),
    barSize: fields.text(),
    duration: fields.text(),
    regularOnly: fields.flag(),
    show: fields.text().toUpperCase(),
    formatDate: fields.integer(),
    keepUpToDate: fields.flag(),
  };
}

export interface Span {
  readonly ok: true;
  readonly barMs: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

const refuse = (code: number, detail: string) => ({ ok: false, code, detail }) as const;
const invalid = (cause: string) => refuse(321, `Error validating request.-'bN' : cause - ${cause}`);

/** From when to when, in which bars; or the broker's refusal. Never beyond `now`. */
export function spanOf(
  request: Omit<HistoryRequest, 'requestId' | 'contract' | 'formatDate'>,
  now: EpochMs,
): Span | ReturnType<typeof refuse> {
  const barMs = BAR_SIZES[request.barSize.trim().toLowerCase()];
  if (barMs === undefined)
    return invalid(`Historical data bar size setting is invalid. Legal ones are: ${Object.keys(BAR_SIZES).join(', ')}`);
  if (!SHOWS.includes(request.show)) return invalid(`Invalid what to show: ${request.show}`);
  const end = request.endText === '' ? now : parseWireTime(request.endText);
  if (end === undefined) return invalid(`Invalid ending date: ${request.endText}`);
  if (request.keepUpToDate && request.endText !== '') return invalid('End Date not supported with keepUpToDate');
  const length = /^(\d{1,5})\s*([SDWMY])$/.exec(request.duration.trim().toUpperCase());
  const count = Number(length?.[1]);
  if (!length || count < 1) return invalid(`Historical data query duration is invalid: ${request.duration}`);
  const to = epochMs(Math.min(end, now));
  const from = startOf(to, count, String(length[2]), request.regularOnly);
  const limit = SMALL_BARS.find(([size]) => barMs <= size)?.[1];
  const asked = length[2] === 'S' ? count * SECOND_MS : length[2] === 'D' ? count * DAY_MS : Number.POSITIVE_INFINITY;
  if (limit !== undefined && asked > limit) {
    return refuse(162, `Historical Market Data Service error message:invalid step: ${request.barSize} for ${request.duration}`);
  }
  return { ok: true, barMs, from, to };
}

/** Days are trading days, the current one counted once its session (or, with extended hours, its pre-market) has begun. */
function startOf(to: EpochMs, count: number, unit: string, regularOnly: boolean): EpochMs {
  if (unit === 'S') return epochMs(to - count * SECOND_MS);
  if (unit === 'W') return epochMs(to - count * 7 * DAY_MS);
  if (unit === 'M') return epochMs(to - count * 30 * DAY_MS);
  if (unit === 'Y') return epochMs(to - count * 365 * DAY_MS);
  const today = sessionAt(to);
  const begun = today.isTradingDay && to > (regularOnly ? today.open : today.preOpen);
  let date = begun ? today.date : previousTradingDate(today.date);
  for (let back = 1; back < count; back += 1) date = previousTradingDate(date);
  return sessionOf(date).preOpen;
}
