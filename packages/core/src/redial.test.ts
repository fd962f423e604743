import { expect, test } from 'vitest';
import { CLIENT_ID_IN_USE, redialWaitMs } from './redial.js';

const waits = (code: number | null) => [0, 1, 2, 3, 4, 5, 6, 7, 5_000].map(failures => redialWaitMs(failures, code));

test.each([
  ['nobody listens', 502, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]],
  ['a line that was lost', null, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]],
  ['our client id is in use', CLIENT_ID_IN_USE, [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000]],
])('A8: dialled again after %s (%s): %j ms', (_, code, expected) => {
  expect(waits(code)).toEqual(expected);
});
