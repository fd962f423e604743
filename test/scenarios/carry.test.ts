import { quoteOf } from '@holdfast/sim/list-source';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** I7: what could not be sold by the close. */

const stages: Stage[] = [];
const stage = (market: readonly ReturnType<typeof quoteOf>[]): Stage => {
  const made = new Stage({ market, from: '15:40:00' });
  stages.push(made);
  return made;
};
afterEach(() => {
  for (const made of stages.splice(0)) made.close();
});

/** Nobody bids from 15:44 on. */
const NO_BID = [quoteOf('15:40:00', 49.98, 50.0, 5_000), quoteOf('15:44:00', 0, 50.0, 5_000)];

describe('carried over the close', () => {
  it('I7: nobody buys before the close: one GTC stop rests at the real level afterwards, the sale stays decided, a person is told', () => {
    const s = stage(NO_BID);
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('15:59:59');
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 MKT']);
    s.runTo('16:02:00');
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 STP 49.55']);
    expect(s.exchange.openOrders().map(({ request }) => request.tif)).toEqual(['GTC']);
    expect([...s.exitManager.state.care.values()].map(({ status, exit }) => [status, exit?.reason])).toEqual([['CLOSING', 'end-of-day']]);
    expect(s.story.join('\n')).toContain('CARRIED_OVERNIGHT');
    s.killExitManager();
    s.startExitManager();
    s.runTo('16:10:00');
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 STP 49.55']);
    expect(s.position()).toBe(100);
    expect(s.referee.report()).toEqual([]);
  });

  it('I7: the broker was lost over the close: the stop rests once it is back', () => {
    const s = stage(NO_BID);
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('15:44:30');
    s.broker.cut('outage');
    s.runTo('16:20:00');
    expect(s.resting(), s.story.join('\n')).toEqual([]);
    s.broker.connect();
    s.run(3_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 STP 49.55']);
    expect([...s.exitManager.state.care.values()].map(({ exit }) => exit?.reason)).toEqual(['end-of-day']);
  });

  it('I7: a sale queued by hand after hours leaves only the rest to the stop', () => {
    const s = stage(NO_BID);
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('16:02:00');
    s.exchange.manualTrade(101, 'SELL', 40);
    s.run(70_000);
    expect([...s.resting()].sort(), s.story.join('\n')).toEqual(['SELL 40 MKT', 'SELL 60 STP 49.55']);
    expect(s.referee.report()).toEqual([]);
  });
});
