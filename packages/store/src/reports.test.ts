import { readdirSync, readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { lastTradedDate, reviewDay } from './reports.js';
import { ACME, aClose, anOrder, booked, closeAll, later, MONDAY, NOW, openDesk, TUESDAY, usd } from './testing/desk.js';
import { isParked, writeWorkerEvent } from './worker-events.js';

const QUERIES = new URL('../../../db/queries/', import.meta.url);
const OTHER = { ...ACME, conId: 502, symbol: 'BETA' };

function aDay() {
  const desk = openDesk();
  desk.commit([{ do: 'write-equity', account: 'DU1', netLiquidation: usd(25_000), cash: null, tradeDate: MONDAY }]);
  desk.commit([{ do: 'close-position', trade: aClose() }]);
  desk.commit([
    {
      do: 'close-position',
      trade: aClose({ tradeId: 'T-2', contract: OTHER, exitReason: 'stop', exitPrice: usd(49.5), pnl: usd(-53.1), exitAt: later(120_000) }),
    },
  ]);
  for (const symbol of ['ACME', 'BETA', 'BETA']) {
    const numbers = { rsi: 61.5 };
    desk.commit([
      { do: 'write-decision', decision: { symbol, strategy: 'standard', verdict: 'reject', code: 'RSI', detail: symbol, numbers } },
    ]);
  }
  for (const event of ['started', 'ready', 'crashed', 'started', 'hung', 'started'] as const) {
    writeWorkerEvent(desk.db, { worker: 'exit-manager', event, detail: '', at: NOW }, MONDAY);
  }
  return desk;
}

describe('reports', () => {
  afterEach(closeAll);

  it('A20: a day’s review has its round trips, totals in $ and %, rejections and restarts', () => {
    const review = reviewDay(aDay().db, MONDAY);
    expect(review.roundTrips.map(({ symbol, exitReason, pnl, quantity }) => [symbol, exitReason, pnl, quantity])).toEqual([
      ['ACME', 'target', usd(88), 100],
      ['BETA', 'stop', usd(-53.1), 100],
    ]);
    expect(review.totals).toEqual({
      trades: 2,
      wins: 1,
      losses: 1,
      winRate: 50,
      pnl: usd(34.9),
      commission: usd(4),
      startEquity: usd(25_000),
      percentOfEquity: expect.closeTo(0.1396, 10),
      sumOfTradePercents: expect.closeTo(0.698, 10),
    });
    expect(review.rejections).toEqual([{ code: 'RSI', times: 2, symbols: 2 }]);
    expect(review.restarts).toEqual({ exitManager: 2, dayTrader: 0 });
  });

  it('a date without trades gives an empty review, and the newest traded date is known', () => {
    const desk = aDay();
    expect(reviewDay(desk.db, TUESDAY)).toMatchObject({
      roundTrips: [],
      totals: { trades: 0, winRate: null, pnl: 0, percentOfEquity: null },
    });
    expect(lastTradedDate(desk.db)).toBe(MONDAY);
    expect(lastTradedDate(openDesk().db)).toBeNull();
  });

  it('A20: every query in db/queries runs in plain SQLite and finds the day', () => {
    const desk = aDay();
    desk.commit([booked(), { do: 'write-intent', order: anOrder() }]);
    const plain = new Sqlite(desk.path, { readonly: true });
    const found = readdirSync(QUERIES).map(name => {
      const rows = plain.prepare(readFileSync(new URL(name, QUERIES), 'utf8')).all();
      return [name, rows.length, rows[0]];
    });
    plain.close();
    expect(found).toMatchObject([
      ['daily-pnl.sql', 1, { trade_date: MONDAY, pnl: 34.9, pnl_pct: 0.14 }],
      ['open-orders.sql', 1, { symbol: 'ACME', status: 'INTENT' }],
      ['pnl-by-symbol.sql', 2, { symbol: 'BETA', pnl: -53.1 }],
      ['rejections-by-code.sql', 1, { code: 'RSI', times: 2 }],
      ['todays-trades.sql', 2, { symbol: 'ACME', side: 'LONG', exit_reason: 'target', pnl: 88 }],
    ]);
  });

  it('A2: a parked worker stays parked until a person releases it', () => {
    const { db } = openDesk();
    const tell = (event: 'parked' | 'started' | 'released') =>
      writeWorkerEvent(db, { worker: 'day-trader', event, detail: '', at: NOW }, MONDAY);
    expect(isParked(db, 'day-trader')).toBe(false);
    tell('parked');
    tell('started');
    expect(isParked(db, 'day-trader')).toBe(true);
    tell('released');
    expect(isParked(db, 'day-trader')).toBe(false);
  });
});
