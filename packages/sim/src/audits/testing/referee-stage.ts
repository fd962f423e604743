import { CLIENT_ID } from '@holdfast/core/orders/order';
import { epochMs, fromDollars, monoMs } from '@holdfast/core/units';
import { createExchange, type ExchangeOptions } from '../../exchange.js';
import type { MarketUpdate, OrderRequest, SimulatedExchange } from '../../exchange-types.js';
import { ACME, at, listSource, OTHER, quoteOf, SESSION, tradeOf } from '../../list-source.js';
import type { JudgedWorker, SentFact, WorldFact } from '../facts.js';
import { createReferee, type Referee, type RefereeOptions } from '../referee.js';

export const TRADER: number = CLIENT_ID['day-trader'];
export const MANAGER: number = CLIENT_ID['exit-manager'];

interface StageOptions {
  readonly market?: readonly MarketUpdate[];
  readonly exchange?: Partial<ExchangeOptions>;
  readonly referee?: Partial<RefereeOptions>;
  /** Clock at which the story begins. */
  readonly from?: string;
  /** Processes are told: an exit manager (1) and a day trader (2), READY. Default true. */
  readonly processes?: boolean;
}

/** An exchange with its referees and, unless told otherwise, two healthy workers. Machine and exchange time pass together, a look every second. */
export class RefereeStage {
  readonly exchange: SimulatedExchange;
  readonly referee: Referee;
  private readonly begun: number;
  private ids = 0;

  constructor({ market = [], exchange = {}, referee = {}, from = '10:00:00', processes = true }: StageOptions = {}) {
    const quotes = [quoteOf('09:45:00', 50, 50.02, 900), { ...quoteOf('09:45:00', 100, 100.02, 900), conId: OTHER.conId }];
    this.exchange = createExchange({ source: listSource([...quotes, ...market]), session: SESSION, ...exchange });
    this.begun = this.exchange.now;
    const { instruments } = this.exchange;
    this.referee = createReferee({ instruments, baseline: exchange.holdings ?? [], session: SESSION, ...referee });
    this.exchange.subscribe(event => this.referee.observe(event, this.machine()));
    this.exchange.advanceTo(at(from));
    if (processes) {
      this.start(1, 'exit-manager');
      this.start(2, 'day-trader');
    }
  }

  machine() {
    return monoMs(this.exchange.now - this.begun);
  }
  tell(fact: WorldFact): void {
    this.referee.tell(fact, { at: this.exchange.now, machine: this.machine() });
  }
  /** On to this clock of the day, with a look every second. */
  advance(clock: string): void {
    this.advanceTo(at(clock));
  }
  advanceTo(to: number): void {
    while (this.exchange.now < to) {
      this.exchange.advanceTo(epochMs(Math.min(to, this.exchange.now + 1_000)));
      this.tell({ fact: 'everything', active: this.isEverythingAllowed });
    }
  }
  isEverythingAllowed = false;

  start(processId: number, worker: JudgedWorker): void {
    this.tell({ fact: 'process', processId, worker, state: 'started' });
    this.tell({ fact: 'link', processId, clientId: CLIENT_ID[worker], up: true });
    this.tell({ fact: 'phase', processId, phase: 'READY' });
  }
  end(processId: number, worker: JudgedWorker): void {
    this.tell({ fact: 'process', processId, worker, state: 'ended' });
  }
  sent(words: Partial<SentFact> & Pick<SentFact, 'processId' | 'orderRef'>): void {
    this.tell({ fact: 'sent', clientId: MANAGER, leaseId: null, what: 'place', conId: ACME.conId, ...words });
  }

  /** Places 100 ACME at the market under the next id, changed by `words`; returns the order's ref. */
  send(clientId: number, words: Partial<OrderRequest> = {}): string {
    this.ids += 1;
    const letter = clientId === TRADER ? 'D' : 'X';
    const orderRef = clientId === 0 ? '' : `HF${letter}-20260309-1-${this.ids}`;
    const plain = { conId: ACME.conId, side: 'BUY', quantity: 100, type: 'MKT', tif: 'DAY', transmit: true, orderRef } as const;
    const request: OrderRequest = { ...plain, clientId, orderId: this.ids, ...words };
    this.exchange.place(request);
    return request.orderRef ?? '';
  }
  buy(quantity = 100, words: Partial<OrderRequest> = {}): string {
    return this.send(TRADER, { quantity, ...words });
  }
  sell(quantity = 100, words: Partial<OrderRequest> = {}): string {
    return this.send(MANAGER, { side: 'SELL', quantity, ...words });
  }
  stop(dollars: number, quantity = 100, words: Partial<OrderRequest> = {}): string {
    return this.sell(quantity, { type: 'STP', stopPrice: fromDollars(dollars), ...words });
  }
  byHand(side: 'BUY' | 'SELL', quantity = 100, conId = ACME.conId): void {
    this.exchange.manualTrade(conId, side, quantity);
  }
  cancelAll(): void {
    for (const { request } of this.exchange.openOrders()) this.exchange.cancel(request.clientId, request.orderId);
  }

  broken(): string[] {
    return this.referee.report().map(({ invariant }) => invariant);
  }
  words(): string[] {
    return this.referee.report().map(({ invariant, symbol, detail }) => `${invariant} ${symbol}: ${detail}`);
  }
}

/** ACME at this bid (a cent or two below its ask) with a print at it, every second for so many seconds. */
export const priced = (from: string, seconds: number, bid: number): MarketUpdate[] =>
  Array.from({ length: seconds }, (_, i) => {
    const { trade } = tradeOf(from, bid, 10);
    const quote = quoteOf(from, bid, bid + 0.02, 900);
    return { ...quote, at: epochMs(quote.at + i * 1_000), ...(trade ? { trade } : {}) };
  });

export const halt = (clock: string, halted = true): MarketUpdate => ({ at: at(clock), conId: ACME.conId, halted });
