import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import type { ExchangeEvent } from '../exchange-types.js';

/** What of an effect belongs in a story; null for bookkeeping. */
export function wordsOf(effect: Effect): string | null {
  switch (effect.do) {
    case 'place': {
      const { side, quantity, contract, type, limitPrice, stopPrice, tif, orderRef, role } = effect.order;
      const price = limitPrice ?? stopPrice;
      return `${role} ${side} ${quantity} ${contract.symbol} ${type}${price === null ? '' : ` ${price / 1e6}`} ${tif} (${orderRef})`;
    }
    case 'enter': {
      const { quantity, contract, limitPrice, tif, orderRef } = effect.order;
      return `enters BUY ${quantity} ${contract.symbol} LMT ${(limitPrice ?? 0) / 1e6} ${tif} (${orderRef})`;
    }
    case 'cancel':
      return `cancels ${effect.orderRef}`;
    case 'reconnect':
      return `reconnects: ${effect.reason}`;
    case 'write-phase':
      return `is ${effect.phase} (${effect.detail})`;
    case 'close-position':
      return `closes ${effect.trade.contract.symbol}: ${effect.trade.exitReason}`;
    case 'release-claim':
      return `gives the claim of ${effect.symbol} back: ${effect.reason}`;
    case 'later':
      return wordsOf(effect.write);
    case 'write-alert':
      return `${effect.alert.level} ${effect.alert.code}: ${effect.alert.happened}`;
    default:
      return null;
  }
}

/** What of the exchange's events belongs in a story; null for prices and the like. */
export function exchangeWords(event: ExchangeEvent): string | null {
  switch (event.kind) {
    case 'execution': {
      const { side, shares, symbol, price, orderRef, clientId, execId } = event.execution;
      return `fills ${side} ${shares} ${symbol} @ ${price / 1e6} (${orderRef || `client ${clientId}`}) ${execId}`;
    }
    case 'order': {
      const { request, status, filled, remaining, reason } = event.order;
      const about = `${request.side} ${request.type} ${filled}/${filled + remaining} of ${request.conId}`;
      return `${status} ${about} (${request.orderRef || `client ${request.clientId}`})${reason ? `: ${reason}` : ''}`;
    }
    case 'rejected':
      return `rejects ${event.clientId}/${event.orderId}: ${event.code} ${event.text}`;
    case 'correction': {
      const { shares, symbol, price, execId } = event.execution;
      return `corrects ${event.replaced.execId} of ${symbol} to ${shares} @ ${price / 1e6} (${execId})`;
    }
    case 'split':
      return `splits ${event.split.conId} ${event.split.numerator}:${event.split.denominator}, ${event.before} become ${event.after}`;
    default:
      return null;
  }
}

const EVENT_LENGTH_MAX = 300;

/** One event as a worker took it. */
export function wordsOfEvent(event: Event): string {
  const { at: _at, mono, kind, ...body } = event;
  const text = kind === 'store-changed' ? '' : JSON.stringify(body);
  return `${kind} at ${mono} ${text.length > EVENT_LENGTH_MAX ? `${text.slice(0, EVENT_LENGTH_MAX)}…` : text}`;
}
