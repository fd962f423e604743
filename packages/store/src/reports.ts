import { type EpochMs, type Micros, micros, type TradeDate } from '@holdfast/core/units';
import { sql } from 'kysely';
import { type RaisedAlert, readAlerts } from './alerts.js';
import { contractOf, moneyOf, moneyOrNull, timeOrNull } from './columns.js';
import { readDailyPnl } from './daily.js';
import type { Db } from './db.js';
import type { TradesTable } from './schema.js';
import { q, statement } from './statement.js';
import { readWorkerEvents, type WorkerEvent } from './worker-events.js';

/** The day in numbers, read-only. Money is micro-dollars; P&L is net of the commissions known when the trade was booked. */

const closedOn = statement((p: { close_date: TradeDate }) =>
  q
    .selectFrom('trades')
    .selectAll()
    .where('status', '=', 'CLOSED')
    .where('close_date', '=', p.close_date)
    .orderBy('exit_timestamp')
    .orderBy('trade_id'),
);
const rejectionsOn = statement((p: { trade_date: TradeDate }) =>
  q
    .selectFrom('decisions')
    .select(['code', sql<number>`count(*)`.as('times'), sql<number>`count(distinct symbol)`.as('symbols')])
    .where('verdict', '=', 'reject')
    .where('trade_date', '=', p.trade_date)
    .groupBy('code')
    .orderBy('times', 'desc')
    .orderBy('code'),
);
const newestDate = q
  .selectFrom('trades')
  .select(sql<TradeDate | null>`max(coalesce(close_date, trade_date))`.as('date'))
  .where('status', '!=', 'RELEASED')
  .limit(1);

export interface RoundTrip {
  readonly tradeId: string;
  readonly symbol: string;
  /** 1 long, -1 short. */
  readonly side: 1 | -1;
  readonly quantity: number;
  readonly entryPrice: Micros | null;
  /** Null for a position that vanished. */
  readonly exitPrice: Micros | null;
  readonly entryAt: EpochMs | null;
  readonly exitAt: EpochMs | null;
  readonly exitReason: string;
  readonly pnl: Micros | null;
  /** P&L in per cent of what the entry cost: net of commissions, as `pnl` is. `trades.profit_loss_pct` compares prices only. */
  readonly percent: number | null;
  readonly commission: Micros;
  readonly agentName: string;
  readonly origin: 'entry' | 'adopted';
}

export interface DayTotals {
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  /** Per cent of trades that earned; null without any. */
  readonly winRate: number | null;
  readonly pnl: Micros;
  readonly commission: Micros;
  readonly startEquity: Micros | null;
  /** P&L in per cent of the day's starting equity; null when that is unknown. */
  readonly percentOfEquity: number | null;
  /** Sum of the trades' own percentages: under its own name, because it says nothing across sizes. */
  readonly sumOfTradePercents: number;
}

export interface DayReview {
  readonly date: TradeDate;
  readonly roundTrips: readonly RoundTrip[];
  readonly totals: DayTotals;
  readonly rejections: readonly { readonly code: string; readonly times: number; readonly symbols: number }[];
  /** Deaths that were followed by a restart: crashes and hangs. */
  readonly restarts: { readonly exitManager: number; readonly dayTrader: number };
  readonly workerEvents: readonly WorkerEvent[];
  readonly alerts: readonly RaisedAlert[];
}

/** Everything the review of one trading date shows. An empty date gives an empty review. */
export function reviewDay(db: Db, date: TradeDate): DayReview {
  const roundTrips = readRoundTrips(db, date);
  const workerEvents = readWorkerEvents(db, date);
  return {
    date,
    roundTrips,
    totals: totalsOf(db, date, roundTrips),
    rejections: db.all(rejectionsOn, { trade_date: date }),
    restarts: { exitManager: deathsOf(workerEvents, 'exit-manager'), dayTrader: deathsOf(workerEvents, 'day-trader') },
    workerEvents,
    alerts: readAlerts(db, date),
  };
}

/** Closed trades of a date, in the order they ended. */
export const readRoundTrips = (db: Db, date: TradeDate): readonly RoundTrip[] =>
  db.all(closedOn, { close_date: date }).map(row => ({
    tradeId: row.trade_id,
    symbol: row.symbol,
    side: row.side,
    quantity: row.quantity,
    entryPrice: moneyOrNull(row.entry_price),
    exitPrice: moneyOrNull(row.exit_price),
    entryAt: timeOrNull(row.entry_timestamp),
    exitAt: timeOrNull(row.exit_timestamp),
    exitReason: row.exit_reason ?? 'unknown',
    pnl: moneyOrNull(row.pnl),
    percent: netPercent(row),
    commission: moneyOf(row.commission),
    agentName: row.agent_name,
    origin: row.origin,
  }));

function netPercent({ pnl, entry_price, quantity, contract }: TradesTable): number | null {
  const cost = entry_price === null ? 0 : entry_price * Math.abs(quantity) * contractOf(contract).multiplier;
  return pnl === null || cost === 0 ? null : (100 * pnl) / cost;
}

/** The newest date on which anything was traded; what `review` shows when no date is given. Null in a store without trades. */
export const lastTradedDate = (db: Db): TradeDate | null => db.first(newestDate)?.date ?? null;

function totalsOf(db: Db, date: TradeDate, trips: readonly RoundTrip[]): DayTotals {
  const pnl = sumOf(trips.map(trip => trip.pnl ?? micros(0)));
  const wins = trips.filter(trip => (trip.pnl ?? 0) > 0).length;
  const equities = readDailyPnl(db, date).flatMap(({ startEquity }) => (startEquity === null ? [] : [startEquity]));
  const startEquity = equities.length > 0 ? sumOf(equities) : null;
  return {
    trades: trips.length,
    wins,
    losses: trips.filter(trip => (trip.pnl ?? 0) < 0).length,
    winRate: trips.length > 0 ? (100 * wins) / trips.length : null,
    pnl,
    commission: sumOf(trips.map(trip => trip.commission)),
    startEquity,
    percentOfEquity: startEquity ? (100 * pnl) / startEquity : null,
    sumOfTradePercents: trips.reduce((sum, trip) => sum + (trip.percent ?? 0), 0),
  };
}

const sumOf = (amounts: readonly Micros[]): Micros => micros(amounts.reduce((sum: number, amount) => sum + amount, 0));

const deathsOf = (events: readonly WorkerEvent[], worker: WorkerEvent['worker']): number =>
  events.filter(({ worker: who, event }) => who === worker && (event === 'crashed' || event === 'hung')).length;
