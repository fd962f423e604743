import { type EpochMs, epochMs } from '@holdfast/core/units';

/**
 * The gateway writes local times with the name of a zone, in several dialects. They end here as instants.
 * Offsets come from Intl and are kept per zone and hour: asking costs microseconds, and a start repeats a day's executions.
 */

/** Three-letter names are a fixed offset to Intl but the city's clock to the gateway (captures show `EST` in August). */
const ZONE_OF: Readonly<Record<string, string>> = {
  EST: 'America/New_York',
  EDT: 'America/New_York',
  EST5EDT: 'America/New_York',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  CST6CDT: 'America/Chicago',
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  MET: 'Europe/Paris',
  CET: 'Europe/Paris',
  CEST: 'Europe/Paris',
  'Greenwich Mean Time': 'Europe/London',
  'British Summer Time': 'Europe/London',
  GMT: 'UTC',
  Japan: 'Asia/Tokyo',
};

const formatters = new Map<string, Intl.DateTimeFormat | null>();
const offsets = new Map<string, number>();
const HOUR_MS = 3_600_000;

function formatterOf(zone: string): Intl.DateTimeFormat | null {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  let formatter: Intl.DateTimeFormat | null;
  try {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: ZONE_OF[zone] ?? zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    // RangeError: Intl does not know the zone. The caller says what that means for it.
    formatter = null;
  }
  formatters.set(zone, formatter);
  return formatter;
}

/** How far `zone`'s clock is ahead of UTC at that instant, in ms; undefined when the zone is unknown. */
function offsetAt(zone: string, at: number): number | undefined {
  const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
  const key = `${zone} ${hour}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const formatter = formatterOf(zone);
  if (!formatter) return undefined;
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatter.formatToParts(hour)) part[type] = Number(value);
  const local = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  const offset = local - hour;
  offsets.set(key, offset);
  return offset;
}

/** The instant at which `zone`'s clock shows `local` (given as if it were UTC). In the repeated hour of autumn: the first of the two. */
function instantOf(local: number, zone: string): EpochMs | undefined {
  const before = offsetAt(zone, local - 12 * HOUR_MS);
  if (before === undefined) return undefined;
  const guess = local - before;
  const at = offsetAt(zone, guess);
  return at === undefined ? undefined : epochMs(at === before ? guess : local - at);
}

/**
 * Reads `20260824 09:30:01 US/Eastern`, `20260824-13:30:01` (UTC) and, from older servers, `20260824  09:30:01` (in `zoneIfUnnamed`).
 * Undefined when it is none of these or the zone is unknown.
 */
export function parseGatewayTime(text: string, zoneIfUnnamed: string): EpochMs | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(-|\s+)(\d{2}):(\d{2})(?::(\d{2}))?(?:\s+(\S.*))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, separator, hour, minute, second, zone] = match;
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second ?? 0));
  if (zone === undefined && separator === '-') return epochMs(local);
  return instantOf(local, zone ?? zoneIfUnnamed);
}

/** Midnight of `yyyymmdd` in that zone: the start of a daily bar. */
export function parseGatewayDate(text: string, zone: string): EpochMs | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  return match ? instantOf(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])), zone) : undefined;
}

/** `20260824-13:30:00`, UTC: the form of an order's good-till time that needs no zone (IB docs, TWS API 10.x time formats). */
export function gatewayUtc(at: EpochMs): string {
  const [date = '', clock = ''] = new Date(at).toISOString().split('T');
  return `${date.replaceAll('-', '')}-${clock.slice(0, 8)}`;
}
