import { toDollars } from '@holdfast/core/units';
import { createExchange, type ExchangeOptions } from '../exchange.js';
import type { ExchangeEvent, ExchangePort, MarketUpdate, OrderRequest } from '../exchange-types.js';
import { ACME, at, listSource, quoteOf, SESSION, tradeOf } from '../list-source.js';

/** One exchange at a time, with orders sent in few words and its events told in short lines. */
export interface ExchangeStage {
  readonly exchange: ExchangePort;
  /** What was heard since the stage was set, or since a test emptied it. */
  readonly events: ExchangeEvent[];
  /** A new exchange at 10:00:00 with ACME at 50.00 × 50.02, 300 shares on each side since 09:45, unless told otherwise. */
  begin(updates?: readonly MarketUpdate[], options?: Partial<ExchangeOptions>, start?: string): void;
  /** Sends 100 ACME at the market for client 2 under the next id, changed by `words`. */
  send(words: Partial<OrderRequest>): void;
  advance(clock: string): void;
  /** The events as lines, quotes left out: `order 1 Submitted 0/100`, `execution 1 100 @ 50.02`. */
  story(): string[];
  statusOf(orderId: number, clientId?: number): string | undefined;
  held(): number;
}

export function createStage(): ExchangeStage {
  const events: ExchangeEvent[] = [];
  const make = (updates: readonly MarketUpdate[], options: Partial<ExchangeOptions>) =>
    createExchange({
      source: listSource([quoteOf('09:45:00', 50, 50.02, 300), tradeOf('09:45:00', 50.01, 100), ...updates]),
      session: SESSION,
      ...options,
    });
  let exchange = make([], {});
  let nextId = 1;
  return {
    get exchange() {
      return exchange;
    },
    events,
    begin(updates = [], options = {}, start = '10:00:00') {
      exchange = make(updates, options);
      exchange.subscribe(event => events.push(event));
      exchange.advanceTo(at(start));
      events.length = 0;
      nextId = 1;
    },
    send(words) {
      const plain = {
        clientId: 2,
        orderId: nextId,
        conId: ACME.conId,
        side: 'BUY',
        quantity: 100,
        type: 'MKT',
        tif: 'DAY',
        transmit: true,
      } as const;
      const request: OrderRequest = { ...plain, ...words };
      nextId = Math.max(nextId, request.orderId) + 1;
      exchange.place(request);
    },
    advance: clock => exchange.advanceTo(at(clock)),
    story: () => events.flatMap(line),
    statusOf: (orderId, clientId = 2) =>
      [...exchange.openOrders(), ...exchange.completedOrders()].find(
        ({ request }) => request.orderId === orderId && request.clientId === clientId,
      )?.status,
    held: () => exchange.positions().find(position => position.conId === ACME.conId)?.quantity ?? 0,
  };
}

function line(event: ExchangeEvent): string[] {
  switch (event.kind) {
    case 'order':
      return [`order ${event.order.request.orderId} ${event.order.status} ${event.order.filled}/${event.order.request.quantity}`];
    case 'execution':
      return [`execution ${event.execution.orderId} ${event.execution.shares} @ ${toDollars(event.execution.price).toFixed(2)}`];
    case 'rejected':
      return [`rejected ${event.orderId} ${event.code}`];
    case 'notice':
      return [`notice ${event.orderId} ${event.code}`];
    case 'correction':
      return [`correction ${event.execution.execId.slice(-5)} ${event.execution.shares} @ ${toDollars(event.execution.price).toFixed(2)}`];
    case 'position':
      return [`position ${event.position.quantity}`];
    case 'day-began':
      return [`day ${event.date}`];
    case 'split':
      return [`split ${event.before} to ${event.after}`];
    case 'quote':
      return [];
  }
}
