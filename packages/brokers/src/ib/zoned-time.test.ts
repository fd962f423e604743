import { epochMs, isoTime } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { gatewayUtc, parseGatewayDate, parseGatewayTime } from './zoned-time.js';

const NEW_YORK = 'America/New_York';
const read = (text: string, zone = NEW_YORK): string | undefined => {
  const at = parseGatewayTime(text, zone);
  return at === undefined ? undefined : isoTime(at);
};

describe('times as the gateway writes them', () => {
  test.each([
    ['20260824 09:30:01 US/Eastern', '2026-08-24T13:30:01.000Z'],
    ['20260105 09:30:01 US/Eastern', '2026-01-05T14:30:01.000Z'],
    ['20260824 09:30:01 EST', '2026-08-24T13:30:01.000Z'], // New York's clock in August, though Intl's EST is winter time
    ['20260824 14:30:01 British Summer Time', '2026-08-24T13:30:01.000Z'],
    ['20260824 14:30:01 Europe/London', '2026-08-24T13:30:01.000Z'],
    ['20260824 13:30:01 UTC', '2026-08-24T13:30:01.000Z'],
    ['20260824-13:30:01', '2026-08-24T13:30:01.000Z'],
    ['20260824  09:30:01', '2026-08-24T13:30:01.000Z'], // older servers
    // the night clocks change in New York
    ['20260308 01:59:59 US/Eastern', '2026-03-08T06:59:59.000Z'],
    ['20260308 03:00:00 US/Eastern', '2026-03-08T07:00:00.000Z'],
    ['20261101 00:59:59 US/Eastern', '2026-11-01T04:59:59.000Z'],
    ['20261101 02:00:00 US/Eastern', '2026-11-01T07:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each(['', 'garbage', '20260824', '20260824 09:30:01 Mars/Olympus', 'finished-20260824'])('%j is no time', text => {
    expect(read(text)).toBeUndefined();
  });

  test('a date is its midnight in the zone', () => {
    expect(parseGatewayDate('20260824', NEW_YORK)).toBe(Date.parse('2026-08-24T04:00:00Z'));
    expect(parseGatewayDate('2026-08-24', NEW_YORK)).toBeUndefined();
  });

  test('a good-till time travels as UTC', () => {
    expect(gatewayUtc(epochMs(Date.parse('2026-08-24T13:30:05.250Z')))).toBe('20260824-13:30:05');
  });
});
