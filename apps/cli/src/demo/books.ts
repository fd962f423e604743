import { tradeDateOf } from '@holdfast/core/calendar';
import { type Micros, micros } from '@holdfast/core/units';
import { type BooksView, compareWithStore } from '@holdfast/sim/audits/store-agrees';
import type { Violation } from '@holdfast/sim/audits/violation';
import type { ExchangePort } from '@holdfast/sim/exchange-types';
import { readDailyPnl } from '@holdfast/store/daily';
import type { Db } from '@holdfast/store/db';
import { readExecutions } from '@holdfast/store/executions';
import { readPositions } from '@holdfast/store/positions';

/** I6 for a demo day: the exchange's truth and the store's word in one form. Both P&L are of what is closed, net of commissions. */

export interface Holding {
  readonly conId: number;
  readonly quantity: number;
}

/** What is in care at the exchange: everything but the baseline. */
export const inCare = (exchange: ExchangePort, baseline: Holding) =>
  exchange.positions().filter(({ conId, quantity }) => conId !== baseline.conId && quantity !== 0);

function truthOf(exchange: ExchangePort, baseline: Holding): BooksView {
  const multipliers = new Map(exchange.instruments.map(({ conId, multiplier }) => [conId, multiplier]));
  const open = new Set(inCare(exchange, baseline).map(({ conId }) => conId));
  const executions = exchange.executions().filter(({ conId }) => conId !== baseline.conId);
  let realized = 0;
  for (const { conId, side, shares, price, commission } of executions) {
    if (open.has(conId)) continue;
    realized += (side === 'SELL' ? 1 : -1) * shares * price * (multipliers.get(conId) ?? 1) - commission;
  }
  return { positions: inCare(exchange, baseline), executions, realizedPnl: micros(realized) };
}

function storeView(db: Db, exchange: ExchangePort): BooksView {
  const date = tradeDateOf(exchange.now);
  return {
    positions: readPositions(db)
      .filter(({ quantity }) => quantity !== 0)
      .map(({ contract, quantity }) => ({ symbol: contract.symbol, quantity })),
    executions: readExecutions(db, date),
    realizedPnl: micros(readDailyPnl(db, date).reduce((sum: number, day: { realizedPnl: Micros }) => sum + day.realizedPnl, 0)),
  };
}

export const compareBooks = (db: Db, exchange: ExchangePort, baseline: Holding): readonly Violation[] =>
  compareWithStore(truthOf(exchange, baseline), storeView(db, exchange), { at: exchange.now });
