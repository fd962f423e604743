import { isRegularHours, nextTradingDate, sessionAt, sessionOf } from '@holdfast/core/calendar';
import type { BrokerPosition, SessionHours } from '@holdfast/core/events';
import type { BrokerSend } from '@holdfast/core/ports';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { GatewayClient } from './broker-client.js';
import { type FaultKind, type GatewayFaults, happens, type OnFault } from './broker-faults.js';
import type { Feed } from './broker-feed.js';
import type { Holdings } from './broker-holdings.js';
import { brokerOrder, commissionOf, executionOf, positionOf, statusOf } from './broker-translate.js';
import type { Bar, ExchangeOrder, ExchangePort, ExchangePosition } from './exchange-types.js';
import { spanOf } from './gateway/history-request.js';
import type { Random } from './random.js';

/** Bars of the past, oldest first, as `MarketSource.history` gives them; never beyond `to`. */
export type HistoryOf = (conId: number, barMs: number, from: EpochMs, to: EpochMs) => readonly Bar[];

const DAY_MS = 86_400_000;

export interface AnswerParts {
  readonly exchange: ExchangePort;
  readonly feed: Feed;
  readonly random: Random;
  readonly history: HistoryOf;
  readonly onFault: OnFault;
  readonly faults: GatewayFaults;
  readonly holdings: Holdings;
  readonly now: () => MonoMs;
  /** Right after a gateway start: account values are not valid, and answers may lack a part of the truth. */
  readonly isUnsettled: () => boolean;
}

/** What the gateway answers when it is asked. Open orders and executions of all clients; positions of the account. */
export class Answers {
  constructor(private readonly parts: AnswerParts) {}

  snapshot(client: GatewayClient, id: number): void {
    const { exchange } = this.parts;
    client.streams.positions = true;
    const openOrders = client.omits === 'open-orders' ? [] : this.part(client, exchange.openOrders());
    const positions = client.omits === 'positions' ? [] : this.part(client, this.heldAsAnswered(client));
    const executions = exchange.executions();
    client.say({
      kind: 'snapshot',
      id,
      session: client.session,
      openOrders: openOrders.map(order => this.order(order)),
      executions: executions.map(executionOf),
      positions: positions.map(position => this.position(client, position)),
    });
    for (const execution of executions) client.say(commissionOf(execution));
  }

  executions(client: GatewayClient, id: number): void {
    for (const execution of this.parts.exchange.executions()) {
      client.say({ kind: 'execution', execution: executionOf(execution) });
      client.say(commissionOf(execution));
    }
    client.say({ kind: 'executions-end', id });
  }

  openOrders(client: GatewayClient): void {
    if (client.omits === 'open-orders') return;
    for (const order of this.part(client, this.parts.exchange.openOrders())) this.tellOrder(client, order);
  }

  tellOrder(client: GatewayClient, order: ExchangeOrder): void {
    client.say({ kind: 'open-order', order: this.order(order) });
    client.say(statusOf(order));
  }

  position(client: GatewayClient, position: ExchangePosition): BrokerPosition {
    const told = positionOf(this.parts.exchange.accountId, this.parts.feed.contract(position.conId), position);
    return client.distort ? client.distort(told) : told;
  }

  account(client: GatewayClient): void {
    const { account, cash, netLiquidation, buyingPower } = this.parts.exchange.account();
    const ready = !this.parts.isUnsettled();
    if (!ready) this.bit(client, 'account not ready');
    client.say({ kind: 'account', account, values: { cash, netLiquidation, buyingPower, availableFunds: buyingPower, ready } });
  }

  /** One row per holding, each with its mark. */
  portfolio(client: GatewayClient): void {
    if (client.omits === 'positions') return;
    for (const position of this.part(client, this.parts.holdings.now())) this.portfolioRow(client, position);
  }

  portfolioRow(client: GatewayClient, { conId, quantity, mark }: ExchangePosition): void {
    client.say({ kind: 'portfolio-mark', contract: this.parts.feed.contract(conId), quantity, price: mark });
  }

  contract(client: GatewayClient, { requestId, symbol }: Extract<BrokerSend, { do: 'request-contract' }>): void {
    const found = this.parts.exchange.instruments.find(candidate => candidate.symbol === symbol);
    if (!found) {
      const text = `No security definition has been found for the request (${symbol})`;
      client.say({ kind: 'contract-unknown', requestId, text });
      return;
    }
    const contract = this.parts.feed.contract(found.conId);
    client.say({ kind: 'contract', requestId, contract, liquidHours: liquidHours(this.parts.exchange.now) });
  }

  history(client: GatewayClient, send: Extract<BrokerSend, { do: 'request-history' }>): void {
    const { requestId, contract, duration, barSize, rthOnly: regularOnly } = send;
    const words = { endText: '', barSize, duration, regularOnly, show: 'TRADES', keepUpToDate: false };
    const { now } = this.parts.exchange;
    const span = spanOf(words, now);
    if (!span.ok) {
      client.say({ kind: 'history-failed', requestId, text: `${contract.symbol}: ${span.detail}` });
      return;
    }
    const { barMs, from, to } = span;
    const bars = this.parts.history(contract.conId, barMs, from, to).filter(({ at }) => at < to);
    const told = barMs >= DAY_MS ? this.withToday(contract.conId, bars) : regularOnly ? bars.filter(({ at }) => isRegularHours(at)) : bars;
    client.say({ kind: 'history', requestId, bars: told });
  }

  /** The current day's bar is the exchange's own day so far: a source knows how its day will end. */
  private withToday(conId: number, bars: readonly Bar[]): readonly Bar[] {
    const today = sessionAt(this.parts.exchange.now);
    const before = bars.filter(({ at }) => at < today.preOpen && sessionAt(at).date !== today.date);
    const { open, high, low, last, volume } = this.parts.exchange.quote(conId);
    if (open === 0) return before;
    return [...before, { at: today.preOpen, open, high, low, close: last, volume, wap: last, count: 0 }];
  }

  private order(order: ExchangeOrder) {
    return brokerOrder(order, this.parts.feed.instrument(order.request.conId).symbol);
  }

  private heldAsAnswered(client: GatewayClient): readonly ExchangePosition[] {
    const { holdings, faults, random } = this.parts;
    const { stalePositions } = faults;
    if (stalePositions === null || !happens(random, stalePositions.odds)) return holdings.now();
    const time = this.parts.now() - random.between(stalePositions.lowMs, stalePositions.highMs);
    if (holdings.hasChangedSince(time)) this.bit(client, 'stale position answer');
    return holdings.asOf(time);
  }

  /** Right after a gateway start a list is whole, half or empty (reference §7). */
  private part<T>(client: GatewayClient, list: readonly T[]): readonly T[] {
    if (!this.parts.isUnsettled() || list.length === 0) return list;
    const told = list.slice(0, [0, Math.floor(list.length / 2), list.length][this.parts.random.below(3)]);
    if (told.length < list.length) this.bit(client, 'partial answer');
    return told;
  }

  private bit({ clientId }: GatewayClient, kind: FaultKind): void {
    this.parts.onFault(kind, { clientId, orderId: null, orderRef: null });
  }
}

/** The contract's regular hours of today, where it is a trading day, and of the next one. */
function liquidHours(now: EpochMs): readonly SessionHours[] {
  const today = sessionAt(now);
  const next = sessionOf(nextTradingDate(today.date));
  return [...(today.isTradingDay ? [today] : []), next].map(({ open, close }) => ({ open, close }));
}
