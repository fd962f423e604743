import { atTime, sessionAt, tradeDate } from '../../calendar.js';
import type { Contract } from '../../contract.js';
import { createState, type DayTraderState, decide, isSettled } from '../../day-trader.js';
import type { DecisionRow, Effect } from '../../effects.js';
import type { BrokerBar, Event, EventBody, QuoteUpdate } from '../../events.js';
import type { BrokerOrder, Order } from '../../orders/order.js';
import type { Execution } from '../../positions/execution.js';
import type { CommandRow, PositionRow, SharedView } from '../../shared-view.js';
import { type EpochMs, epochMs, fromDollars, micros, monoMs, shares, type TradeDate, toDollars } from '../../units.js';
import { type DayTraderRules, DEFAULT_DAY_TRADER_RULES } from '../rules.js';

/** The look once a minute is left out of stories that are not about it. */
const NEVER_MS = 1e12;

/** One trading day in Monday's New York time, a broker and a store that do what the story says. */
export const DAY = tradeDate('2026-03-09');
export const clock = (text: string, date = DAY): EpochMs => atTime(date, text);
export const contractOf = (symbol: string, conId: number): Contract => ({
  conId,
  symbol,
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
});
export const ACME = contractOf('ACME', 1);

export const EMPTY_VIEW: SharedView = {
  positions: [],
  orders: [],
  executions: [],
  closedToday: [],
  baseline: [],
  commands: [],
  killSwitch: { on: false, reason: null },
  guard: { phase: 'READY', alive: true },
};

export const quote = (bid: number, ask: number, more: Partial<QuoteUpdate> = {}): QuoteUpdate => ({
  bid: fromDollars(bid),
  ask: fromDollars(ask),
  bidSize: 1_000,
  askSize: 1_000,
  last: fromDollars(ask),
  volume: 100_000,
  close: fromDollars(0),
  open: fromDollars(0),
  halted: false,
  delayed: false,
  ...more,
});

export const bar = (at: number, close: number, { high = close + 0.12, low = close - 0.12, volume = 600 } = {}): BrokerBar => ({
  at: epochMs(at),
  open: fromDollars(close),
  high: fromDollars(high),
  low: fromDollars(low),
  close: fromDollars(close),
  volume,
  wap: fromDollars(close),
});

export interface Bench {
  readonly rules?: Partial<DayTraderRules>;
  readonly view?: Partial<SharedView>;
  readonly at?: string;
  readonly date?: TradeDate;
  readonly isCancelOnly?: boolean;
  readonly lease?: number;
}

export class TraderBench {
  state: DayTraderState;
  at: EpochMs;
  mono = 1_000;
  session = 0;
  view: SharedView;
  /** What the store answers to a claim: null = claimed. */
  refusal: { readonly code: string; readonly detail: string } | null = null;
  /** What became of a claimed order's send. */
  isLost = false;
  readonly decisions: DecisionRow[] = [];
  readonly effects: Effect[] = [];
  readonly placed: Order[] = [];
  readonly previousClose: number;
  #execution = 0;

  constructor({ rules = {}, view = {}, at = '09:59:00', date = DAY, isCancelOnly = false, lease = 7 }: Bench = {}, previousClose = 50) {
    this.at = clock(at, date);
    this.view = { ...EMPTY_VIEW, ...view };
    this.previousClose = previousClose;
    this.state = createState({
      rules: { ...DEFAULT_DAY_TRADER_RULES, watchlist: ['ACME'], reconcileEveryMs: NEVER_MS, ...rules },
      account: 'DU1',
      lease,
      view: this.view,
      at: this.at,
      isCancelOnly,
    });
  }

  /** One event; the store's answer to a claim follows at once, as in the loop. */
  hear(body: EventBody): readonly Effect[] {
    const event: Event = { at: this.at, mono: monoMs(this.mono), ...body };
    const { state, effects } = decide(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    const all = [...effects];
    for (const effect of effects) {
      if (effect.do === 'write-decision') this.decisions.push(effect.decision);
      if (effect.do !== 'enter') continue;
      if (this.refusal) {
        const { symbol } = effect.order.contract;
        all.push(...this.hear({ kind: 'entry-refused', tradeId: effect.order.tradeId, symbol, ...this.refusal }));
        continue;
      }
      all.push(...this.hear({ kind: 'entry-claimed', order: effect.order }));
      this.placed.push(effect.order);
      if (!this.isLost) all.push(...this.hear({ kind: 'sent', orderRef: effect.order.orderRef }));
    }
    return all;
  }

  pass(ms: number, exchangeMs = ms): readonly Effect[] {
    this.mono += ms;
    this.at = epochMs(this.at + exchangeMs);
    return this.hear({ kind: 'tick' });
  }

  /** Exchange time passes without a word. */
  waits(ms: number): void {
    this.at = epochMs(this.at + ms);
  }

  goTo(text: string): readonly Effect[] {
    return this.pass(clock(text) - this.at);
  }

  /** Connected and, once its snapshot is asked for, answered with this. */
  connect(told: Partial<Extract<EventBody, { kind: 'snapshot' }>> = {}, nextOrderId = 1): readonly Effect[] {
    this.session += 1;
    this.hear({
      kind: 'account',
      account: 'DU1',
      values: { netLiquidation: fromDollars(100_000), buyingPower: fromDollars(400_000), ready: true },
    });
    const asked = this.hear({ kind: 'connected', nextOrderId, accounts: ['DU1'], session: this.session });
    return [...asked, ...this.answerSnapshot(told)];
  }

  answerSnapshot(told: Partial<Extract<EventBody, { kind: 'snapshot' }>> = {}): readonly Effect[] {
    const id = this.state.link.snapshot?.id ?? -1;
    return this.hear({ kind: 'snapshot', id, session: this.session, openOrders: [], executions: [], positions: [], ...told });
  }

  /** Answers every contract and history request until nothing is asked any more; conIds by position in the watchlist, from 1. */
  analyse(past: (barsFrom: EpochMs) => readonly BrokerBar[] = () => calmPast(this.at)): void {
    for (let guard = 0; guard < 1_000; guard += 1) {
      const asking = this.state.watch.find(({ request }) => request !== null);
      if (!asking?.request) return;
      const { symbol, stage, request } = asking;
      const conId = 1 + this.state.rules.watchlist.indexOf(symbol);
      if (stage === 'contract')
        this.hear({ kind: 'contract', requestId: request.id, contract: contractOf(symbol, conId), liquidHours: [] });
      else if (stage === 'daily') {
        const close = [bar(sessionAt(epochMs(this.at - 3 * 86_400_000)).open, this.previousClose), bar(clock('00:00'), 99)];
        this.hear({ kind: 'history', requestId: request.id, bars: close });
      } else this.hear({ kind: 'history', requestId: request.id, bars: past(this.at) });
    }
    throw new Error('the analysis never ends');
  }

  /** Reconciled, analysed and quoted: ready to decide at the next bar. */
  ready(past?: (from: EpochMs) => readonly BrokerBar[]): this {
    this.connect();
    this.analyse(past);
    this.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
    return this;
  }

  /** Six 5-second bars: one 30-second bar closes at their end. */
  bar30(close: number, conId = 1, shape: Parameters<typeof bar>[2] = {}): readonly Effect[] {
    const all: Effect[] = [];
    const start = Math.ceil(this.at / 30_000) * 30_000;
    for (let part = 0; part < 6; part += 1) {
      const until = epochMs(start + (part + 1) * 5_000);
      this.mono += until - this.at;
      this.at = until;
      all.push(...this.hear({ kind: 'bar', conId, bar: bar(start + part * 5_000, close, { ...shape, volume: 100 }) }));
    }
    return all;
  }

  fill(order: Order, quantity: number, price = 50.12, execId = this.#nextExecId()): readonly Effect[] {
    return this.hear({ kind: 'execution', execution: this.execution(order, quantity, price, execId) });
  }

  #nextExecId(): string {
    this.#execution += 1;
    return `e${this.#execution}.01`;
  }

  execution(order: Order, quantity: number, price = 50.12, execId = 'e0.01'): Execution {
    const { orderRef, orderId, clientId, contract, side } = order;
    const { conId, symbol } = contract;
    return {
      execId,
      at: this.at,
      conId,
      symbol,
      side,
      shares: shares(quantity),
      price: fromDollars(price),
      orderRef,
      permId: 900 + orderId,
      clientId,
      orderId,
    };
  }

  status(order: Order, status: string, filled = 0): readonly Effect[] {
    const { clientId, orderId, quantity } = order;
    return this.hear({ kind: 'order-status', clientId, orderId, permId: 900 + orderId, status, filled, remaining: quantity - filled });
  }

  storeTells(change: Partial<SharedView>): readonly Effect[] {
    this.view = { ...this.view, ...change };
    return this.hear({ kind: 'store-changed', view: this.view });
  }

  /** The newest entry placed. */
  get entry(): Order {
    const order = this.placed.at(-1);
    if (!order) throw new Error('nothing was placed');
    return order;
  }

  get isSettled(): boolean {
    return isSettled(this.state);
  }

  statusOf(order: Order): string | undefined {
    return this.state.entries.get(order.orderRef)?.order.status;
  }
}

/** 09:30 until now: closes alternate 50.00 and 50.10, so RSI is near 50, VWAP near 50.05 and ATR near 0.5 %. */
export function calmPast(until: EpochMs): readonly BrokerBar[] {
  const { open } = sessionAt(until);
  const count = Math.floor((until - open) / 30_000);
  return Array.from({ length: Math.max(0, count) }, (_, i) => bar(open + i * 30_000, i % 2 === 0 ? 50 : 50.1));
}

export const told = (order: Order, status = 'Submitted'): BrokerOrder => ({
  clientId: order.clientId,
  orderId: order.orderId,
  permId: 900 + order.orderId,
  orderRef: order.orderRef,
  conId: order.contract.conId,
  symbol: order.contract.symbol,
  side: order.side,
  quantity: order.quantity,
  type: order.type,
  limitPrice: order.limitPrice,
  stopPrice: null,
  tif: order.tif,
  ocaGroup: null,
  status,
});

/** What a step asks of the world, in one line per effect; decisions and log lines left out. */
export const tale = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap(effect => {
    switch (effect.do) {
      case 'enter': {
        const { side, quantity, contract, type, limitPrice, tif, goodTill } = effect.order;
        const until = goodTill === null ? '' : ` until ${new Date(goodTill - clock('00:00')).toISOString().slice(11, 19)}`;
        return [`enter ${side} ${quantity} ${contract.symbol} ${type} ${toDollars(limitPrice ?? micros(0))} ${tif}${until}`];
      }
      case 'cancel':
        return [`cancel ${effect.orderRef}`];
      case 'write-order':
        return [`order ${effect.order.status} ${effect.order.filled}/${effect.order.quantity}`];
      case 'write-execution':
        return [`execution ${effect.execution.shares} of ${effect.tradeId}`];
      case 'write-commission':
        return [`commission ${toDollars(effect.commission)} of ${effect.execId}`];
      case 'release-claim':
        return [`release ${effect.symbol}`];
      case 'answer-command':
        return [`answer ${effect.id} ${effect.status}`];
      case 'write-phase':
        return [`phase ${effect.phase}`];
      case 'write-alert':
        return [`alert ${effect.alert.code}`];
      case 'reconnect':
      case 'request-snapshot':
      case 'request-executions':
      case 'request-open-orders':
        return [effect.do];
      default:
        return [];
    }
  });

export const claimOf = (order: Pick<Order, 'tradeId' | 'contract' | 'createdAt'>): PositionRow => ({
  tradeId: order.tradeId,
  account: 'DU1',
  contract: order.contract,
  quantity: shares(0),
  entryPrice: null,
  entryAt: order.createdAt,
  agentName: 'day-trader',
  targetPrice: null,
  stopPrice: null,
  status: 'CLAIMED',
  updatedAt: order.createdAt,
  metadata: {
    origin: 'entry',
    base: 0,
    side: 1,
    disasterPrice: null,
    generation: 0,
    exit: null,
    failedSells: 0,
    quarantinedAt: null,
    signal: null,
  },
});

export const command = (id: number, kind: string, payload: CommandRow['payload'] = {}): CommandRow => ({
  id,
  target: 'day-trader',
  kind,
  payload,
  tradeDate: DAY,
  expiresAt: clock('16:00'),
});

/** Ready at 09:59 and one standard signal at 09:59:30: an entry is out and acknowledged, good till 10:01:00. */
export function working(b = new TraderBench()): TraderBench {
  b.ready();
  b.bar30(50.1);
  b.status(b.entry, 'Submitted');
  return b;
}
