import type { BrokerSend } from '@holdfast/core/ports';
import type { Answers } from './broker-answers.js';
import type { GatewayClient } from './broker-client.js';
import type { OnFault } from './broker-faults.js';
import type { Feed } from './broker-feed.js';
import type { OrderWindow } from './broker-orders.js';

export interface RequestParts {
  readonly feed: Feed;
  readonly answers: Answers;
  readonly orders: OrderWindow;
  readonly onFault: OnFault;
}

/** What a client sends, each to the part of the gateway that deals with it. */
export class Requests {
  constructor(private readonly parts: RequestParts) {}

  perform(client: GatewayClient, send: BrokerSend): void {
    const { streams } = client;
    switch (send.do) {
      case 'place':
        this.parts.orders.place(client, send);
        break;
      case 'cancel':
        this.parts.orders.cancel(client, send.orderId);
        break;
      case 'request-snapshot':
        this.parts.answers.snapshot(client, send.id);
        break;
      case 'request-executions':
        this.parts.answers.executions(client, send.id);
        break;
      case 'request-open-orders':
        this.parts.answers.openOrders(client);
        break;
      case 'request-contract':
        this.parts.answers.contract(client, send);
        break;
      case 'request-history':
        this.parts.answers.history(client, send);
        break;
      case 'subscribe-pnl':
        this.parts.feed.subscribePnl(client, send.conId);
        break;
      case 'subscribe-quotes':
        this.parts.feed.subscribeQuotes(client, send.contract.conId);
        break;
      case 'subscribe-bars':
        this.parts.feed.subscribeBars(client, send.contract.conId);
        break;
      case 'subscribe-scanner':
        this.parts.feed.subscribeScan(client, send.requestId, send.scan);
        break;
      case 'unsubscribe-pnl':
        streams.pnl.delete(send.conId);
        break;
      case 'unsubscribe-quotes':
        streams.quotes.delete(send.conId);
        break;
      case 'unsubscribe-bars':
        streams.bars.delete(send.conId);
        break;
      default:
        neverSent(send);
    }
  }

  /** Its line to the broker is down: the gateway takes the message, and that was it. What nobody wants any more it does forget. */
  swallow({ clientId, streams }: GatewayClient, send: BrokerSend): void {
    if (send.do === 'unsubscribe-pnl') streams.pnl.delete(send.conId);
    if (send.do === 'unsubscribe-quotes') streams.quotes.delete(send.conId);
    if (send.do === 'unsubscribe-bars') streams.bars.delete(send.conId);
    const order = send.do === 'place' ? send.order : send.do === 'cancel' ? send : null;
    this.parts.onFault('send lost in 1100', { clientId, orderId: order?.orderId ?? null, orderRef: order?.orderRef ?? null });
  }
}

/** The compiler's proof that every send has a case. */
function neverSent(send: never): never {
  throw new Error(`no case for ${JSON.stringify(send)}`);
}
