import type { Contract } from '@holdfast/core/contract';
import type { BrokerPosition, EventBody } from '@holdfast/core/events';
import type { BrokerOrder, Order } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerPort, BrokerSend } from '@holdfast/core/ports';
import type { Execution } from '@holdfast/core/positions/execution';
import { micros, shares } from '@holdfast/core/units';
import type { ExchangeEvent, ExchangeExecution, ExchangeOrder, ExchangePort, Instrument, OrderRequest } from './exchange-types.js';

/**
 * The broker in the same process: what a client id hears of the simulated exchange, as core's events. It stands where `brokers/ib` stands
 * live and keeps the same rules of who hears what (reference/ibkr-behaviour.md §2): orders and executions are pushed to the client that
 * placed them, positions to all, everything else is answered. Messages wait in order until `deliver` is called, so a test may delay them.
 */
export interface SimBroker extends BrokerPort {
  /** Hands over what is waiting. Returns how many messages that were. */
  deliver(): number;
  /** The P&L stream's second: marks of the subscribed positions whose price moved. */
  second(): void;
  /** Cuts the connection; `connect` makes a new session. */
  cut(reason: string): void;
  /** While true, nothing of what is sent reaches the exchange (a hang between send and echo). */
  isDeaf: boolean;
  /** While true, sends are refused though the connection seems up: a socket that died and has not said so. */
  isDead: boolean;
  /** While true, nothing that happens is told (callbacks late). */
  isMute: boolean;
  /** A refusal of the broker's for an order that is placed, or null to let it through. */
  refuse: ((order: Order) => { readonly code: number; readonly text: string } | null) | null;
  /** What complete answers leave out, as right after a gateway start. */
  omits: 'open-orders' | 'positions' | null;
  /** Runs when an order or cancel is sent, before it reaches the exchange; false keeps it from getting there. */
  onSend: ((send: BrokerSend) => boolean) | null;
  /** What positions answers and pushes say instead of the truth. */
  distort: ((position: BrokerPosition) => BrokerPosition) | null;
  /** Says something out of turn: a correction, a repeated or late message. */
  inject(body: EventBody): void;
  readonly waiting: number;
}

export interface SimBrokerParts {
  readonly exchange: ExchangePort;
  readonly clientId: number;
  readonly onEvent: BrokerListener;
}

export function createSimBroker({ exchange, clientId, onEvent }: SimBrokerParts): SimBroker {
  let session = 0;
  let isUp = false;
  let isDeaf = false;
  let isMute = false;
  let isDead = false;
  let refuse: SimBroker['refuse'] = null;
  let distort: SimBroker['distort'] = null;
  let omits: SimBroker['omits'] = null;
  let onSend: SimBroker['onSend'] = null;
  let waiting: EventBody[] = [];
  const pnl = new Map<number, number>();
  const contracts = new Map(exchange.instruments.map(instrument => [instrument.conId, contractOf(instrument)]));
  exchange.subscribe(event => {
    if (isUp) hear(event);
  });

  const tell = (body: EventBody): void => {
    waiting.push(body);
  };

  function hear(event: ExchangeEvent): void {
    switch (event.kind) {
      case 'order':
        if (event.order.request.clientId === clientId) tellOrder(event.order);
        break;
      case 'execution':
        if (event.execution.clientId === clientId) tellExecution(event.execution);
        break;
      case 'rejected':
        if (event.clientId === clientId)
          tell({
            kind: 'order-notice',
            orderId: event.orderId,
            code: event.code,
            meaning: [104, 105].includes(event.code) ? 'modify-refused' : 'rejected',
            text: event.text,
          });
        break;
      case 'notice':
        if (event.clientId === clientId)
          tell({ kind: 'order-notice', orderId: event.orderId, code: event.code, meaning: 'advisory', text: event.text });
        break;
      case 'position':
        tell({ kind: 'position', position: positionOf(event.position) });
        break;
      case 'quote':
        break;
    }
  }

  function tellOrder(order: ExchangeOrder): void {
    tell({ kind: 'open-order', order: brokerOrder(order) });
    tell({
      kind: 'order-status',
      clientId,
      orderId: order.request.orderId,
      permId: order.permId,
      status: order.status,
      filled: order.filled,
      remaining: order.remaining,
    });
  }

  function tellExecution(told: ExchangeExecution): void {
    tell({ kind: 'execution', execution: executionOf(told) });
    tell({ kind: 'commission', execId: told.execId, commission: told.commission, realizedPnl: told.realizedPnl ?? null });
  }

  function positionOf(position: { readonly conId: number; readonly quantity: number; readonly averageCost: number }): BrokerPosition {
    const told = {
      account: exchange.accountId,
      contract: known(position.conId),
      quantity: position.quantity,
      averageCost: micros(position.averageCost),
    };
    return distort ? distort(told) : told;
  }

  function known(conId: number): Contract {
    const contract = contracts.get(conId);
    if (!contract) throw new Error(`the simulated exchange has no instrument ${conId}`);
    return contract;
  }

  function perform(send: BrokerSend): void {
    switch (send.do) {
      case 'place':
        place(send);
        break;
      case 'cancel':
        cancel(send.orderId);
        break;
      case 'request-snapshot':
        tell({
          kind: 'snapshot',
          id: send.id,
          session,
          openOrders: omits === 'open-orders' ? [] : exchange.openOrders().map(brokerOrder),
          executions: exchange.executions().map(executionOf),
          positions: omits === 'positions' ? [] : held().map(positionOf),
        });
        tellCommissions();
        break;
      case 'request-executions':
        for (const execution of exchange.executions()) tellExecution(execution);
        tell({ kind: 'executions-end', id: send.id });
        break;
      case 'request-open-orders':
        for (const order of exchange.openOrders()) tellOrder(order);
        break;
      case 'subscribe-pnl':
        pnl.set(send.conId, 0);
        break;
      case 'unsubscribe-pnl':
        pnl.delete(send.conId);
        break;
      case 'request-contract':
        answerContract(send.requestId, send.symbol);
        break;
      default:
        break;
    }
  }

  function place(send: Extract<BrokerSend, { do: 'place' }>): void {
    const refusal = refuse?.(send.order);
    if (refusal) tell({ kind: 'order-notice', orderId: send.order.orderId, code: refusal.code, meaning: 'rejected', text: refusal.text });
    else exchange.place(requestOf(send));
  }

  /** The account's own stream, as every connection gets it at once: values, and one row per holding. */
  function tellAccount(): void {
    const { account, cash, netLiquidation } = exchange.account();
    tell({ kind: 'account', account, values: { cash, netLiquidation, ready: true } });
    if (omits === 'positions') return;
    for (const { conId, quantity, mark } of held()) tell({ kind: 'portfolio-mark', contract: known(conId), quantity, price: mark });
  }

  const held = () => exchange.positions().filter(({ quantity }) => quantity !== 0);

  function tellCommissions(): void {
    for (const { execId, commission, realizedPnl } of exchange.executions())
      tell({ kind: 'commission', execId, commission, realizedPnl: realizedPnl ?? null });
  }

  function answerContract(requestId: number, symbol: string): void {
    const contract = [...contracts.values()].find(candidate => candidate.symbol === symbol);
    if (contract) tell({ kind: 'contract', requestId, contract, liquidHours: [] });
    else tell({ kind: 'contract-unknown', requestId, text: `No security definition has been found for the request (${symbol})` });
  }

  function cancel(orderId: number): void {
    const answer = exchange.cancel(clientId, orderId);
    if (answer === 'accepted') return;
    if (answer === 'unknown' || answer === 'foreign') {
      tell({
        kind: 'order-notice',
        orderId,
        code: 10147,
        meaning: 'unknown-order',
        text: `OrderId ${orderId} that needs to be cancelled is not found.`,
      });
      return;
    }
    tell({
      kind: 'order-notice',
      orderId,
      code: 10148,
      meaning: 'already-final',
      text: `OrderId ${orderId} that needs to be cancelled cannot be cancelled, state: ${answer.final}.`,
    });
  }

  function requestOf({ order }: Extract<BrokerSend, { do: 'place' }>): OrderRequest {
    return {
      clientId,
      orderId: order.orderId,
      conId: order.contract.conId,
      side: order.side,
      quantity: order.quantity,
      type: order.type,
      tif: order.tif,
      orderRef: order.orderRef,
      transmit: true,
      ...(order.limitPrice !== null && { limitPrice: order.limitPrice }),
      ...(order.stopPrice !== null && { stopPrice: order.stopPrice }),
      ...(order.goodTill !== null && { goodTill: order.goodTill }),
      ...(order.ocaGroup !== null && { ocaGroup: order.ocaGroup, ocaType: 2 as const }),
    };
  }

  return {
    connect() {
      if (isUp) return;
      session += 1;
      isUp = true;
      waiting = [];
      pnl.clear();
      const used = [...exchange.openOrders(), ...exchange.completedOrders()].filter(order => order.request.clientId === clientId);
      const nextOrderId = 1 + used.reduce((highest, order) => Math.max(highest, order.request.orderId), 0);
      tell({ kind: 'connected', nextOrderId, accounts: [exchange.accountId], session });
      tellAccount();
    },
    close() {
      isUp = false;
      waiting = [];
    },
    cut(reason) {
      if (!isUp) return;
      isUp = false;
      waiting = [];
      tell({ kind: 'disconnected', reason });
    },
    get isUp() {
      return isUp;
    },
    get isDeaf() {
      return isDeaf;
    },
    set isDeaf(value: boolean) {
      isDeaf = value;
    },
    get isDead() {
      return isDead;
    },
    set isDead(value: boolean) {
      isDead = value;
    },
    get isMute() {
      return isMute;
    },
    set isMute(value: boolean) {
      isMute = value;
    },
    get refuse() {
      return refuse;
    },
    set refuse(value) {
      refuse = value;
    },
    get distort() {
      return distort;
    },
    set distort(value) {
      distort = value;
    },
    get omits() {
      return omits;
    },
    set omits(value) {
      omits = value;
    },
    get onSend() {
      return onSend;
    },
    set onSend(value) {
      onSend = value;
    },
    inject: tell,
    get waiting() {
      return isMute ? 0 : waiting.length;
    },
    send(send) {
      if (!isUp || isDead) return false;
      if (!isDeaf && (onSend?.(send) ?? true)) perform(send);
      return true;
    },
    acknowledgeTime() {},
    deliver() {
      if (isMute) return 0;
      const batch = waiting;
      waiting = [];
      for (const body of batch) onEvent(body);
      return batch.length;
    },
    second() {
      for (const { conId, quantity, mark } of exchange.positions()) {
        const last = pnl.get(conId);
        if (last === undefined || quantity === 0 || last === mark) continue;
        pnl.set(conId, mark);
        tell({ kind: 'pnl-mark', conId, quantity, price: mark });
      }
    },
  };
}

const contractOf = (instrument: Instrument): Contract => ({
  conId: instrument.conId,
  symbol: instrument.symbol,
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: instrument.primaryExchange,
  currency: 'USD',
  tick: instrument.tick,
  multiplier: instrument.multiplier,
});

const brokerOrder = ({ request, permId, status, filled, remaining }: ExchangeOrder): BrokerOrder => ({
  clientId: request.clientId,
  orderId: request.orderId,
  permId,
  orderRef: request.orderRef ?? '',
  conId: request.conId,
  symbol: '',
  side: request.side,
  quantity: filled + remaining,
  type: request.type,
  limitPrice: request.limitPrice ?? null,
  stopPrice: request.stopPrice ?? null,
  tif: request.tif,
  ocaGroup: request.ocaGroup ?? null,
  status,
});

const executionOf = (told: ExchangeExecution): Execution => ({
  execId: told.execId,
  at: told.at,
  conId: told.conId,
  symbol: told.symbol,
  side: told.side,
  shares: shares(told.shares),
  price: told.price,
  orderRef: told.orderRef,
  permId: told.permId,
  clientId: told.clientId,
  orderId: told.orderId,
});
