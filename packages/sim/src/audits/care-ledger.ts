import { type EpochMs, epochMs } from '@holdfast/core/units';
import type { ExchangeExecution } from '../exchange-types.js';
import { EXIT_CLIENTS, OPERATOR } from './violation.js';

/** What the executions say about one instrument outside the baseline. */
export interface CareLine {
  /** Shares held, signed: everything bought and sold today by anyone. */
  held: number;
  /** Average price of the buys of the present holding, micro-dollars. */
  entryPrice: number;
  boughtByTrader: number;
  boughtByOperator: number;
  soldByExits: number;
  operatorTradedAt: EpochMs;
  /** It was held today and is flat now. */
  closedToday: boolean;
}

/**
 * The referees' own book of what is in care: sums over executions and nothing else. A symbol of the baseline is never in care, whatever
 * the operator trades in it.
 */
export class CareLedger {
  private readonly lines = new Map<number, CareLine>();

  line(conId: number): CareLine {
    const known = this.lines.get(conId);
    if (known) return known;
    const fresh: CareLine = {
      held: 0,
      entryPrice: 0,
      boughtByTrader: 0,
      boughtByOperator: 0,
      soldByExits: 0,
      operatorTradedAt: epochMs(Number.NEGATIVE_INFINITY),
      closedToday: false,
    };
    this.lines.set(conId, fresh);
    return fresh;
  }

  /** The line without making one: most quotes are of symbols nobody ever traded. */
  known(conId: number): CareLine | undefined {
    return this.lines.get(conId);
  }

  conIds(): readonly number[] {
    return [...this.lines.keys()];
  }

  /** Books an execution and returns the line as it is then. Exits that buy back (an overshoot) count against what exits sold. */
  book(execution: ExchangeExecution): CareLine {
    const line = this.line(execution.conId);
    const { side, shares, price, clientId } = execution;
    const signed = side === 'BUY' ? shares : -shares;
    if (clientId === OPERATOR) line.operatorTradedAt = execution.at;
    if (EXIT_CLIENTS.includes(clientId)) line.soldByExits -= signed;
    else if (side === 'BUY' && clientId === OPERATOR) line.boughtByOperator += shares;
    else if (side === 'BUY') line.boughtByTrader += shares;
    if (side === 'BUY' && line.held >= 0) line.entryPrice = (line.entryPrice * line.held + price * shares) / (line.held + shares);
    const before = line.held;
    line.held += signed;
    if (line.held === 0) {
      line.entryPrice = 0;
      line.closedToday = before > 0 || line.closedToday;
    } else if (line.held > 0) line.closedToday = false;
    return line;
  }
}
