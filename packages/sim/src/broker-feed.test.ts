import { atTime, sessionOf } from '@holdfast/core/calendar';
import { addPart, newBarBuilder } from '@holdfast/core/market/bars';
import type { BrokerSend } from '@holdfast/core/ports';
import { epochMs, fromDollars, type TradeDate, toDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { contractOf } from './broker-translate.js';
import { ACME, at, OTHER, quoteOf, tradeOf } from './list-source.js';
import { BrokerBench } from './testing/broker-bench.js';

const contract = contractOf(ACME);

describe('market data', () => {
  test('a subscribed line tells its state at once and each change; others nothing', () => {
    const b = new BrokerBench([quoteOf('10:00:10', 50.1, 50.12, 300), quoteOf('10:00:20', 50.2, 50.22, 300)]);
    const [trader, other] = [b.process(2), b.process(10)];
    trader.broker.send({ do: 'subscribe-quotes', contract });
    b.pass(15_000);
    trader.broker.send({ do: 'unsubscribe-quotes', conId: ACME.conId });
    b.pass(10_000);
    expect([trader.hear(), other.hear()]).toEqual([['quote 50.00 × 50.02', 'quote 50.10 × 50.12'], []]);
  });

  test('the quote carries the day so far and yesterday’s close', () => {
    const b = new BrokerBench();
    const trader = b.process(2);
    trader.broker.send({ do: 'subscribe-quotes', contract });
    const [told] = trader.bodies();
    if (told?.kind !== 'quote') throw new Error('no quote was told');
    expect(told.quote).toMatchObject({
      last: fromDollars(50.01),
      volume: 100,
      close: fromDollars(50),
      open: fromDollars(50.01),
      delayed: false,
    });
  });

  test('without live data quotes are flagged and bars refused', () => {
    const b = new BrokerBench([], { isDelayed: true });
    const trader = b.process(2);
    trader.broker.send({ do: 'subscribe-quotes', contract });
    trader.broker.send({ do: 'subscribe-bars', contract });
    expect(trader.bodies().map(body => (body.kind === 'quote' ? body.quote.delayed : body.kind === 'notice' && body.code))).toEqual([
      true,
      420,
    ]);
  });

  test.each([
    [30_000, [['10:00:25', 50.05, 50.2, 50.1, 300]]],
    [
      5_000,
      [
        ['10:00:00', 50.05, 50.05, 50.05, 100],
        ['10:00:05', 50.05, 50.05, 50.05, 0],
        ['10:00:10', 50.2, 50.2, 50.2, 100],
      ],
    ],
  ] as const)('bars of %i ms are made of the prints, stamped with their last five seconds', (barMs, first) => {
    const b = new BrokerBench(
      [tradeOf('10:00:02', 50.05, 100), tradeOf('10:00:12', 50.2, 100), tradeOf('10:00:22', 50.1, 100), tradeOf('10:00:32', 50, 50)],
      { barMs },
    );
    const trader = b.process(2);
    trader.broker.send({ do: 'subscribe-bars', contract });
    b.pass(31_000);
    const bars = trader.bodies().flatMap(body => (body.kind === 'bar' ? [body.bar] : []));
    const told = bars.map(bar => [clockOf(bar.at), toDollars(bar.open), toDollars(bar.high), toDollars(bar.close), bar.volume]);
    expect(told.slice(0, first.length)).toEqual(first);
    expect(told).toHaveLength(30_000 / barMs);
  });

  test('a bar of 30 s closes the worker’s bar the moment it comes', () => {
    const b = new BrokerBench([tradeOf('10:00:02', 50.05, 100), tradeOf('10:00:22', 50.1, 100)]);
    const trader = b.process(2);
    trader.broker.send({ do: 'subscribe-bars', contract });
    b.pass(30_000);
    const [told] = trader.bodies();
    if (told?.kind !== 'bar') throw new Error('no bar was told');
    const { closed } = addPart(newBarBuilder(30_000), told.bar);
    expect(closed.map(bar => [clockOf(bar.at), toDollars(bar.open), toDollars(bar.close), bar.volume])).toEqual([
      ['10:00:00', 50.05, 50.1, 200],
    ]);
  });

  test('P&L: once a second, where the value changed', () => {
    const updates = [tradeOf('10:00:10', 50, 10), tradeOf('10:00:20', 50.02, 10)];
    const b = new BrokerBench(updates, {}, { holdings: [{ conId: ACME.conId, quantity: 10, averageCost: fromDollars(40) }] });
    const exits = b.process(10);
    exits.broker.send({ do: 'subscribe-pnl', conId: ACME.conId });
    exits.broker.send({ do: 'subscribe-pnl', conId: OTHER.conId });
    b.pass(15_000);
    exits.broker.send({ do: 'unsubscribe-pnl', conId: ACME.conId });
    b.pass(15_000);
    expect(exits.hear()).toEqual(['pnl 10 @ 50.01', 'pnl 10 @ 50.00']);
  });

  test('account values and portfolio: at once when a position changes, otherwise every three minutes', () => {
    const b = new BrokerBench([], {}, { holdings: [{ conId: ACME.conId, quantity: 10, averageCost: fromDollars(40) }] });
    const exits = b.process(10);
    b.exchange.manualTrade(ACME.conId, 'SELL', 4);
    b.pass(2_000);
    expect(exits.hear()).toEqual(['position ACME 6', 'portfolio 6', 'account']);
    b.pass(180_000);
    expect(exits.hear()).toEqual(['account', 'portfolio 6']);
  });
});

describe('what is answered', () => {
  const ask = (b: BrokerBench, send: BrokerSend) => {
    const trader = b.process(2);
    trader.broker.send(send);
    return trader.bodies()[0];
  };

  test('a contract, with the hours it trades today and next', () => {
    const told = ask(new BrokerBench(), { do: 'request-contract', requestId: 3, symbol: 'ACME' });
    if (told?.kind !== 'contract') throw new Error('no contract was told');
    const { open, close } = sessionOf('2026-03-09' as TradeDate);
    expect([told.requestId, told.contract.conId, told.liquidHours[0]]).toEqual([3, ACME.conId, { open, close }]);
    expect(told.liquidHours).toHaveLength(2);
    expect(ask(new BrokerBench(), { do: 'request-contract', requestId: 4, symbol: 'NOPE' })?.kind).toBe('contract-unknown');
  });

  test.each([
    ['7200 S', '30 secs', 30_000, '08:00:00'],
    ['2 D', '1 day', 86_400_000, null],
  ] as const)('%s of %s', (duration, barSize, barMs, from) => {
    const asked: unknown[] = [];
    const b = new BrokerBench([], {
      history: (conId, size, since) => {
        asked.push([conId, size, from === null ? null : clockOf(since)]);
        const price = fromDollars(50);
        return [{ at: since, open: price, high: price, low: price, close: price, volume: 1, wap: price, count: 1 }];
      },
    });
    const told = ask(b, { do: 'request-history', requestId: 5, contract, duration, barSize, rthOnly: false });
    expect(asked).toEqual([[ACME.conId, barMs, from]]);
    // A day's own bar, still forming, comes with the days before it.
    expect(told?.kind === 'history' && told.bars.length).toBe(from === null ? 2 : 1);
  });

  test('a history the broker has no words for fails', () => {
    const told = ask(new BrokerBench(), {
      do: 'request-history',
      requestId: 5,
      contract,
      duration: '9 X',
      barSize: '30 secs',
      rthOnly: true,
    });
    expect(told?.kind).toBe('history-failed');
  });

  test('a scan ranks by its own measure, at once and every half minute', () => {
    const b = new BrokerBench([{ at: at('10:00:10'), conId: OTHER.conId, trade: { ...priceOf(103), volume: 5 } }]);
    const trader = b.process(2);
    trader.broker.send({ do: 'subscribe-scanner', requestId: 8, scan: 'TOP_PERC_GAIN' });
    b.pass(31_000);
    expect(trader.bodies().flatMap(body => (body.kind === 'scanner' ? [body.rows.map(({ symbol }) => symbol)] : []))).toEqual([
      ['ACME'],
      ['OTHR', 'ACME'],
    ]);
  });
});

const priceOf = (dollars: number) => {
  const price = fromDollars(dollars);
  return { open: price, high: price, low: price, close: price };
};
const clockOf = (when: number): string => {
  const midnight = atTime('2026-03-09' as TradeDate, '00:00:00');
  return new Date(epochMs(when - midnight)).toISOString().slice(11, 19);
};
