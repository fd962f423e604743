import type { CancelAnswer, ExchangeExecution, ExchangeOrder } from '../exchange-types.js';
import { matchInstruments } from './contract-request.js';
import type { Client, Floor } from './floor.js';
import { machineNow } from './machine-time.js';
import { completedOrderMessage } from './order-messages.js';
import { sendOrder } from './order-relay.js';
import { checkPlaceOrder, readPlaceOrder } from './place-order-request.js';
import type { RequestFields } from './request-fields.js';
import { commissionMessage, executionMessage } from './trade-messages.js';
import { parseWireTime } from './wire-time.js';

/**
 * Orders as clients ask for and about them: an order belongs to the client that placed it, everybody may look at a snapshot of all,
 * only the owner may touch (IBKR §2).
 */
export class OrderDesk {
  readonly #floor: Floor;
  /** Per client id, over sessions: the next id of each. */
  readonly #nextIds = new Map<number, number>();
  /** After a client saw all orders, its new ids must exceed every id among them. */
  readonly #seenIds = new Map<number, number>();
  /** Milliseconds of machine time between a client's bytes and the exchange (fault: a slow line). */
  holdMs = 0;
  #held = 0;
  #lastArrival = 0;

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  /** Orders and cancels on their way to the exchange. */
  get held(): number {
    return this.#held;
  }

  nextValidId(clientId: number): number {
    return this.#nextIds.get(clientId) ?? 1;
  }

  /** Fault: the ids written just before a restart are issued again. */
  rollBackIds(count: number): void {
    for (const [clientId, next] of this.#nextIds) this.#nextIds.set(clientId, Math.max(1, next - count));
    this.#seenIds.clear();
  }

  sendNextValidId(client: Client): void {
    client.send([9, 1, this.nextValidId(client.clientId)]);
  }

  place(client: Client, fields: RequestFields): void {
    const order = readPlaceOrder(fields, client.version);
    const { orderId } = order;
    const [instrument] = matchInstruments(order.contract, this.#floor.exchange.instruments);
    if (!instrument) {
      client.error(orderId, 200, 'No security definition has been found for the request');
      return;
    }
    const checked = checkPlaceOrder(order, { clientId: client.clientId, account: this.#floor.account, conId: instrument.conId });
    if (!checked.ok) {
      client.error(orderId, checked.code, checked.detail);
      return;
    }
    this.#delayed(() => {
      const isOwn = this.#openOrder(client.clientId, orderId) !== undefined;
      if (!isOwn && orderId <= (this.#seenIds.get(client.clientId) ?? 0)) {
        client.error(orderId, 103, 'Duplicate order id');
        return;
      }
      this.#nextIds.set(client.clientId, Math.max(this.nextValidId(client.clientId), orderId + 1));
      if (order.tif === '') client.error(orderId, 10349, 'Order TIF was set to DAY based on order preset.');
      this.#floor.act(() => this.#floor.exchange.place(checked.request));
    });
  }

  cancel(client: Client, fields: RequestFields): void {
    if (client.version < 192) fields.skip(1);
    const orderId = fields.integer();
    this.#delayed(() => {
      const answer = this.#floor.act(() => this.#cancel(client.clientId, orderId));
      if (answer === 'accepted') return;
      const text = `OrderId ${orderId} that needs to be cancelled`;
      if (answer === 'unknown' || answer === 'foreign') client.error(orderId, 10147, `${text} is not found.`);
      else client.error(orderId, 10148, `${text} cannot be cancelled, state: ${answer.final}.`);
    });
  }

  cancelAll(): void {
    this.#delayed(() => this.#floor.act(() => this.#floor.exchange.globalCancel()));
  }

  /** Own working orders; client 0 also gets those placed by hand. */
  sendOwnOpenOrders(client: Client): void {
    for (const order of this.#floor.exchange.openOrders())
      if (order.request.clientId === client.clientId) sendOrder(client, order, this.#floor);
    client.send([53, 1]);
  }

  /** Client 0 hears of orders placed by hand without asking; nobody else can. */
  bindManualOrders(client: Client): void {
    if (client.clientId !== 0) client.error(-1, 327, 'Only the default client (i.e. 0) can auto bind orders.');
  }

  /** A snapshot of everybody's, with their client and order ids and no updates later. */
  sendAllOpenOrders(client: Client): void {
    const orders = this.#floor.exchange.openOrders();
    for (const order of orders) sendOrder(client, order, this.#floor);
    client.send([53, 1]);
    const foreign = orders.filter(order => order.request.clientId !== client.clientId).map(order => order.request.orderId);
    this.#seenIds.set(client.clientId, Math.max(this.#seenIds.get(client.clientId) ?? 0, ...foreign));
  }

  sendCompletedOrders(client: Client, apiOnly: boolean): void {
    const isManual = (order: ExchangeOrder): boolean => order.request.clientId === 0 && order.request.orderId <= 0;
    for (const order of this.#floor.exchange.completedOrders()) {
      if (apiOnly && isManual(order)) continue;
      const context = { version: client.version, account: this.#floor.account };
      client.send(completedOrderMessage(order, this.#floor.instrument(order.request.conId), context));
    }
    client.send([102]);
  }

  /** `3 reqId clientId acct time symbol secType exch side`; client id 0 or none means all clients. Commission reports follow the end. */
  sendExecutions(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    const wanted = {
      clientId: fields.optionalNumber() ?? 0,
      account: fields.text(),
      time: fields.text(),
      symbol: fields.text(),
      secType: fields.text(),
      exchange: fields.text(),
      side: fields.text(),
    };
    const from = wanted.time === '' ? undefined : parseWireTime(wanted.time);
    if (wanted.time !== '' && from === undefined) {
      client.error(requestId, 321, `Error validating request.-'bT' : cause - Time filter is not yyyymmdd hh:mm:ss: ${wanted.time}`);
      return;
    }
    const matches = (execution: ExchangeExecution): boolean =>
      (wanted.clientId === 0 || execution.clientId === wanted.clientId) &&
      (wanted.account === '' || wanted.account === this.#floor.account) &&
      (from === undefined || execution.at >= from) &&
      (wanted.symbol === '' || wanted.symbol.toUpperCase() === execution.symbol) &&
      (wanted.secType === '' || wanted.secType.toUpperCase() === 'STK') &&
      (wanted.exchange === '' || wanted.exchange === this.#floor.instrument(execution.conId).primaryExchange) &&
      (wanted.side === '' || wanted.side.toUpperCase().startsWith(execution.side.slice(0, 1)));
    const executions = this.#floor.exchange.executions().filter(matches);
    for (const execution of executions) {
      const context = { version: client.version, account: this.#floor.account, requestId };
      client.send(executionMessage(execution, this.#floor.instrument(execution.conId), context));
    }
    client.send([55, 1, requestId]);
    for (const execution of executions) client.send(commissionMessage(execution));
  }

  #cancel(clientId: number, orderId: number): CancelAnswer {
    const { exchange, cancelsAcrossClients } = this.#floor;
    const answer = exchange.cancel(clientId, orderId);
    if (answer !== 'foreign' || !cancelsAcrossClients) return answer;
    const foreign = exchange.openOrders().find(order => order.request.orderId === orderId);
    return foreign ? exchange.cancel(foreign.request.clientId, orderId) : answer;
  }

  #openOrder(clientId: number, orderId: number): ExchangeOrder | undefined {
    return this.#floor.exchange.openOrders().find(order => order.request.clientId === clientId && order.request.orderId === orderId);
  }

  /** Orders and cancels keep their order on the way, slow line or not. */
  #delayed(change: () => void): void {
    if (this.holdMs === 0 && this.#held === 0) {
      change();
      return;
    }
    const now = machineNow();
    this.#lastArrival = Math.max(this.#lastArrival, now + this.holdMs);
    this.#held += 1;
    setTimeout(() => {
      this.#held -= 1;
      change();
    }, this.#lastArrival - now);
  }
}
