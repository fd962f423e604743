import type { Answers } from './broker-answers.js';
import type { GatewayClient } from './broker-client.js';
import type { OnFault } from './broker-faults.js';
import type { Feed } from './broker-feed.js';
import { REJECT_KINDS } from './broker-orders.js';
import { commissionOf, executionOf } from './broker-translate.js';
import type { ExchangeEvent, ExchangeExecution, ExchangeOrder, ExchangePort } from './exchange-types.js';

export interface RelayParts {
  readonly exchange: ExchangePort;
  readonly feed: Feed;
  readonly answers: Answers;
  readonly onFault: OnFault;
  clients(): readonly GatewayClient[];
}

/** Passes what happens at the exchange to those who hear of it: orders and executions to the client that placed them, positions to all. */
export class Relay {
  constructor(private readonly parts: RelayParts) {}

  /** The gateway's line to the broker is up: told to whom it concerns. */
  hear(event: ExchangeEvent): void {
    if (event.kind === 'quote') this.parts.feed.hear(event);
    else if (event.kind === 'order') this.tellOrder(event.order);
    else if (event.kind === 'execution') this.tellExecution(event.execution);
    else if (event.kind === 'correction') this.tellCorrection(event.execution);
    else if (event.kind === 'position') this.tellPosition(event);
    else if (event.kind === 'rejected' || event.kind === 'notice') this.tellNotice(event);
  }

  /** The line is down: nobody hears of it, now or later. */
  miss(event: ExchangeEvent): void {
    if (event.kind !== 'order' && event.kind !== 'execution') return;
    const about = event.kind === 'order' ? event.order.request : event.execution;
    const { clientId, orderId, orderRef = null } = about;
    if (this.of(clientId)) this.parts.onFault('unheard in 1100', { clientId, orderId, orderRef });
  }

  private tellOrder(order: ExchangeOrder): void {
    const { clientId, orderId } = order.request;
    const client = this.of(clientId);
    if (!client) return;
    this.parts.answers.tellOrder(client, order);
    if (order.status !== 'Cancelled') return;
    const text = `Order Canceled - reason:${order.reason ?? ''}`;
    client.say({ kind: 'order-notice', orderId, code: 202, meaning: 'cancelled', text });
  }

  private tellExecution(execution: ExchangeExecution): void {
    const client = this.of(execution.clientId);
    client?.say({ kind: 'execution', execution: executionOf(execution) });
    client?.say(commissionOf(execution));
  }

  private tellCorrection(execution: ExchangeExecution): void {
    const { clientId, orderId, orderRef } = execution;
    if (!this.of(clientId)) return;
    this.parts.onFault(execution.shares === 0 ? 'bust' : 'correction', { clientId, orderId, orderRef });
    this.tellExecution(execution);
  }

  private tellPosition({ position }: Extract<ExchangeEvent, { kind: 'position' }>): void {
    for (const client of this.parts.clients()) {
      if (client.streams.positions) client.say({ kind: 'position', position: this.parts.answers.position(client, position) });
      if (client.streams.account) this.parts.answers.portfolioRow(client, position);
    }
    this.parts.feed.positionChanged(position.conId);
  }

  private tellNotice(event: Extract<ExchangeEvent, { kind: 'rejected' | 'notice' }>): void {
    const { clientId, orderId, code, text } = event;
    const client = this.of(clientId);
    if (!client) return;
    const kind = event.kind === 'rejected' ? REJECT_KINDS[code] : undefined;
    if (kind) this.parts.onFault(kind, { clientId, orderId, orderRef: null });
    const meaning = event.kind === 'notice' ? 'advisory' : this.leavesOld(event) ? 'modify-refused' : 'rejected';
    client.say({ kind: 'order-notice', orderId, code, meaning, text });
  }

  /** Whether the refused request was a change to an order that goes on as it was (`brokers/ib/notices.ts`). */
  private leavesOld({ clientId, orderId, code }: Extract<ExchangeEvent, { kind: 'rejected' }>): boolean {
    if (MODIFY_REFUSED.includes(code)) return true;
    if (code === 201) return false;
    return this.parts.exchange.openOrders().some(({ request }) => request.orderId === orderId && request.clientId === clientId);
  }

  private of(clientId: number): GatewayClient | undefined {
    return this.parts.clients().find(client => client.clientId === clientId);
  }
}

/** Refusals that leave an order under change as it was: 104 filled already, 105 another contract or side, 10326 the group of a live order. */
const MODIFY_REFUSED: readonly number[] = [104, 105, 10_326];
