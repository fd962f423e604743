import { describe, expect, it } from 'vitest';
import type { Order } from '../orders/order.js';
import { epochMs } from '../units.js';
import { ExitBench, type Worked } from './testing/exit-bench.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** 100 shares bought by hand; what happens while their target and stop are placed is the story's. */
function bought(meanwhile: (bench: ExitBench) => void): ExitBench {
  const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'resting' } });
  bench.deliver();
  bench.byHand(100, 50);
  bench.run(1_000);
  meanwhile(bench);
  return bench;
}

const the = (bench: ExitBench, role: Order['role']): Worked => {
  const one = bench.working().find(({ order }) => order.role === role);
  if (!one) throw new Error(`no ${role} works`);
  return one;
};
const cancelsOf = (bench: ExitBench, { order }: Worked): number =>
  bench.effects.filter(effect => effect.do === 'cancel' && effect.orderRef === order.orderRef).length;

describe('a stop that sells', () => {
  it('I3: an earlier stop of its group never arrived, and its id was used again: the group is not over for that (seed 1310044)', () => {
    const bench = bought(vanishing => {
      vanishing.isDeaf = true;
      vanishing.mark(50);
      vanishing.deliver();
      vanishing.isDeaf = false;
      vanishing.cut();
      vanishing.run(1_000);
      vanishing.connect();
      vanishing.run(2_000);
      vanishing.mark(50);
      vanishing.run(10_000);
    });
    expect([...bench.state.orders.values()].filter(({ order }) => order.reason?.startsWith('id used again'))).toHaveLength(2);
    const stop = the(bench, 'disaster-stop');
    bench.fill(stop, 8, 49.5);
    bench.run(3_000);
    expect([stop.status, cancelsOf(bench, stop)]).toEqual(['Submitted', 0]);
  });

  it.each(['this process', 'its successor'])(
    'I1, I3: its target goes, and %s does not take that for the end of the group (seed 17900958)',
    who => {
      const bench = bought(placing => {
        placing.mark(50);
        placing.run(2_000);
      });
      const stop = the(bench, 'disaster-stop');
      bench.fill(stop, 8, 49.5);
      bench.run(200);
      expect(bench.working()).toEqual([stop]);
      if (who === 'its successor') bench.restart();
      bench.run(3_000);
      bench.byHand(-12, 49.5);
      bench.run(3_000);
      expect([bench.working(), cancelsOf(bench, stop), bench.reach()]).toEqual([[stop], 0, 80]);
    },
  );

  it('I3: an earlier target of its group was ended by the broker long before it began to sell: nor for that', () => {
    const bench = bought(placing => {
      placing.mark(50);
      placing.run(2_000);
    });
    const [stop, target] = [the(bench, 'disaster-stop'), the(bench, 'target')];
    bench.expire(target);
    bench.run(10_000);
    expect(the(bench, 'target').order.ocaGroup).toBe(stop.order.ocaGroup);
    bench.fill(stop, 8, 49.5);
    bench.run(3_000);
    expect([stop.status, cancelsOf(bench, stop)]).toEqual(['Submitted', 0]);
  });

  it('I2: the broker cancels the target because the stop has sold all it knew of: the group is over, the rest is protected by a new one', () => {
    const bench = bought(placing => {
      placing.mark(50);
      placing.run(2_000);
    });
    const stop = the(bench, 'disaster-stop');
    // A growth that never arrived: the broker knows of 100, we of 140.
    bench.isDeaf = true;
    bench.byHand(40, 50);
    const execution = bench.executions.at(-1);
    if (execution) bench.hear({ kind: 'execution', execution });
    bench.run(1_000);
    bench.isDeaf = false;
    bench.fill(stop, 100, 49.5);
    bench.run(10_000);
    expect(the(bench, 'disaster-stop').order.ocaGroup).not.toBe(stop.order.ocaGroup);
    expect(bench.reach()).toBe(40);
  });
});
