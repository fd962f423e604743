import { expect, it } from 'vitest';
import { epochMs, shares } from '../units.js';
import { ExitBench } from './testing/exit-bench.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** A position with its exits at rest, of which the broker says that nothing is there: the first answer after a gateway start. */
function denied(): ExitBench {
  const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'resting' } });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(20_000);
  const contract = bench.state.contracts.get(1);
  if (!contract) throw new Error('nothing is known of it');
  bench.hear({ kind: 'position', position: { account: 'DU1', contract, quantity: shares(0), averageCost: 0 as never } });
  return bench;
}

it('I2: an exit that may sell nothing yet withdraws the target and keeps the stop, until it may (seed 4000052)', () => {
  const bench = denied();
  bench.flatten();
  // Until the broker is asked again, a second after the doubt arose.
  bench.run(900);
  expect(bench.working().map(({ order, quantity }) => [order.role, quantity])).toEqual([['disaster-stop', 100]]);
  bench.run(3_000);
  expect([bench.position, bench.working()]).toEqual([0, []]);
});

it('I3: what the broker says it holds is sold at once', () => {
  const bench = denied();
  bench.tellPosition();
  bench.deliver();
  bench.flatten();
  bench.run(500);
  expect([bench.position, bench.working()]).toEqual([0, []]);
});

it('I1: sold by hand meanwhile, the stop goes with the news', () => {
  const bench = denied();
  bench.flatten();
  bench.run(1_000);
  bench.byHand(-100, 50);
  bench.run(2_500);
  expect([bench.position, bench.reach()]).toEqual([0, 0]);
});
