import { tradeDateOf } from '@holdfast/core/calendar';
import { micros } from '@holdfast/core/units';
import { ACME, quoteOf } from '@holdfast/sim/list-source';
import { readRoundTrips } from '@holdfast/store/reports';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** The broker takes a sale back whose trade has ended: shares are held again, and what was earned has to be told anew. */

let stage: Stage;
afterEach(() => stage.close());

/** Bought at 50, stopped out at 49.5 or so. */
function stoppedOut(): Stage {
  const s = new Stage({
    market: [
      quoteOf('09:45:00', 49.98, 50.0, 5_000),
      quoteOf('09:50:00', 49.5, 49.52, 5_000),
      quoteOf('09:50:02', 49.49, 49.51, 5_000),
      quoteOf('09:55:00', 49.98, 50.0, 5_000),
      quoteOf('09:58:00', 50.01, 50.03, 5_000),
      quoteOf('09:58:02', 50.02, 50.04, 5_000),
      quoteOf('10:10:00', 52.0, 52.02, 5_000),
      quoteOf('10:10:02', 52.01, 52.03, 5_000),
    ],
  });
  s.run(1_000);
  s.buys(100, 50.05);
  s.runTo('09:51:00');
  expect(s.closedToday().map(({ reason }) => reason)).toEqual(['stop']);
  return s;
}

/** Micros earned over all round trips of the day, by the store, and by the exchange's executions; comparable when flat. */
const booked = (s: Stage): number => readRoundTrips(s.reader, tradeDateOf(s.exchangeTime)).reduce((sum, trip) => sum + (trip.pnl ?? 0), 0);
const earned = (s: Stage): number =>
  s.exchange
    .executions()
    .reduce((sum, { side, shares, price, commission }) => sum + (side === 'SELL' ? 1 : -1) * shares * price - commission, 0);

describe('A10: a sale that is taken back after its trade has ended', () => {
  it('I6: corrected in its price only, it changes the result of a trade that ended before the exit manager was restarted', () => {
    stage = stoppedOut();
    stage.killExitManager();
    stage.startExitManager();
    const sale = stage.exchange.executions().at(-1);
    stage.exchange.correct(sale?.execId ?? '', { price: micros((sale?.price ?? 0) + 30_000) });
    stage.run(2_000);
    expect(stage.position()).toBe(0);
    expect(booked(stage), stage.story.join('\n')).toBe(earned(stage));
  });

  it('I1, I2, I6: taken back whole, the trade opens again, also after a restart, and is protected and sold once', () => {
    stage = stoppedOut();
    stage.runTo('09:55:10');
    stage.killExitManager();
    stage.startExitManager();
    stage.exchange.correct(stage.exchange.executions().at(-1)?.execId ?? '', { shares: 0 });
    stage.run(3_000);
    expect(stage.position(), stage.story.join('\n')).toBe(100);
    expect(
      stage.resting().some(line => line.startsWith('SELL 100 ')),
      stage.story.join('\n'),
    ).toBe(true);
    stage.runTo('10:11:00');
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    expect(booked(stage)).toBe(earned(stage));
    expect(stage.referee.report()).toEqual([]);
  });

  it('I1, I2: taken back whole before any word said that its order was over: what fills whole is over, new exits rest at once (seed 1795197419656)', () => {
    stage = new Stage({
      market: [quoteOf('09:45:00', 49.98, 50.0, 5_000), quoteOf('09:50:00', 49.4, 49.42, 5_000), quoteOf('09:50:10', 49.98, 50.0, 5_000)],
    });
    stage.filter = (body, take) => {
      const isLastWord =
        (body.kind === 'order-status' && body.status === 'Filled') || (body.kind === 'open-order' && body.order.status === 'Filled');
      if (!isLastWord) take(body);
    };
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.runTo('09:50:15');
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    stage.exchange.correct(stage.exchange.executions().at(-1)?.execId ?? '', { shares: 0 });
    stage.run(1_000);
    expect(stage.resting(), stage.story.join('\n')).toHaveLength(2);
    expect(stage.story.join('\n')).not.toContain('WIRE_CAP_QUANTITY');
    expect(stage.referee.report()).toEqual([]);
  });

  it('I1, I6: with another position of that symbol in care the shares join it at once; both results together are what was earned', () => {
    stage = stoppedOut();
    stage.runTo('09:55:10');
    stage.exchange.manualTrade(ACME.conId, 'BUY', 60);
    stage.runTo('09:57:00');
    const [, sale] = stage.exchange.executions();
    stage.exchange.correct(sale?.execId ?? '', { shares: 0 });
    stage.run(3_000);
    expect(stage.position(), stage.story.join('\n')).toBe(160);
    expect(stage.heldInStore()).toBe(160);
    expect(stage.resting().some(line => line.startsWith('SELL 160 LMT'))).toBe(true);
    stage.killExitManager();
    stage.startExitManager();
    stage.runTo('10:11:00');
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    expect(Math.round(booked(stage) / 10_000)).toBe(Math.round(earned(stage) / 10_000));
    expect(stage.referee.report()).toEqual([]);
  });
});
