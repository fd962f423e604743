import { monoMs } from '@holdfast/core/units';
import { expect, it } from 'vitest';
import { createBacklogWatch } from './backlog-watch.js';

it.each<[string, readonly (readonly [at: number, backlog: number])[], readonly RegExp[]]>([
  [
    'a short lock is not worth a word',
    [
      [0, 1],
      [4_900, 2],
      [5_000, 0],
    ],
    [],
  ],
  [
    'a full disk is told once, and its end',
    [
      [0, 1],
      [5_000, 4],
      [60_000, 9],
      [61_000, 0],
      [62_000, 0],
    ],
    [/no write .* for 5 s .*df -h/, /takes writes again/],
  ],
  [
    'the next time it is told again',
    [
      [0, 1],
      [5_000, 1],
      [6_000, 0],
      [7_000, 1],
      [11_999, 1],
      [12_000, 1],
    ],
    [/no write/, /again/, /no write/],
  ],
])('A13: %s', (_, beats, told) => {
  const said: string[] = [];
  const hear = createBacklogWatch(line => said.push(line));
  for (const [at, backlog] of beats) hear(backlog, monoMs(at));
  expect(said).toHaveLength(told.length);
  for (const [index, words] of told.entries()) expect(said[index]).toMatch(words);
});
