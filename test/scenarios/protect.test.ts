import { quoteOf } from '@holdfast/sim/list-source';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage, type StageOptions } from './stage.js';

const CALM = [quoteOf('09:45:00', 49.98, 50.0, 5_000)];
const stages: Stage[] = [];
const stage = (options: StageOptions): Stage => {
  const made = new Stage(options);
  stages.push(made);
  return made;
};
afterEach(() => {
  for (const made of stages.splice(0)) {
    expect(made.referee.report(), made.story.join('\n')).toEqual([]);
    made.close();
  }
});

describe('exit manager on stage', () => {
  it('A5: an entry fills and target and disaster stop rest at once', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(500);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.10']);
  });

  it('A5: the monitored stop: two marks beyond it, cancel, confirm, market sale, block', () => {
    const s = stage({ market: [...CALM, quoteOf('09:50:00', 49.5, 49.52, 5_000), quoteOf('09:50:02', 49.49, 49.51, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:05');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.resting()).toEqual([]);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'stop' }]);
    expect(() => s.buys(100, 50.05)).toThrow('CLOSED_TODAY');
  });

  it('A5: the target fills, its sibling goes, the trade is closed and blocked', () => {
    const s = stage({ market: [...CALM, quoteOf('09:50:00', 50.95, 50.97, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:03');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.resting()).toEqual([]);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'target' }]);
  });

  it('A5: an adopted position starts from the mark: adoption itself sells nothing', () => {
    const s = stage({ market: [...CALM, quoteOf('09:46:00', 49.98, 50.0, 5_000), quoteOf('09:46:05', 49.99, 50.01, 5_000)] });
    s.run(1_000);
    s.exchange.manualTrade(101, 'BUY', 40);
    s.run(3_000);
    s.runTo('09:46:10');
    expect(
      s.resting().map(line => line.replace(/ [\d.]+$/, '')),
      s.story.join('\n'),
    ).toEqual(['SELL 40 LMT', 'SELL 40 STP']);
  });

  it('I12: what the account held before is never touched, nor what its owner adds to it', () => {
    const s = stage({
      market: [
        ...CALM,
        quoteOf('09:46:05', 49.99, 50.01, 5_000),
        quoteOf('09:50:00', 48, 48.02, 5_000),
        quoteOf('09:50:02', 47.99, 48.01, 5_000),
      ],
      holdings: [{ conId: 101, quantity: 200, averageCost: 45_000_000 }],
    });
    s.run(5_000);
    expect(s.resting()).toEqual([]);
    expect(() => s.buys(10, 50.05)).toThrow('BASELINE');
    s.exchange.manualTrade(101, 'BUY', 40);
    s.runTo('09:50:05');
    expect(s.position(), s.story.join('\n')).toBe(240);
    expect(s.resting()).toEqual([]);
  });

  it('A7: sold by hand while the exits rest: they go, nothing is sold twice, the trade closes as manual', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(2_000);
    s.exchange.manualTrade(101, 'SELL', 100);
    s.run(3_000);
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.resting()).toEqual([]);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'manual' }]);
  });

  it('A7: a part sold by hand shrinks the exits within two seconds', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(2_000);
    s.exchange.manualTrade(101, 'SELL', 30);
    s.run(2_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 70 LMT 50.90', 'SELL 70 STP 49.10']);
  });

  it('I3: killed between the touch of the stop and the sale: the next one carries it on', () => {
    const s = stage({ market: [...CALM, quoteOf('09:50:00', 49.5, 49.52, 5_000), quoteOf('09:50:02', 49.49, 49.51, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    s.killExitManager();
    s.runTo('09:50:04', { alive: false });
    s.startExitManager();
    s.runTo('09:50:12');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'stop' }]);
  });

  it('I1: killed after the intent was committed and before it was sent: asked about, its id used again, sold once', () => {
    const s = stage({ market: [...CALM, quoteOf('09:50:00', 49.5, 49.52, 5_000), quoteOf('09:50:02', 49.49, 49.51, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    s.broker.isDeaf = true;
    s.runTo('09:50:03');
    s.killExitManager();
    s.startExitManager();
    s.runTo('09:50:12');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(
      s.exchange
        .executions()
        .filter(({ side }) => side === 'SELL')
        .reduce((sum, { shares }) => sum + shares, 0),
    ).toBe(100);
  });

  it('I2: the entry fills while the exit manager is dead; it is protected at its start', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.killExitManager();
    const order = s.exchange.executions().length;
    expect(order).toBe(0);
    s.startExitManager();
    s.broker.isDeaf = false;
    s.buys(100, 50.05, { books: false });
    s.run(1_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.10']);
  });

  it('A8: a fill during an outage is learned at the reconnect', () => {
    const s = stage({ market: [...CALM, quoteOf('09:47:00', 50.95, 50.97, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(1_000);
    s.broker.cut('outage');
    s.runTo('09:47:10');
    s.broker.connect();
    s.run(4_000);
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'target' }]);
  });

  it('A7: a cancel that is never answered ends in the same order re-priced, not in a second one', () => {
    const s = stage({ market: [...CALM, quoteOf('09:50:00', 49.5, 49.52, 5_000), quoteOf('09:50:02', 49.49, 49.51, 5_000)] });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:01');
    s.broker.isDeaf = true;
    s.run(3_000);
    s.broker.isDeaf = false;
    s.run(12_000);
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.story.join('\n')).toContain('CANCEL_UNANSWERED');
  });

  it('A5: a thin book: partial fills are sold on until nothing is left', () => {
    const s = stage({
      market: [
        ...CALM,
        quoteOf('09:50:00', 49.5, 49.52, 30),
        quoteOf('09:50:02', 49.49, 49.51, 30),
        quoteOf('09:50:04', 49.48, 49.5, 30),
        quoteOf('09:50:06', 49.47, 49.5, 30),
        quoteOf('09:50:08', 49.47, 49.5, 30),
      ],
    });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:50:20');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'stop' }]);
  });

  it('I3: nobody on the other side: a market order rests for the reopening', () => {
    const s = stage({
      market: [
        ...CALM,
        quoteOf('09:50:00', 49.5, 49.52, 500),
        quoteOf('09:50:01', 49.49, 49.51, 0),
        { at: quoteOf('09:50:02', 0, 0, 0).at, conId: 101, halted: true },
        { at: quoteOf('09:55:00', 0, 0, 0).at, conId: 101, halted: false },
        quoteOf('09:55:00', 48, 48.1, 5_000),
      ],
    });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('09:54:00');
    s.runTo('09:55:05');
    expect(s.position(), s.story.join('\n')).toBe(0);
  });

  it('I7: flat from fifteen minutes before the close', () => {
    const s = stage({ market: [quoteOf('15:40:00', 49.98, 50.0, 5_000)], from: '15:40:00' });
    s.run(1_000);
    s.buys(100, 50.05);
    s.runTo('15:45:05');
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'end-of-day' }]);
  });

  it('A14: the command liquidate-all sells what is in care', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(1_000);
    s.command('liquidate-all');
    s.run(3_000);
    expect(s.position(), s.story.join('\n')).toBe(0);
    expect(s.closedToday()).toEqual([{ symbol: 'ACME', reason: 'liquidate' }]);
  });

  it('A4: rest-stops puts the real stop at the broker and says so', () => {
    const s = stage({ market: CALM });
    s.run(1_000);
    s.buys(100, 50.05);
    s.run(1_000);
    s.command('rest-stops');
    s.run(1_000);
    expect(s.resting(), s.story.join('\n')).toEqual(['SELL 100 LMT 50.90', 'SELL 100 STP 49.55']);
  });

  it('A5: an entry that fills in parts grows its exits, and the rest is sold too when the stop is touched in between', () => {
    const s = stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 40),
        quoteOf('09:45:30', 49.98, 50.0, 35),
        quoteOf('09:50:00', 49.5, 49.52, 5_000),
        quoteOf('09:50:02', 49.49, 49.51, 5_000),
      ],
    });
    s.run(1_000);
    const order = s.buys(100, 50.05);
    s.run(1_000);
    expect(s.resting(), s.story.join('\n')).toContain('SELL 40 LMT 50.90');
    s.runTo('09:45:31');
    s.book(order);
    s.run(2_000);
    expect(s.resting(), s.story.join('\n')).toContain('SELL 75 LMT 50.90');
    s.runTo('09:46:20');
    s.book(order);
    s.runTo('09:50:06');
    expect(s.position(), s.story.join('\n')).toBe(0);
  });

  it('A4: an entry dies by itself after 90 seconds though its day trader is dead; what filled is protected, and grows with each part', () => {
    const s = stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 40),
        quoteOf('09:45:10', 49.98, 50.2, 40),
        quoteOf('09:46:00', 49.99, 50.04, 20),
        quoteOf('09:46:05', 50.0, 50.2, 900),
        quoteOf('09:47:00', 50.0, 50.04, 900),
      ],
      rules: { protection: 'monitored' },
    });
    s.run(1_000);
    s.buys(100, 50.05, { books: false });
    s.run(1_000);
    expect(
      s.resting().filter(line => line.startsWith('SELL')),
      s.story.join('\n'),
    ).toEqual(['SELL 40 LMT 50.90']);
    s.runTo('09:46:03');
    expect(
      s
        .resting()
        .filter(line => line.startsWith('SELL'))
        .map(line => line.slice(0, 11)),
      s.story.join('\n'),
    ).toEqual(['SELL 60 LMT']);
    s.runTo('09:46:30');
    expect(
      s.resting().filter(line => line.startsWith('BUY')),
      s.story.join('\n'),
    ).toEqual(['BUY 40 LMT 50.05']);
    s.runTo('09:46:32');
    expect(
      s.resting().filter(line => line.startsWith('BUY')),
      s.story.join('\n'),
    ).toEqual([]);
    s.runTo('09:47:10');
    expect(s.position(), s.story.join('\n')).toBe(60);
    expect(s.referee.report()).toEqual([]);
  });
});
