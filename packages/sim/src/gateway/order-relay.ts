import type { ExchangeEvent, ExchangeExecution, ExchangeOrder } from '../exchange-types.js';
import type { Client, Floor } from './floor.js';
import { openOrderMessage } from './order-messages.js';
import { commissionMessage, executionMessage, orderStatusMessage } from './trade-messages.js';

/**
 * Passes what happened to orders on to the client that placed them, in the order a real gateway was captured to speak:
 * execDetails, then openOrder and orderStatus, then openOrder with the commission, then the commission report; 202 after Cancelled.
 * Nobody else is told (IBKR §2, "Who sees and who may touch what").
 */
export class OrderRelay {
  readonly #floor: Floor;
  /** Orders the exchange has taken but not decided: exchange time waits for them. */
  readonly #pending = new Set<number>();

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  get pendingOrders(): number {
    return this.#pending.size;
  }

  /** `events` are all that one call of the exchange caused. */
  relay(events: readonly ExchangeEvent[]): void {
    const told = new Set<ExchangeExecution>();
    const owed: ExchangeExecution[] = [];
    const tell = (execution: ExchangeExecution): void => {
      if (told.has(execution)) return;
      told.add(execution);
      owed.push(execution);
      this.#execution(execution);
    };
    for (const [index, event] of events.entries()) {
      if (event.kind === 'execution') tell(event.execution);
      else if (event.kind === 'rejected' || event.kind === 'notice') {
        this.#floor.client(event.clientId)?.error(event.orderId, event.code, event.text);
      } else if (event.kind === 'order') {
        this.#track(event.order);
        for (const later of events.slice(index + 1)) if (reports(event.order, later)) tell(later.execution);
        this.#order(event.order, wasRejected(event.order, events));
        this.#commissions(event.order, owed);
      }
    }
    for (const execution of owed) this.#floor.client(execution.clientId)?.send(commissionMessage(execution));
  }

  #track(order: ExchangeOrder): void {
    const isPending = order.status === 'PendingSubmit' || order.status === 'PendingCancel';
    if (isPending && order.request.transmit !== false) this.#pending.add(order.permId);
    else this.#pending.delete(order.permId);
  }

  #execution(execution: ExchangeExecution): void {
    const client = this.#floor.client(execution.clientId);
    if (!client) return;
    const context = { version: client.version, account: this.#floor.account, requestId: -1 };
    client.send(executionMessage(execution, this.#floor.instrument(execution.conId), context));
  }

  #order(order: ExchangeOrder, rejected: boolean): void {
    const client = this.#floor.client(order.request.clientId);
    if (!client) return;
    sendOrder(client, order, this.#floor);
    if (order.status !== 'Cancelled' || rejected) return;
    client.error(order.request.orderId, 202, `Order Canceled - reason:${order.reason ?? ''}`);
  }

  /** The commission is known only after the fill was reported: openOrder once more with it, then the report itself. */
  #commissions(order: ExchangeOrder, owed: ExchangeExecution[]): void {
    const client = this.#floor.client(order.request.clientId);
    for (
      let index = owed.findIndex(one => one.permId === order.permId);
      index >= 0;
      index = owed.findIndex(one => one.permId === order.permId)
    ) {
      const [execution] = owed.splice(index, 1);
      if (!client || !execution) continue;
      if (order.status === 'Filled') {
        const context = { version: client.version, account: this.#floor.account, commission: execution.commission };
        client.send(openOrderMessage(order, this.#floor.instrument(order.request.conId), context));
      }
      client.send(commissionMessage(execution));
    }
  }
}

/** openOrder and orderStatus, the pair every change is told with. */
export function sendOrder(client: Client, order: ExchangeOrder, floor: Floor): void {
  const instrument = floor.instrument(order.request.conId);
  client.send(openOrderMessage(order, instrument, { version: client.version, account: floor.account }));
  client.send(orderStatusMessage(order));
}

/** Whether a later event is the fill this order state already counts. */
const reports = (order: ExchangeOrder, event: ExchangeEvent): event is Extract<ExchangeEvent, { kind: 'execution' }> =>
  event.kind === 'execution' && event.execution.permId === order.permId && event.execution.cumulative <= order.filled;

/** An order the broker itself refused ends without 202. */
const wasRejected = ({ request }: ExchangeOrder, events: readonly ExchangeEvent[]): boolean =>
  events.some(event => event.kind === 'rejected' && event.clientId === request.clientId && event.orderId === request.orderId);
