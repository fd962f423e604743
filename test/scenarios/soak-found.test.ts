import { fromDollars } from '@holdfast/core/units';
import { quoteOf } from '@holdfast/sim/list-source';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** What the soak with real processes found, as the shortest story that shows it. */

const printAt = (dollars: number) => {
  const price = fromDollars(dollars);
  return { open: price, high: price, low: price, close: price, volume: 500 };
};

let s: Stage | undefined;
afterEach(() => {
  s?.close();
  s = undefined;
});

describe('found by the soak', () => {
  it('I2, A8: the target fills while the exit manager is away and more was bought by hand meanwhile: the rest is protected by a fresh group', () => {
    s = new Stage({
      market: [quoteOf('09:45:00', 49.98, 50.0, 5_000), quoteOf('09:45:06', 51.0, 51.02, 5_000), quoteOf('09:45:08', 50.2, 50.22, 5_000)],
    });
    const stage = s;
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.run(2_000);
    expect(stage.resting()).toHaveLength(2);
    stage.killExitManager();
    stage.exchange.manualTrade(stage.exchange.positions()[0]?.conId ?? 0, 'BUY', 40);
    // The target sells the first hundred; its sibling goes with it.
    stage.runTo('09:45:08', { alive: false });
    expect(stage.position()).toBe(40);
    const before = stage.exchange.completedOrders().length;
    stage.startExitManager();
    stage.runTo('09:45:20');
    expect(stage.resting(), stage.story.join('\n')).toHaveLength(2);
    // It once sent a hundred a second into the group that was over.
    expect(stage.exchange.completedOrders().length - before, stage.story.join('\n')).toBeLessThan(4);
    expect(stage.referee.report()).toEqual([]);
  });

  it('I2, A8: the target sold all while the exit manager was away, and the operator bought again: that is protected, by two orders', () => {
    s = new Stage({
      market: [quoteOf('09:45:00', 49.98, 50.0, 5_000), quoteOf('09:45:06', 51.0, 51.02, 5_000), quoteOf('09:45:07', 50.2, 50.22, 5_000)],
    });
    const stage = s;
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.run(2_000);
    expect(stage.resting()).toHaveLength(2);
    stage.killExitManager();
    stage.runTo('09:45:08', { alive: false });
    expect(stage.position()).toBe(0);
    stage.exchange.manualTrade(stage.exchange.instruments[0]?.conId ?? 0, 'BUY', 40);
    const before = stage.exchange.completedOrders().length;
    stage.startExitManager();
    stage.runTo('09:45:20');
    expect(stage.resting(), stage.story.join('\n')).toHaveLength(2);
    expect(stage.exchange.completedOrders().length - before, stage.story.join('\n')).toBeLessThan(4);
    expect(stage.referee.report()).toEqual([]);
  });

  it('I2, A8: the growth of a stop never reached the broker, it sold what it knew of, the exit manager died: the rest is protected', () => {
    s = new Stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 5_000),
        { ...quoteOf('09:45:06', 48.9, 48.92, 5_000), trade: printAt(48.9) },
        { ...quoteOf('09:45:07', 50.2, 50.22, 5_000), trade: printAt(50.2) },
      ],
    });
    const stage = s;
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.run(2_000);
    // The target's change arrives, whatever follows it is lost.
    stage.broker.refuse = order => {
      if (order.quantity > 100) stage.broker.isDeaf = true;
      return null;
    };
    stage.exchange.manualTrade(stage.exchange.positions()[0]?.conId ?? 0, 'BUY', 40);
    stage.run(500);
    stage.killExitManager();
    stage.runTo('09:45:08', { alive: false });
    expect(stage.position(), stage.story.join('\n')).toBe(40);
    const before = stage.exchange.completedOrders().length;
    stage.startExitManager();
    stage.runTo('09:45:20');
    expect(stage.resting(), stage.story.join('\n')).toHaveLength(2);
    expect(stage.exchange.completedOrders().length - before, stage.story.join('\n')).toBeLessThan(6);
    expect(stage.referee.report()).toEqual([]);
  });

  it('I3, I7: the same with the price still below the stop: the rest is sold, not waited for as if that stop were selling it (soak, seed 3)', () => {
    s = new Stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 5_000),
        { ...quoteOf('09:45:06', 48.9, 48.92, 5_000), trade: printAt(48.9) },
        { ...quoteOf('09:45:12', 48.8, 48.82, 5_000), trade: printAt(48.8) },
        { ...quoteOf('09:45:14', 48.79, 48.81, 5_000), trade: printAt(48.79) },
      ],
    });
    const stage = s;
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.run(2_000);
    // Killed between the commit and the bytes of the stop's growth.
    stage.wire = (what, pass) => {
      if (what.do === 'place' && what.order.type === 'STP' && what.order.quantity > 100) throw new Error('killed');
      return pass();
    };
    stage.exchange.manualTrade(stage.exchange.positions()[0]?.conId ?? 0, 'BUY', 40);
    stage.run(500);
    expect(stage.stopped?.why).toBe('killed');
    stage.killExitManager();
    stage.wire = null;
    stage.runTo('09:45:08', { alive: false });
    expect(stage.position(), stage.story.join('\n')).toBe(40);
    stage.startExitManager();
    stage.runTo('09:45:22');
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    expect(stage.referee.report()).toEqual([]);
  });
});
