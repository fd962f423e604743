import type { EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import { epochMs, fromDollars, type MonoMs, monoMs, shares, toDollars } from '@holdfast/core/units';
import type { SimBroker } from '../broker.js';
import type { FaultKind } from '../broker-faults.js';
import { createSimGateway, type SimGateway, type SimGatewayParts } from '../broker-gateway.js';
import { contractOf } from '../broker-translate.js';
import { createExchange, type ExchangeOptions } from '../exchange.js';
import type { ExchangePort, MarketUpdate } from '../exchange-types.js';
import { ACME, at, listSource, quoteOf, SESSION, tradeOf } from '../list-source.js';
import { createRandom } from '../random.js';

/** A gateway before a written market at 10:00:00 with ACME at 50.00 × 50.02, and clients that note what they hear in short lines. */
export class BrokerBench {
  readonly exchange: ExchangePort;
  readonly gateway: SimGateway;
  readonly fired: FaultKind[] = [];
  mono = 1_000_000;

  constructor(updates: readonly MarketUpdate[] = [], parts: Partial<SimGatewayParts> = {}, options: Partial<ExchangeOptions> = {}) {
    const source = listSource([quoteOf('09:45:00', 50, 50.02, 300), tradeOf('09:45:00', 50.01, 100), ...updates]);
    this.exchange = createExchange({ source, session: SESSION, ...options });
    this.exchange.advanceTo(at('10:00:00'));
    const onFault = (kind: FaultKind): void => {
      this.fired.push(kind);
    };
    this.gateway = createSimGateway({ exchange: this.exchange, random: createRandom(7), onFault, ...parts });
    this.gateway.advance(this.now);
  }

  get now(): MonoMs {
    return monoMs(this.mono);
  }

  /** A process under this client id: connected, and its start-up messages heard, unless told otherwise. */
  process(clientId: number, { connects = true }: { connects?: boolean } = {}): HeardClient {
    const heard: EventBody[] = [];
    const broker = this.gateway.client({
      clientId,
      onEvent: body => {
        if (body.kind !== 'time') heard.push(body);
      },
    });
    const client = new HeardClient(this, broker, heard);
    if (connects) {
      broker.connect();
      client.hear();
    }
    return client;
  }

  /** Both clocks pass, a tenth of a second at a time. */
  pass(ms: number, clients: readonly HeardClient[] = []): void {
    for (let passed = 0; passed < ms; passed += 100) {
      const step = Math.min(100, ms - passed);
      this.mono += step;
      this.exchange.advanceTo(epochMs(this.exchange.now + step));
      this.gateway.advance(this.now);
      for (const client of clients) client.broker.deliver(this.now);
    }
  }
}

export class HeardClient {
  constructor(
    private readonly bench: BrokerBench,
    readonly broker: SimBroker,
    private readonly heard: EventBody[],
  ) {}

  /** What has been handed over since the last time, as bodies. */
  bodies(): readonly EventBody[] {
    this.broker.deliver(this.bench.now);
    return this.heard.splice(0);
  }

  /** The same in short lines: `order 1 Submitted 0/100`, `execution 1 100 @ 50.02`. */
  hear(): readonly string[] {
    return this.bodies().map(line);
  }

  place(orderId: number, words: Partial<Order> = {}): boolean {
    const order = orderOf(orderId, words);
    return this.broker.send({ do: 'place', order, decidedAt: this.bench.now });
  }

  cancel(orderId: number): boolean {
    return this.broker.send({ do: 'cancel', orderRef: `HFX-20260309-1-${orderId}`, orderId });
  }
}

/** BUY 100 ACME LMT 49.00 DAY (it rests), changed by `words`. */
export const orderOf = (orderId: number, words: Partial<Order> = {}): Order => ({
  orderRef: `HFX-20260309-1-${orderId}`,
  worker: 'exit-manager',
  clientId: 10,
  orderId,
  permId: null,
  tradeId: 't',
  contract: contractOf(ACME),
  role: 'exit',
  side: 'BUY',
  quantity: shares(100),
  type: 'LMT',
  limitPrice: fromDollars(49),
  stopPrice: null,
  tif: 'DAY',
  goodTill: null,
  ocaGroup: null,
  status: 'INTENT',
  filled: shares(0),
  createdAt: at('10:00:00'),
  updatedAt: at('10:00:00'),
  reason: null,
  ...words,
});

/** Fills at once at the ask. */
export const AT_MARKET = { type: 'MKT', limitPrice: null } as const;

function line(body: EventBody): string {
  switch (body.kind) {
    case 'connected':
      return `connected next ${body.nextOrderId} session ${body.session}`;
    case 'connect-failed':
      return `connect-failed ${body.code}`;
    case 'connectivity':
      return `connectivity ${body.state}`;
    case 'open-order':
      return `order ${body.order.orderId} ${body.order.status}`;
    case 'order-status':
      return `status ${body.orderId} ${body.status} ${body.filled}/${body.filled + body.remaining}`;
    case 'order-notice':
      return `notice ${body.orderId} ${body.code} ${body.meaning}`;
    case 'execution':
      return `execution ${body.execution.orderId} ${body.execution.shares} @ ${toDollars(body.execution.price).toFixed(2)}`;
    case 'position':
      return `position ${body.position.contract.symbol} ${body.position.quantity}`;
    case 'pnl-mark':
      return `pnl ${body.quantity} @ ${toDollars(body.price).toFixed(2)}`;
    case 'portfolio-mark':
      return `portfolio ${body.quantity}`;
    case 'account':
      return body.values.ready === false ? 'account not ready' : 'account';
    case 'snapshot':
      return `snapshot ${body.id}: ${body.openOrders.length} orders, ${body.executions.length} executions, ${body.positions.length} positions`;
    case 'quote':
      return `quote ${toDollars(body.quote.bid).toFixed(2)} × ${toDollars(body.quote.ask).toFixed(2)}`;
    default:
      return body.kind;
  }
}
