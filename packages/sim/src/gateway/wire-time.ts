import { atTime, tradeDate, tradeDateOf } from '@holdfast/core/calendar';
import { type EpochMs, epochMs } from '@holdfast/core/units';

/**
 * Times as the gateway writes and reads them. Our gateway host lives in New York; the real one names the zone of its own host,
 * `US/Eastern` in captures.
 */

const ZONE = 'US/Eastern';
const two = (value: number): string => String(value).padStart(2, '0');

/** `20260824`, the New York date. */
export const wireDate = (at: EpochMs): string => tradeDateOf(at).replaceAll('-', '');

/** `09:30:00`, New York. Off by the shifted hour within the two Sundays a year when clocks change, when nothing trades. */
export function wireClock(at: EpochMs): string {
  const seconds = Math.floor((at - atTime(tradeDateOf(at), '00:00')) / 1000);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `20260824 09:30:00 US/Eastern`; before server version 174 two spaces and no zone. */
export const wireTime = (at: EpochMs, version: number): string =>
  version >= 174 ? `${wireDate(at)} ${wireClock(at)} ${ZONE}` : `${wireDate(at)}  ${wireClock(at)}`;

/** 30 February parses as 2 March: a date that does not exist is no date. */
const exists = (at: number, day: string): boolean => !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);

/**
 * Reads `20260824 09:30:00 [zone]`, `20260824-13:30:00` (UTC) and `20260824`. Without a zone, or with a New York one, the clock is
 * New York's. Undefined when it is none of these, or names another zone.
 */
export function parseWireTime(text: string): EpochMs | undefined {
  const utc = /^(\d{4})(\d{2})(\d{2})-(\d{2}):(\d{2}):(\d{2})$/.exec(text);
  if (utc) {
    const at = Date.parse(`${utc[1]}-${utc[2]}-${utc[3]}T${utc[4]}:${utc[5]}:${utc[6]}Z`);
    return exists(at, `${utc[1]}-${utc[2]}-${utc[3]}`) ? epochMs(at) : undefined;
  }
  const local = /^(\d{4})(\d{2})(\d{2})(?:\s+(\d{2}:\d{2}(?::\d{2})?))?(?:\s+(US\/Eastern|America\/New_York|EST|EDT|UTC|GMT))?$/.exec(text);
  if (!local) return undefined;
  const clock = local[4] ?? '00:00:00';
  const isUtc = local[5] === 'UTC' || local[5] === 'GMT';
  const day = `${local[1]}-${local[2]}-${local[3]}`;
  const instant = Date.parse(`${day}T${clock.length === 5 ? `${clock}:00` : clock}Z`);
  if (!exists(instant, day)) return undefined;
  return isUtc ? epochMs(instant) : atTime(tradeDate(day), clock);
}
