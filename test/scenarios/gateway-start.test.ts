import { fromDollars, shares } from '@holdfast/core/units';
import { quoteOf } from '@holdfast/sim/list-source';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage, type StageOptions } from './stage.js';

/** Right after a gateway start answers may be empty or partial, and a kill or a cut may meet an order on its way. Each of these was found by review. */

const CALM = [quoteOf('09:45:00', 49.98, 50.0, 5_000)];
const clock = (second: number): string => `09:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}`;
/** A price that flickers by a cent each second from 09:46 on, so that marks stay live. */
const flicker = (size: number, seconds = 600) =>
  Array.from({ length: seconds }, (_, index) =>
    quoteOf(clock(46 * 60 + index), 49.98 + (index % 2) * 0.01, 50.0 + (index % 2) * 0.01, size),
  );

const stages: Stage[] = [];
const stage = (options: StageOptions): Stage => {
  const made = new Stage(options);
  stages.push(made);
  return made;
};
afterEach(() => {
  for (const made of stages.splice(0)) made.close();
});

describe('answers right after a gateway start', () => {
  it('I12: the first positions answer is empty: nothing is adopted, and what was held before is never sold', () => {
    const fall = [quoteOf('09:57:00', 48, 48.02, 5_000), quoteOf('09:57:02', 47.99, 48.01, 5_000), quoteOf('09:57:04', 47.98, 48.0, 5_000)];
    const s = stage({
      market: [...CALM, ...flicker(5_000), ...fall],
      holdings: [{ conId: 101, quantity: 200, averageCost: 45_000_000 }],
      omits: 'positions',
    });
    s.run(4_000);
    expect(s.exitManager.facts().phase).toBe('RECONCILING');
    s.broker.omits = null;
    s.runTo('09:57:20');
    expect(s.exitManager.facts().phase).toBe('READY');
    expect(s.position(), s.story.join('\n')).toBe(200);
    expect(s.referee.report()).toEqual([]);
  });

  it('I1: one open-orders answer without our exits does not double them', () => {
    const s = stage({ market: [...CALM, ...flicker(5_000), quoteOf('09:57:00', 51, 51.02, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(15_000);
    s.broker.cut('gateway restart');
    s.broker.omits = 'open-orders';
    s.broker.connect();
    s.run(2_000);
    s.broker.omits = null;
    s.run(150_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.10']);
    s.runTo('09:57:20');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.referee.report()).toEqual([]);
  });

  it('I1: open-orders answers that leave our exits out for minutes do not double them either', () => {
    const s = stage({ market: [...CALM, ...flicker(5_000), quoteOf('09:57:00', 51, 51.02, 5_000)], rules: { reconcileEveryMs: 15_000 } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(15_000);
    s.broker.cut('gateway restart');
    s.broker.omits = 'open-orders';
    s.broker.connect();
    for (let second = 0; second < 90; second += 1) {
      s.run(1_000);
      expect(
        s.resting().map(line => line.slice(0, 12)),
        s.story.join('\n'),
      ).toEqual(['SELL 100 LMT', 'SELL 100 STP']);
    }
    s.broker.omits = null;
    s.run(20_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.10']);
    s.runTo('09:57:20');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.referee.report()).toEqual([]);
  });

  it('I1: an exit whose cancel is under way is left out by the answers after a gateway start: sold once all the same', () => {
    const s = stage({
      market: [...CALM, ...flicker(5_000, 40), quoteOf('09:46:45', 51, 51.02, 5_000), quoteOf('09:46:47', 48.0, 48.02, 5_000)],
    });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:46:30');
    // The cancels reach nobody, the connection breaks, and the new one knows of no order.
    s.broker.onSend = send => send.do !== 'cancel';
    s.command('flatten', { symbol: 'ACME' });
    s.run(300);
    s.broker.cut('gateway restart');
    s.broker.omits = 'open-orders';
    s.broker.connect();
    s.run(300);
    s.broker.onSend = null;
    s.run(30_000);
    s.broker.omits = null;
    s.runTo('09:48:30');
    const sold = s.exchange.executions().filter(({ side }) => side === 'SELL');
    expect(
      sold.reduce((sum, { shares: count }) => sum + count, 0),
      s.story.join('\n'),
    ).toBe(100);
    expect(s.position()).toBe(0);
    expect(s.referee.report()).toEqual([]);
  });

  it('I2: two answers agree that an exit is gone: it is replaced', () => {
    const s = stage({ market: [...CALM, ...flicker(5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(2_000);
    s.broker.cut('outage');
    s.exchange.globalCancel();
    s.broker.connect();
    s.run(5_000);
    expect(s.resting()).toEqual([]);
    s.run(15_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.10']);
  });

  it('I2: positions answered empty after a reconnect: what rests stays, and nothing is closed', () => {
    const s = stage({ market: [...CALM, ...flicker(5_000)], rules: { protection: 'resting' } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(60_000);
    s.broker.cut('gateway restart');
    s.broker.omits = 'positions';
    s.broker.connect();
    for (let second = 0; second < 23; second += 1) {
      s.run(1_000);
      expect(s.resting(), s.story.join('\n')).toHaveLength(2);
    }
    s.broker.omits = null;
    s.run(95_000);
    expect(s.resting()).toHaveLength(2);
    expect(s.closedToday()).toEqual([]);
  });
});

describe('a kill or a cut meets an order on its way', () => {
  const sendsAnExit = (send: { do: string }): boolean =>
    send.do === 'place' && 'order' in send && (send.order as { role: string }).role === 'exit';

  it('I3: a sale fills in part while the line drops: what is left is sold', () => {
    const s = stage({ market: [...CALM, ...flicker(40)] });
    s.run(1_000);
    s.buys(40, 50.05);
    s.run(100_000);
    s.exchange.manualTrade(101, 'BUY', 60);
    s.run(5_000);
    // What the broker answers to the sale is never heard.
    s.broker.onSend = send => {
      if (sendsAnExit(send)) s.broker.isMute = true;
      return true;
    };
    s.command('flatten', { symbol: 'ACME' });
    s.run(200);
    s.broker.onSend = null;
    s.broker.isMute = false;
    s.broker.cut('outage');
    s.run(2_000);
    s.broker.connect();
    s.run(60_000);
    expect({ left: s.position(), resting: s.resting() }, s.story.join('\n')).toEqual({ left: 0, resting: [] });
    expect(s.referee.report()).toEqual([]);
  });

  it('I3: a sale fills in part and the exit manager dies in the same moment: its successor sells the rest, as was decided', () => {
    const s = stage({ market: [...CALM, ...flicker(40)] });
    s.run(1_000);
    s.buys(40, 50.05);
    s.run(100_000);
    s.exchange.manualTrade(101, 'BUY', 60);
    s.run(5_000);
    s.broker.onSend = send => {
      if (sendsAnExit(send)) s.broker.isMute = true;
      return true;
    };
    s.command('flatten', { symbol: 'ACME' });
    s.run(300);
    s.killExitManager();
    s.startExitManager();
    s.run(60_000);
    expect({ left: s.position(), resting: s.resting() }, s.story.join('\n')).toEqual({ left: 0, resting: [] });
    expect(s.referee.report()).toEqual([]);
  });

  it('I2: an exit that was lost with its process does not hold the next position of its symbol hostage', () => {
    const s = stage({ market: [...CALM, ...flicker(5_000)], rules: { protection: 'monitored' } });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:46:10');
    s.broker.onSend = send => !sendsAnExit(send);
    s.command('flatten', { symbol: 'ACME' });
    s.run(500);
    for (let restarts = 0; restarts < 2; restarts += 1) {
      s.killExitManager();
      s.startExitManager();
      s.run(3_000);
    }
    expect(s.position(), s.story.join('\n')).toBe(0);
    s.exchange.manualTrade(101, 'BUY', 40);
    s.run(30_000);
    expect(
      s.resting().map(line => line.replace(/ [\d.]+$/, '')),
      s.story.join('\n'),
    ).toEqual(['SELL 40 LMT']);
  });

  it('I1: the sale of an adopted position is corrected after a restart: nothing is bought', () => {
    const s = stage({ market: [...CALM, ...flicker(5_000)] });
    s.run(1_000);
    s.exchange.manualTrade(101, 'BUY', 100);
    s.run(70_000);
    s.command('flatten', { symbol: 'ACME' });
    s.run(10_000);
    expect(s.position()).toBe(0);
    s.killExitManager();
    s.startExitManager();
    s.run(5_000);
    const sale = s.exchange.executions().find(({ side }) => side === 'SELL');
    if (!sale) throw new Error('nothing was sold');
    const { at, orderRef, permId, orderId } = sale;
    s.broker.inject({
      kind: 'execution',
      execution: {
        execId: sale.execId.replace(/\.01$/, '.02'),
        at,
        conId: 101,
        symbol: 'ACME',
        side: 'SELL',
        shares: shares(100),
        price: fromDollars(49.97),
        orderRef,
        permId,
        clientId: 10,
        orderId,
      },
    });
    s.run(30_000);
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.story.filter(line => line.includes('BUY') && line.includes('client 10'))).toEqual([]);
  });
});
