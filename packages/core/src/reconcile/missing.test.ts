import { expect, it } from 'vitest';
import { ExitBench } from '../exits/testing/exit-bench.js';
import { epochMs } from '../units.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** The gateway came back without the orders that rested there, and its first answer has just left them out. */
function robbed(): ExitBench {
  const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'resting' } });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(5_000);
  expect(bench.reach()).toBe(100);
  bench.cut();
  for (const one of bench.working()) one.status = 'Cancelled';
  bench.connect();
  bench.run(100);
  return bench;
}

it('I2: orders that the first answer after a gateway start left out are placed again after the second', () => {
  const bench = robbed();
  bench.run(9_000);
  expect(bench.reach()).toBe(0);
  bench.run(1_500);
  expect(bench.reach()).toBe(100);
});

it('I2: an answer asked for before its time and come after it is no second one: the right one is asked for at once (seed 3002306)', () => {
  const bench = robbed();
  bench.run(9_700);
  bench.hear({ kind: 'connectivity', state: 'restored', text: '' });
  bench.mono += 500;
  bench.deliver();
  expect(bench.reach()).toBe(0);
  bench.run(2_000);
  expect(bench.reach()).toBe(100);
});
