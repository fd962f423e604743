import { expect, test } from 'vitest';
import { barsExpected } from './bars.js';

test.each([
  ['1 D', '30 secs', 1_920],
  ['2 D', '1 min', 1_920],
  ['1800 S', '1 secs', 1_800],
  ['1 Y', '1 day', 252],
  ['1 M', '30 mins', 672],
  ['1 D', '1 secs', 57_600],
  ['1 day', '1 min', undefined],
  ['1 D', '1 fortnight', undefined],
])('%s of %s is about %s bars', (duration, barSize, expected) => {
  expect(barsExpected(duration, barSize)).toBe(expected);
});
