import { isoTime } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { parseHours } from './contracts.js';

describe('liquid hours', () => {
  test('sessions in the exchange’s zone, a half day among them; closed days are none', () => {
    const reading = parseHours('20261127:0930-20261127:1300;20261128:CLOSED;20261130:0930-20261130:1600', 'US/Eastern');
    expect(reading.ok && reading.hours.map(({ open, close }) => [isoTime(open), isoTime(close)])).toEqual([
      ['2026-11-27T14:30:00.000Z', '2026-11-27T18:00:00.000Z'],
      ['2026-11-30T14:30:00.000Z', '2026-11-30T21:00:00.000Z'],
    ]);
  });

  test('a session over midnight', () => {
    const reading = parseHours('20261129:1800-20261130:1700', 'US/Eastern');
    expect(reading.ok && reading.hours.map(({ open, close }) => [isoTime(open), isoTime(close)])).toEqual([
      ['2026-11-29T23:00:00.000Z', '2026-11-30T22:00:00.000Z'],
    ]);
  });

  test.each([
    ['20261130:0930-20261130:1600', 'Mars/Olympus'],
    ['20261130:9.30-20261130:1600', 'US/Eastern'],
    ['20261130', 'US/Eastern'],
  ])('unreadable: %s in %s', (text, zone) => {
    expect(parseHours(text, zone).ok).toBe(false);
  });

  test('none told', () => {
    expect(parseHours('', '')).toEqual({ ok: true, hours: [] });
  });
});
