import { describe, expect, test } from 'vitest';
import { shares } from '../units.js';
import { watchedOf } from './desk.js';
import { ACME, bar, calmPast, claimOf, clock, contractOf, quote, TraderBench } from './testing/trader-bench.js';

describe('A11: the watchlist', () => {
  const asked = (b: TraderBench): number => b.state.watch.filter(({ request }) => request !== null).length;

  test('A11: six requests in flight at most, until every symbol is followed', () => {
    const watchlist = Array.from({ length: 20 }, (_, i) => `S${i}`);
    const b = new TraderBench({ rules: { watchlist } });
    b.connect();
    expect([asked(b), b.isSettled]).toEqual([6, false]);
    b.analyse(() => calmPast(b.at));
    expect(b.effects.filter(effect => effect.do === 'subscribe-bars')).toHaveLength(20);
    expect(b.effects.filter(effect => effect.do === 'subscribe-quotes')).toHaveLength(20);
    expect(b.isSettled).toBe(true);
  });

  test('an unknown symbol: one warning, one decision row, and the others are followed', () => {
    const b = new TraderBench({ rules: { watchlist: ['NOPE', 'ACME'] } });
    b.connect();
    for (let round = 0; round < 4; round += 1) {
      for (const { symbol, request, stage } of b.state.watch) {
        if (!request) continue;
        if (symbol === 'NOPE') b.hear({ kind: 'contract-unknown', requestId: request.id, text: 'the broker lists no US stock NOPE' });
        else if (stage === 'contract') b.hear({ kind: 'contract', requestId: request.id, contract: ACME, liquidHours: [] });
        else b.hear({ kind: 'history', requestId: request.id, bars: [] });
      }
      b.pass(20_000, 0);
    }
    expect(b.effects.filter(effect => effect.do === 'write-alert').map(effect => effect.alert.code)).toEqual(['UNKNOWN_SYMBOL']);
    expect(b.decisions.map(({ symbol, code }) => `${symbol} ${code}`)).toEqual(['NOPE UNKNOWN_SYMBOL']);
    expect(b.effects.filter(effect => effect.do === 'request-contract' && effect.symbol === 'NOPE')).toHaveLength(2);
    expect(watchedOf(b.state, 'ACME')?.stage).toBe('live');
  });

  test('after a reconnect everything is asked for anew, and the missing bars are filled in without repeats', () => {
    const b = new TraderBench().ready();
    const bars = watchedOf(b.state, 'ACME')?.indicators.bars ?? 0;
    b.hear({ kind: 'disconnected', reason: 'gateway restart' });
    b.pass(120_000);
    b.connect();
    b.analyse();
    expect(watchedOf(b.state, 'ACME')?.indicators.bars).toBe(bars + 4);
    expect(b.effects.filter(effect => effect.do === 'subscribe-bars')).toHaveLength(2);
    expect(b.effects.filter(effect => effect.do === 'request-contract')).toHaveLength(1);
  });

  test('the bar still forming in the history is left to its live parts', () => {
    const b = new TraderBench({ at: '10:00:10' }).ready(at => [...calmPast(at), bar(clock('10:00'), 50)]);
    expect(watchedOf(b.state, 'ACME')?.indicators.lastAt).toBe(clock('09:59:30'));
  });

  test('a bar whose last part never comes is closed by the clock, and decided on', () => {
    const b = new TraderBench({ at: '10:00:00' }).ready();
    for (let part = 0; part < 5; part += 1)
      b.hear({ kind: 'bar', conId: 1, bar: bar(clock('10:00') + part * 5_000, 50.1, { volume: 100 }) });
    b.goTo('10:00:29');
    b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
    expect(b.placed).toHaveLength(0);
    b.goTo('10:00:32');
    expect(b.placed).toHaveLength(1);
  });

  test('A11: the scan is taken every 15 minutes of exchange time; what left it is dropped unless it is held', () => {
    const b = new TraderBench({ rules: { watchlist: [], useScanner: true, scanRowsMax: 2 } });
    b.connect();
    const requestId = b.state.scan?.requestId ?? -1;
    const rows = (...symbols: string[]) => symbols.map((symbol, rank) => ({ rank, conId: 100 + rank, symbol }));
    b.hear({ kind: 'scanner', requestId, rows: rows('AAA', 'BBB', 'CCC') });
    expect(b.state.watch.map(({ symbol }) => symbol)).toEqual(['AAA', 'BBB']);
    b.pass(30_000);
    b.hear({ kind: 'scanner', requestId, rows: rows('DDD', 'EEE') });
    expect(b.state.watch.map(({ symbol }) => symbol)).toEqual(['AAA', 'BBB']);
    b.pass(15 * 60_000);
    b.storeTells({
      positions: [{ ...claimOf({ tradeId: 'x', contract: contractOf('BBB', 101), createdAt: b.at }), quantity: shares(5) }],
    });
    b.hear({ kind: 'scanner', requestId, rows: rows('DDD', 'EEE') });
    expect(b.state.watch.map(({ symbol }) => symbol)).toEqual(['BBB', 'DDD', 'EEE']);
  });

  test('A12: a new trading date forgets yesterday’s refusals and asks for the new previous close', () => {
    const b = new TraderBench().ready();
    b.refusal = { code: 'CLOSED_TODAY', detail: 'closed' };
    b.bar30(50.1);
    expect(watchedOf(b.state, 'ACME')?.shut?.code).toBe('CLOSED_TODAY');
    b.pass(24 * 3_600_000, 24 * 3_600_000);
    expect([b.state.tradeDate, watchedOf(b.state, 'ACME')?.shut, watchedOf(b.state, 'ACME')?.stage]).toEqual(['2026-03-10', null, 'daily']);
  });
});
