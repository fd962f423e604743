import { describe, expect, test } from 'vitest';
import { createRandom } from './random.js';

const draws = (seed: number, name = '', count = 5) => {
  const random = createRandom(seed, name);
  return Array.from({ length: count }, () => random.next());
};

describe('seeded luck', () => {
  test('a seed gives these numbers, on every machine and for ever: recorded days depend on it', () => {
    expect(draws(7, 'x', 4)).toMatchInlineSnapshot(`
      [
        880225519,
        1854168259,
        925260023,
        1283149458,
      ]
    `);
  });

  test.each([
    ['another seed', 8, 'x'],
    ['a seed that differs only beyond 32 bits', 7 + 2 ** 32, 'x'],
    ['another name', 7, 'y'],
  ] as const)('%s gives others', (_title, seed, name) => {
    expect(draws(seed, name)).not.toEqual(draws(7, 'x'));
  });

  test.each([-1, 1.5, 2 ** 53 + 2, Number.NaN])('%d is no seed', seed => {
    expect(() => createRandom(seed)).toThrow('a seed is a whole number');
  });

  test('forks do not disturb each other', () => {
    const random = createRandom(1);
    const before = random.fork('a').next();
    random.fork('b').next();
    random.next();
    expect(random.fork('a').next()).toBe(before);
  });

  test('draws stay in their bounds and fill them; the bell has mean 0 and deviation 1000', () => {
    const random = createRandom(3);
    const dice = new Set(Array.from({ length: 500 }, () => random.between(1, 6)));
    expect([...dice].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    const bells = Array.from({ length: 20_000 }, () => random.bell());
    const mean = bells.reduce((sum, value) => sum + value, 0) / bells.length;
    const deviation = Math.sqrt(bells.reduce((sum, value) => sum + value * value, 0) / bells.length);
    expect(Math.abs(mean)).toBeLessThan(30);
    expect(Math.abs(deviation - 1_000)).toBeLessThan(20);
  });
});
