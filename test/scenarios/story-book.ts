import type { Effect } from '@holdfast/core/effects';
import type { ExchangeEvent } from '@holdfast/sim/exchange-types';

const price = (micros: number | null | undefined): string => (micros ? ` ${(micros / 1e6).toFixed(2)}` : '');

/** What the exit manager decided in one step, a line for each thing a reader of the story wants to know. */
export function linesOfStep(effects: readonly Effect[]): string[] {
  return effects.map(asked => lineOf(asked.do === 'later' ? asked.write : asked)).filter(line => line !== null);
}

function lineOf(effect: Effect): string | null {
  switch (effect.do) {
    case 'place': {
      const { role, side, quantity, type, limitPrice, stopPrice, tif, status } = effect.order;
      const verb = status === 'INTENT' ? 'sends' : 'changes';
      return `exit-manager ${verb} ${role} ${side} ${quantity} ${type}${price(limitPrice ?? stopPrice)} ${tif}`;
    }
    case 'cancel':
      return `exit-manager cancels ${effect.orderRef}`;
    case 'close-position': {
      const { contract, exitReason, pnl } = effect.trade;
      return `exit-manager closes ${contract.symbol}: ${exitReason} ${pnl === null ? '' : (pnl / 1e6).toFixed(2)}`;
    }
    case 'write-alert':
      return `alert ${effect.alert.code} ${effect.alert.happened}`;
    case 'reconnect':
      return `exit-manager reconnects: ${effect.reason}`;
    default:
      return null;
  }
}

/** What the exchange did, where it matters to a story: fills and refusals. */
export function lineOfExchange(event: ExchangeEvent): string | null {
  if (event.kind === 'rejected') return `exchange rejects ${event.code} ${event.text}`;
  if (event.kind !== 'execution') return null;
  const { side, shares, price: paid, clientId } = event.execution;
  return `exchange fills ${side} ${shares} @ ${(paid / 1e6).toFixed(2)} (client ${clientId})`;
}
