import { describe, expect, it } from 'vitest';
import { bps, fromDollars } from '../units.js';
import { checkSpread } from './spread.js';

describe('the spread against the stop', () => {
  it.each<readonly [string, number, number, number, string]>([
    ['a third of the way to the stop', 49.85, 50, 90, 'ok'],
    ['a hair more', 49.849, 50, 90, 'SPREAD_TOO_WIDE'],
    ['a wider stop allows more', 49.7, 50, 180, 'ok'],
    ['a stop told as a negative distance', 49.85, 50, -90, 'ok'],
    ['locked', 50, 50, 90, 'ok'],
    ['crossed', 50.01, 50, 90, 'CROSSED_QUOTE'],
    ['no bid', 0, 50, 90, 'NO_QUOTE'],
    ['no ask', 50, 0, 90, 'NO_QUOTE'],
    ['no stop, no spread', 49.99, 50, 0, 'SPREAD_TOO_WIDE'],
  ])('DESIGN §4: %s: %s / %s, stop %s bps: %s', (_title, bid, ask, stopBps, expected) => {
    const check = checkSpread({ bid: fromDollars(bid), ask: fromDollars(ask), stopBps: bps(stopBps) });
    expect(check.ok ? 'ok' : check.code).toBe(expected);
  });
});
