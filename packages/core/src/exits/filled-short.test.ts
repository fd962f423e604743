import { describe, expect, it } from 'vitest';
import type { Order } from '../orders/order.js';
import { epochMs } from '../units.js';
import { ExitBench, type Worked } from './testing/exit-bench.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** 100 shares bought by hand, target and stop rest for them. */
function bought(): ExitBench {
  const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'resting' } });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(2_000);
  return bench;
}

const the = (bench: ExitBench, role: Order['role']): Worked => {
  const one = bench.working().find(({ order }) => order.role === role);
  if (!one) throw new Error(`no ${role} works`);
  return one;
};

/** The stop sells 40, the exchange takes them back, and it sells the other 60: Filled by the broker's count, 60 of 100 by the executions. */
function bustedStop({ isDecided }: { readonly isDecided: boolean }): ExitBench {
  const bench = bought();
  const stop = the(bench, 'disaster-stop');
  bench.fill(stop, 40, 49.5);
  bench.run(5_000);
  const sold = bench.executions.at(-1);
  if (sold) bench.correct(sold, { shares: 0 as Order['filled'] });
  bench.fill(stop, 10, 49.5);
  bench.run(5_000);
  if (isDecided) bench.flatten();
  bench.run(2_000);
  bench.fill(stop, 50, 49.5);
  bench.deliver();
  expect([stop.status, bench.position]).toEqual(['Filled', 40]);
  return bench;
}

/** A sale of everything filled in these parts: its last word is heard, its executions are not, and nothing else is while the bench is mute. */
function filledUnheard(...parts: readonly number[]): ExitBench {
  const bench = bought();
  bench.flatten();
  bench.liquidity = 0;
  bench.run(4_000);
  const sale = the(bench, 'exit');
  bench.liquidity = Number.POSITIVE_INFINITY;
  bench.isMute = true;
  for (const part of parts) bench.fill(sale, part, 49.5);
  const { orderId, permId } = sale;
  bench.hear({ kind: 'order-status', clientId: 10, orderId, permId, status: 'Filled', filled: 100, remaining: 0 });
  return bench;
}

describe('an order that the broker calls Filled while its executions sum to less', () => {
  it('I2, I3: what was taken back of a sale that ended is sold within two seconds, not with the look of the minute (seed 6000262)', () => {
    const bench = bustedStop({ isDecided: true });
    bench.run(2_000);
    expect(bench.position).toBe(0);
  });

  it('I2: where nobody decided to sell, it is protected as soon', () => {
    const bench = bustedStop({ isDecided: false });
    bench.run(2_000);
    expect(bench.reach()).toBe(40);
    expect(bench.working().map(({ order }) => order.role)).toContain('disaster-stop');
  });

  it('I1: executions are seconds late, and an answer to a question from before its end comes first: it settles nothing', () => {
    const bench = filledUnheard(100);
    bench.mono += 2_500;
    bench.hear({ kind: 'executions-end', id: 0 });
    bench.hear({ kind: 'tick' });
    bench.isMute = false;
    bench.run(5_000);
    expect([bench.position, bench.executions.filter(({ clientId }) => clientId === 10).map(one => one.shares)]).toEqual([0, [100]]);
  });

  it('I1: the word comes before the executions, and the answer to an older question between them: nothing is sold twice', () => {
    const bench = filledUnheard(60, 40);
    bench.isMute = false;
    bench.hear({ kind: 'executions-end', id: 0 });
    const [first, second] = bench.executions.slice(-2);
    if (first) bench.hear({ kind: 'execution', execution: first });
    bench.hear({ kind: 'executions-end', id: 0 });
    bench.mono += 500;
    bench.hear({ kind: 'tick' });
    if (second) bench.hear({ kind: 'execution', execution: second });
    bench.run(5_000);
    expect([bench.position, bench.executions.filter(({ clientId }) => clientId === 10).map(one => one.shares)]).toEqual([0, [60, 40]]);
  });
});
