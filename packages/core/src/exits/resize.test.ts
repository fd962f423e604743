import { describe, expect, it } from 'vitest';
import { isSettled } from '../exit-manager.js';
import type { Order } from '../orders/order.js';
import { epochMs, shares } from '../units.js';
import { CON_ID, ExitBench, type Worked } from './testing/exit-bench.js';

/** 11:00 in New York. */
const ELEVEN = epochMs(Date.UTC(2026, 2, 9, 15, 0));

/** Stop and target rest for what somebody bought by hand. */
function resting(quantity: number): ExitBench {
  const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'resting' } });
  bench.deliver();
  bench.byHand(quantity, 50);
  bench.run(1_000);
  bench.mark(50);
  bench.run(60_000);
  expect(bench.working().map(({ order, quantity: shares }) => [order.role, shares])).toEqual([
    ['target', quantity],
    ['disaster-stop', quantity],
  ]);
  return bench;
}

/** Another part, told as those of an entry are: by its execution. */
function more(bench: ExitBench, quantity: number): void {
  bench.byHand(quantity, 50);
  const execution = bench.executions.at(-1);
  if (execution) bench.hear({ kind: 'execution', execution });
}

const the = (bench: ExitBench, role: Order['role']): Worked => {
  const one = bench.working().find(({ order }) => order.role === role);
  if (!one) throw new Error(`no ${role} works`);
  return one;
};
const sent = (bench: ExitBench, kind: 'place' | 'cancel', role: Order['role'] = 'disaster-stop'): number =>
  bench.effects.filter(effect =>
    effect.do === 'place' && kind === 'place'
      ? effect.order.role === role
      : effect.do === 'cancel' && kind === 'cancel' && bench.state.orders.get(effect.orderRef)?.order.role === role,
  ).length;

/** One share more every so many milliseconds, for a minute; the longest time the stop was short of what is held. */
function growsForAMinute(bench: ExitBench, everyMs: number): number {
  let [lag, longest] = [0, 0];
  for (let passed = 0; passed < 60_000; passed += 100) {
    if (passed % everyMs === 0) more(bench, 1);
    bench.run(100);
    lag = the(bench, 'disaster-stop').quantity < bench.position ? lag + 100 : 0;
    longest = Math.max(longest, lag);
  }
  return longest;
}

describe('a position that grows in many small parts', () => {
  it.each([100, 300, 1_000, 5_000])(
    'I2: one every %i ms: the stop follows within 5 s, and the orders of a minute are far from spent',
    everyMs => {
      const bench = resting(100);
      const before = { stop: sent(bench, 'place'), target: sent(bench, 'place', 'target') };
      expect(growsForAMinute(bench, everyMs)).toBeLessThanOrEqual(5_000);
      expect(sent(bench, 'place') - before.stop).toBeLessThanOrEqual(16);
      expect(sent(bench, 'place', 'target') - before.target).toBeLessThanOrEqual(7);
      bench.run(15_000);
      expect([the(bench, 'disaster-stop').quantity, the(bench, 'target').quantity]).toEqual([bench.position, bench.position]);
    },
  );

  it('I2: the first parts are covered within a second', () => {
    const bench = resting(100);
    for (const parts of [1, 2]) {
      more(bench, parts);
      bench.run(1_000);
      expect([the(bench, 'disaster-stop').quantity, the(bench, 'target').quantity]).toEqual([bench.position, bench.position]);
    }
  });

  it('I2: while the stop waits for its next change nothing is settled: a paced exchange does not run ahead of it (seed 4000353)', () => {
    const bench = resting(100);
    let short = 0;
    for (let passed = 0; passed < 60_000; passed += 100) {
      if (passed < 30_000 && passed % 300 === 0) more(bench, 1);
      bench.run(100);
      if (the(bench, 'disaster-stop').quantity === bench.position) continue;
      short += 1;
      expect(isSettled(bench.state)).toBe(false);
    }
    expect(short).toBeGreaterThan(50);
    expect(isSettled(bench.state)).toBe(true);
  });

  it('I1: what becomes less is followed as fast as ever', () => {
    const bench = resting(100);
    growsForAMinute(bench, 300);
    bench.byHand(-150, 50);
    bench.run(2_500);
    expect(the(bench, 'disaster-stop').quantity).toBe(bench.position);
  });
});

it('I6: a row that an exit manager left behind at less than its executions sum to is set right by the next start (seed 10200388)', () => {
  const bench = resting(100);
  for (const [key, row] of bench.rows.positions) bench.rows.positions.set(key, { ...row, quantity: shares(40) });
  bench.restart();
  bench.run(2_000);
  expect([...bench.rows.positions.values()].map(({ quantity }) => quantity)).toEqual([100]);
});

it('I1: what rests shrinks with a sale by hand, though a refused stop waits long for its next try (seed 3006601)', () => {
  const bench = resting(100);
  bench.refuses = { code: 201, text: 'Order rejected - reason: no', role: 'disaster-stop' };
  bench.expire(the(bench, 'disaster-stop'));
  bench.run(60_000);
  expect(bench.working().map(({ order }) => order.role)).toEqual(['target']);
  bench.byHand(-60, 50);
  bench.run(2_500);
  expect(bench.reach()).toBe(40);
});

it('I1: a shrinking that is refused is tried again with growing pauses, and withdrawn at last', () => {
  const bench = resting(100);
  const { orderRef } = the(bench, 'target').order;
  const before = bench.effects.length;
  bench.refuses = { code: 201, text: 'Order rejected - reason: no' };
  bench.byHand(-60, 50);
  bench.run(10_000);
  expect(bench.effects.slice(before).filter(effect => effect.do === 'place' && effect.order.orderRef === orderRef)).toHaveLength(3);
  expect(bench.reach()).toBe(0);
});

const isChange = ({ status }: Order): boolean => status === 'SUBMITTED';

it.each(['target', 'disaster-stop'] as const)(
  'I1: no change of the %s arrives: twice asked to shrink, it is withdrawn, and placed anew for what is held (seed 7336033)',
  role => {
    const bench = resting(100);
    bench.swallows = order => isChange(order) && order.role === role;
    bench.byHand(-60, 50);
    bench.run(12_000);
    expect(bench.reach()).toBe(40);
    expect(bench.working().map(({ order, quantity }) => [order.role, quantity])).toContainEqual([role, 40]);
    expect(sent(bench, 'cancel', role)).toBe(1);
  },
);

it('I2: a change to more that does not arrive withdraws nothing: a part is better covered than none', () => {
  const bench = resting(100);
  bench.swallows = isChange;
  more(bench, 20);
  bench.run(30_000);
  expect(bench.reach()).toBe(100);
  bench.swallows = () => false;
  bench.run(6_000);
  expect([the(bench, 'disaster-stop').quantity, the(bench, 'target').quantity]).toEqual([120, 120]);
});

it('I1: a sale that rests for the reopening and shrinks by no change is withdrawn, and placed anew', () => {
  const bench = resting(100);
  bench.liquidity = 0;
  bench.flatten();
  bench.run(20_000);
  expect(bench.working().map(({ order, quantity }) => [order.role, order.tif, quantity])).toEqual([['exit', 'DAY', 100]]);
  bench.swallows = isChange;
  bench.byHand(-60, 50);
  bench.run(15_000);
  expect(bench.reach()).toBe(40);
});

it('I2: a change stopped by our own cap is no reason to withdraw what rests', () => {
  const bench = resting(100);
  const { orderRef } = the(bench, 'disaster-stop').order;
  bench.isDeaf = true;
  for (let tries = 0; tries < 6; tries += 1) {
    more(bench, 1);
    bench.run(6_000);
    bench.hear({ kind: 'not-sent', orderRef, code: 'WIRE_CAP_RATE', detail: '30 orders for ACME within a minute, allowed 30' });
  }
  expect(sent(bench, 'cancel')).toBe(0);
  expect(bench.state.care.get(CON_ID)?.quarantinedAt).toBeNull();
});

describe('a stop that has begun to sell', () => {
  it('I3: is the sale: it is not cancelled for growing, nor for an exit that somebody asks for, and takes along what was bought', () => {
    const bench = resting(100);
    bench.fill(the(bench, 'disaster-stop'), 3, 49.5);
    more(bench, 10);
    bench.run(2_500);
    bench.flatten();
    bench.run(6_000);
    expect(sent(bench, 'cancel')).toBe(0);
    expect(bench.working().map(({ order, quantity, filled }) => [order.role, quantity - filled])).toEqual([
      ['disaster-stop', bench.position],
    ]);
    bench.fill(the(bench, 'disaster-stop'), 1_000, 49.4);
    bench.run(1_000);
    expect([bench.position, bench.working()]).toEqual([0, []]);
  });

  it('I3: filled while a change of it was under way and refused, it is over: what was bought besides is sold by another order', () => {
    const bench = resting(100);
    const stop = the(bench, 'disaster-stop');
    bench.fill(stop, 3, 49.5);
    bench.run(1_000);
    bench.isDeaf = true;
    more(bench, 10);
    bench.isDeaf = false;
    bench.fill(stop, 97, 49.4);
    bench.deliver();
    bench.hear({
      kind: 'order-notice',
      orderId: stop.orderId,
      code: 104,
      meaning: 'modify-refused',
      text: 'Cannot modify a filled order.',
    });
    const before = bench.effects.length;
    bench.run(5_000);
    expect(bench.effects.slice(before).filter(effect => effect.do === 'place')).toHaveLength(2);
    expect(bench.working().map(({ order, quantity }) => [order.role, quantity])).toEqual([
      ['target', 10],
      ['disaster-stop', 10],
    ]);
  });

  it('I3: is not moved away when its fill ends the quarantine for which it rests so near (seed 882017)', () => {
    const bench = new ExitBench({ at: ELEVEN, rules: { protection: 'guarded' } });
    bench.deliver();
    bench.refuses = { code: 201, text: 'Order rejected - reason: no' };
    bench.byHand(100, 50);
    bench.run(1_000);
    bench.mark(50);
    bench.run(20_000);
    bench.refuses = null;
    bench.run(60_000);
    const stop = the(bench, 'disaster-stop');
    const level = stop.order.stopPrice;
    expect(level, 'in quarantine it rests at its real level').toBe(bench.state.care.get(CON_ID)?.levels?.stop);
    bench.fill(stop, 3, 49.5);
    bench.run(1_000);
    expect(bench.state.care.get(CON_ID)?.quarantinedAt).toBeNull();
    more(bench, 10);
    bench.run(6_000);
    expect([the(bench, 'disaster-stop').order.stopPrice, the(bench, 'disaster-stop').quantity - 3]).toEqual([level, bench.position]);
  });

  it('I3, I7: one that the broker holds back again after a change is no sale: it is withdrawn, and the position sold', () => {
    const bench = resting(100);
    const stop = the(bench, 'disaster-stop');
    bench.fill(stop, 3, 49.5);
    more(bench, 10);
    bench.run(2_500);
    bench.hear({
      kind: 'order-status',
      clientId: 10,
      orderId: stop.orderId,
      permId: stop.permId,
      status: 'PreSubmitted',
      filled: 3,
      remaining: 107,
    });
    bench.flatten();
    bench.run(6_000);
    expect([bench.position, bench.working()]).toEqual([0, []]);
  });

  it('I1: it shrinks with what somebody sells by hand', () => {
    const bench = resting(100);
    bench.fill(the(bench, 'disaster-stop'), 3, 49.5);
    bench.byHand(-50, 49.5);
    bench.run(2_500);
    expect(bench.reach()).toBe(47);
  });
});

it('I1: the store knows more than the broker holds: what rests does not grow beyond the broker’s figure', () => {
  const bench = resting(40);
  const [bought] = [...bench.rows.executions.values()];
  if (!bought) throw new Error('nothing was booked');
  bench.rows.executions.set('0009.1.01', { ...bought, execId: '0009.1.01', shares: shares(99) });
  let most = 0;
  bench.onBroker = () => {
    most = Math.max(most, bench.reach());
  };
  bench.restart();
  bench.run(15_000);
  bench.mark(50);
  bench.run(5_000);
  expect(most).toBeLessThanOrEqual(40);
  expect(bench.reach()).toBe(40);
});
