import { type Micros, micros } from '@holdfast/core/units';
import type { AccountState, ExchangePosition, Instrument, OrderSide, Split } from './exchange-types.js';

/** A holding bought before the simulated day, with what it cost per share (commissions included). */
export interface Holding {
  readonly conId: number;
  /** Signed. */
  readonly quantity: number;
  readonly averageCost: Micros;
}

export interface Booking {
  readonly conId: number;
  readonly side: OrderSide;
  readonly shares: number;
  readonly price: Micros;
  readonly commission: Micros;
}

interface Line {
  readonly instrument: Instrument;
  quantity: number;
  /** Signed money paid for what is held, commissions included: positive for long, negative (received) for short. */
  cost: number;
  realizedToday: number;
}

/** Intraday margin of a US margin account: four times what it is worth, less what is already held. */
const INTRADAY_LEVERAGE = 4;

/**
 * The broker's book of one account: cash, positions at average cost, realized P&L. It enforces nothing about directions; selling more
 * than is held opens a short, as the real one does (reference §3, short sale). Every sum is exact in micro-dollars.
 */
export class AccountBook {
  private readonly lines = new Map<number, Line>();
  private cash: number;
  /** What the holdings of the start had cost per share. */
  private readonly opened = new Map<number, Micros>();

  constructor(
    readonly accountId: string,
    startingCash: Micros,
    private readonly instruments: ReadonlyMap<number, Instrument>,
    holdings: readonly Holding[],
  ) {
    this.cash = startingCash;
    for (const holding of holdings) {
      this.opened.set(holding.conId, holding.averageCost);
      const line = this.line(holding.conId);
      line.quantity += holding.quantity;
      line.cost += holding.quantity * holding.averageCost * line.instrument.multiplier;
    }
  }

  /** Books one execution. Returns the realized P&L (commission of the closing part included), undefined when it only opens or adds. */
  book(trade: Booking): Micros | undefined {
    const line = this.line(trade.conId);
    const sign = trade.side === 'BUY' ? 1 : -1;
    const perShare = trade.price * line.instrument.multiplier;
    this.cash -= sign * trade.shares * perShare + trade.commission;

    const held = line.quantity;
    const closing = held * sign < 0 ? Math.min(trade.shares, Math.abs(held)) : 0;
    const closingCommission = closing === 0 ? 0 : share(trade.commission, closing, trade.shares);
    const removed = closing === 0 ? 0 : share(line.cost, closing, Math.abs(held));
    const opening = trade.shares - closing;

    line.quantity += sign * trade.shares;
    line.cost += sign * opening * perShare + (trade.commission - closingCommission) - removed;
    if (closing === 0) return undefined;
    const realized = -removed - (sign * closing * perShare + closingCommission);
    line.realizedToday += realized;
    return micros(realized);
  }

  /**
   * One instrument's executions turn out to have been others. Both lists are booked from nothing in a book of their own, and the difference
   * is what changes here: holding, cost, cash and, of today's, realized P&L, as if it had been so from the start.
   */
  rebook(before: readonly Booking[], after: readonly Booking[], { isOfToday }: { readonly isOfToday: boolean }): void {
    const [first] = before;
    if (!first) return;
    const line = this.line(first.conId);
    const bought = before.reduce((sum, { side, shares }) => sum + (side === 'BUY' ? shares : -shares), 0);
    const averageCost = this.opened.get(first.conId) ?? line.instrument.previousClose;
    const start = { conId: first.conId, quantity: line.quantity - bought, averageCost };
    const afresh = (bookings: readonly Booking[]) => {
      const book = new AccountBook(this.accountId, micros(0), this.instruments, [start]);
      for (const booking of bookings) if (booking.shares > 0) book.book(booking);
      return { line: book.line(first.conId), cash: book.cash };
    };
    const [was, is] = [afresh(before), afresh(after)];
    line.quantity += is.line.quantity - was.line.quantity;
    line.cost += is.line.cost - was.line.cost;
    if (isOfToday) line.realizedToday += is.line.realizedToday - was.line.realizedToday;
    this.cash += is.cash - was.cash;
  }

  /** A new day: realized P&L counts from here, what is flat is forgotten. */
  beginDay(): void {
    this.opened.clear();
    for (const [conId, line] of this.lines) {
      if (line.quantity === 0) this.lines.delete(conId);
      line.realizedToday = 0;
      if (line.quantity !== 0) this.opened.set(conId, averageOf(line));
    }
  }

  /** Every `denominator` shares become `numerator` at the same total cost. A fraction left over is paid out at `price`, the new one. */
  split({ conId, numerator, denominator }: Split, price: Micros): void {
    const line = this.lines.get(conId);
    if (!line || line.quantity === 0) return;
    const exact = line.quantity * numerator;
    const quantity = Math.trunc(exact / denominator);
    this.cash += Math.round(((exact - quantity * denominator) * price * line.instrument.multiplier) / denominator);
    line.quantity = quantity;
    if (quantity === 0) line.cost = 0;
    this.opened.set(conId, averageOf(line));
  }

  /** Instruments held now, by conId. */
  held(): readonly number[] {
    return [...this.lines].flatMap(([conId, { quantity }]) => (quantity === 0 ? [] : [conId])).sort((left, right) => left - right);
  }

  quantityOf(conId: number): number {
    return this.lines.get(conId)?.quantity ?? 0;
  }

  /** Every line that was ever held, closed ones with quantity 0 too, by conId. */
  positions(markOf: (conId: number) => Micros): readonly ExchangePosition[] {
    return [...this.lines.keys()].sort((left, right) => left - right).map(conId => this.position(conId, markOf(conId)));
  }

  position(conId: number, mark: Micros): ExchangePosition {
    const line = this.line(conId);
    return {
      conId,
      symbol: line.instrument.symbol,
      quantity: line.quantity,
      averageCost: averageOf(line),
      mark,
      realizedToday: micros(line.realizedToday),
    };
  }

  state(markOf: (conId: number) => Micros): AccountState {
    let value = 0;
    let gross = 0;
    let unrealized = 0;
    let realized = 0;
    for (const [conId, line] of this.lines) {
      const worth = line.quantity * markOf(conId) * line.instrument.multiplier;
      value += worth;
      gross += Math.abs(worth);
      unrealized += worth - line.cost;
      realized += line.realizedToday;
    }
    const netLiquidation = this.cash + value;
    return {
      account: this.accountId,
      cash: micros(this.cash),
      netLiquidation: micros(netLiquidation),
      grossPositionValue: micros(gross),
      realizedToday: micros(realized),
      unrealized: micros(unrealized),
      buyingPower: micros(Math.max(0, netLiquidation * INTRADAY_LEVERAGE - gross)),
    };
  }

  private line(conId: number): Line {
    const known = this.lines.get(conId);
    if (known) return known;
    const instrument = this.instruments.get(conId);
    if (!instrument) throw new Error(`no instrument with conId ${conId}: orders for it must be refused before they get here`);
    const fresh: Line = { instrument, quantity: 0, cost: 0, realizedToday: 0 };
    this.lines.set(conId, fresh);
    return fresh;
  }
}

const averageOf = ({ quantity, cost, instrument }: Line): Micros =>
  micros(quantity === 0 ? 0 : Math.round(cost / quantity / instrument.multiplier));

/** `amount × part / whole` to the nearest micro-dollar, without leaving safe integers; the last part takes everything. */
function share(amount: number, part: number, whole: number): number {
  if (part === whole) return amount;
  const each = Math.trunc(amount / whole);
  return each * part + Math.round(((amount - each * whole) * part) / whole);
}
