import { tradeDateOf } from '@holdfast/core/calendar';
import { fromDollars } from '@holdfast/core/units';
import { ACME, quoteOf, tradeOf } from '@holdfast/sim/list-source';
import { readRoundTrips } from '@holdfast/store/reports';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** What campaigns of the whole desk found, told again with one symbol. */

let stage: Stage;
afterEach(() => stage.close());

describe('found by campaigns', () => {
  it('A7, I1: a resting sale fills in part, and the position is pushed before the execution: nothing is changed, nothing is asked for twice (seed 300014)', () => {
    stage = new Stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 5_000),
        // The stop is touched with nobody there to buy; then somebody buys a part.
        quoteOf('09:50:00', 49.5, 49.52, 0),
        quoteOf('09:50:02', 49.49, 49.51, 0),
        quoteOf('09:50:20', 49.48, 49.5, 60),
        quoteOf('09:50:40', 49.48, 49.5, 5_000),
      ],
    });
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.runTo('09:50:15');
    expect(stage.resting(), stage.story.join('\n')).toEqual(['SELL 100 MKT']);
    const before = stage.story.length;
    const late: (() => void)[] = [];
    stage.filter = (body, take) => {
      const isLate = body.kind === 'execution' || body.kind === 'commission' || body.kind === 'order-status' || body.kind === 'open-order';
      if (isLate) late.push(() => take(body));
      else take(body);
    };
    stage.runTo('09:50:20');
    stage.run(800);
    stage.filter = null;
    for (const tell of late.splice(0)) tell();
    stage.runTo('09:50:50');
    const since = stage.story.slice(before).filter(line => line.includes('exit-manager'));
    expect(
      since.filter(line => line.includes('changes') || line.includes('sends')),
      since.join('\n'),
    ).toEqual([]);
    expect(stage.position()).toBe(0);
    expect(stage.referee.report()).toEqual([]);
  });

  it('I1: what our sale sold too much, because a person sold at the same instant, is bought back whole though that person has a bid in the book (seed 300007)', () => {
    stage = new Stage({ market: [quoteOf('09:45:00', 49.98, 50.0, 5_000)] });
    stage.run(1_000);
    stage.exchange.place({
      clientId: 0,
      orderId: -7,
      conId: ACME.conId,
      side: 'BUY',
      quantity: 14,
      type: 'LMT',
      limitPrice: fromDollars(30),
      tif: 'DAY',
      transmit: true,
    });
    stage.buys(51, 50.05);
    stage.run(1_000);
    let isSold = false;
    stage.wire = (what, pass) => {
      if (what.do === 'place' && what.order.role === 'exit' && !isSold) {
        isSold = true;
        stage.exchange.manualTrade(ACME.conId, 'SELL', 51);
      }
      return pass();
    };
    stage.command('flatten', { symbol: 'ACME' });
    stage.run(20_000);
    expect(isSold).toBe(true);
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    expect(stage.referee.report()).toEqual([]);
    expect(stage.resting()).toEqual(['BUY 14 LMT 30.00']);
  });

  it('I4, A10: a trade is dated by what made it flat, also when that was buying back (seed 300037)', () => {
    stage = new Stage({ market: [quoteOf('09:45:00', 49.98, 50.0, 5_000)] });
    stage.run(1_000);
    stage.buys(51, 50.05);
    stage.run(1_000);
    stage.wire = (what, pass) => {
      if (what.do === 'place' && what.order.role === 'exit' && stage.position() > 0) stage.exchange.manualTrade(ACME.conId, 'SELL', 51);
      return pass();
    };
    stage.command('flatten', { symbol: 'ACME' });
    stage.run(5_000);
    const [trip] = readRoundTrips(stage.reader, tradeDateOf(stage.exchangeTime));
    const last = stage.exchange.executions().at(-1);
    expect(last?.side, stage.story.join('\n')).toBe('BUY');
    expect(trip?.exitAt).toBe(last?.at);
  });

  it('I1: a buy-back that crosses the operator’s own is no position of the trade, though it has its side: sold again at once (seeds 10196, 887001)', () => {
    stage = new Stage({ market: [quoteOf('09:45:00', 49.98, 50.0, 5_000)] });
    stage.run(1_000);
    stage.buys(51, 50.05);
    stage.run(1_000);
    let races = 0;
    stage.wire = (what, pass) => {
      // First the operator sells what our exit sells, then he buys back what it buys back.
      const isExit = what.do === 'place' && what.order.role === 'exit';
      if (isExit && races < 2) {
        races += 1;
        stage.exchange.manualTrade(ACME.conId, what.order.side, 51);
      }
      return pass();
    };
    stage.command('flatten', { symbol: 'ACME' });
    stage.run(20_000);
    expect(races, stage.story.join('\n')).toBe(2);
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    expect(stage.resting()).toEqual([]);
    expect(stage.referee.report()).toEqual([]);
  });

  it('I1: the stop sells a few shares at a time, and the broker takes less from the target than that: it is made smaller each time, however often (focused seed 16001436)', () => {
    const clock = (seconds: number) => `09:5${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}`;
    const bids = Array.from({ length: 25 }, (_, n) => quoteOf(clock(10 + 2 * n), 49.38, 49.42, 4 + (n % 2)));
    stage = new Stage({
      market: [
        quoteOf('09:45:00', 49.98, 50.0, 5_000),
        quoteOf('09:46:00', 51.0, 51.02, 20),
        quoteOf('09:46:10', 50.0, 50.02, 5_000),
        quoteOf('09:50:05', 49.4, 49.42, 100),
        tradeOf('09:50:06', 49.4, 100),
        ...bids,
      ],
      rules: { protection: 'resting' },
    });
    stage.run(1_000);
    stage.buys(100, 50.05);
    stage.runTo('09:46:20');
    stage.exchange.manualTrade(ACME.conId, 'BUY', 120);
    stage.runTo('09:51:10');
    expect(stage.position(), stage.story.join('\n')).toBe(0);
    expect(stage.referee.report(), stage.story.join('\n')).toEqual([]);
  });
});
