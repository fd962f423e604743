import { expect, it } from 'vitest';
import { epochMs } from '../units.js';
import { ExitBench } from './testing/exit-bench.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** A sale that meets nobody, whose order of this kind is swallowed once: after how long the connection is made anew for it. */
function swallowed(tif: 'IOC' | 'DAY') {
  const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'monitored' } });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(5_000);
  bench.liquidity = 0;
  let sentAt = Number.NaN;
  bench.swallows = order => {
    if (order.type !== 'MKT' || order.tif !== tif || !Number.isNaN(sentAt)) return false;
    sentAt = bench.mono;
    return true;
  };
  bench.flatten();
  for (let beats = 0; beats < 300 && !bench.effects.some(effect => effect.do === 'reconnect'); beats += 1) bench.run(100);
  return { bench, missedAfterMs: bench.mono - sentAt };
}

it('A5: a market IOC without an answer is given its ten seconds', () => {
  const { missedAfterMs } = swallowed('IOC');
  expect(missedAfterMs).toBeGreaterThanOrEqual(10_000);
  expect(missedAfterMs).toBeLessThanOrEqual(11_000);
});

it('I2, I3: a market order that would rest is echoed at once or never arrived: it is missed after four (seed 4000601)', () => {
  const { bench, missedAfterMs } = swallowed('DAY');
  expect(missedAfterMs).toBeLessThanOrEqual(5_000);
  bench.run(1_000);
  expect(bench.working().map(({ order, quantity }) => `${order.type} ${order.tif} ${quantity}`)).toEqual(['MKT DAY 100']);
});
