import type { ExchangeEvent, ExchangePort, OrderRequest } from '@holdfast/sim/exchange-types';

/**
 * The simulated exchange, except that it takes no resting order for some instruments (error 201, as a broker may refuse any order). In this
 * desk a target always rests, so a sale whose first bytes are the sale itself is met only where resting was refused.
 */
export function withoutResting(exchange: ExchangePort, refusedFor: ReadonlySet<number>) {
  let listeners: readonly ((event: ExchangeEvent) => void)[] = [];
  const refusals = new Map<number, number>();

  function refuse({ clientId, orderId, conId }: OrderRequest): void {
    refusals.set(conId, (refusals.get(conId) ?? 0) + 1);
    const text = 'Order rejected - reason:no resting orders in this instrument';
    for (const listener of listeners) listener({ kind: 'rejected', at: exchange.now, clientId, orderId, code: 201, text });
  }

  const port: ExchangePort = {
    get now() {
      return exchange.now;
    },
    get instruments() {
      return exchange.instruments;
    },
    get accountId() {
      return exchange.accountId;
    },
    subscribe: listener => {
      listeners = [...listeners, listener];
      const forget = exchange.subscribe(listener);
      return () => {
        listeners = listeners.filter(other => other !== listener);
        forget();
      };
    },
    advanceTo: to => exchange.advanceTo(to),
    nextEventAt: () => exchange.nextEventAt(),
    place: request => {
      if (request.type !== 'MKT' && refusedFor.has(request.conId)) refuse(request);
      else exchange.place(request);
    },
    cancel: (clientId, orderId) => exchange.cancel(clientId, orderId),
    globalCancel: () => exchange.globalCancel(),
    lose: (clientId, orderId) => exchange.lose(clientId, orderId),
    correct: (execId, words) => exchange.correct(execId, words),
    highestOrderId: clientId => exchange.highestOrderId(clientId),
    position: conId => exchange.position(conId),
    manualTrade: (conId, side, quantity) => exchange.manualTrade(conId, side, quantity),
    quote: conId => exchange.quote(conId),
    openOrders: () => exchange.openOrders(),
    completedOrders: () => exchange.completedOrders(),
    executions: () => exchange.executions(),
    positions: () => exchange.positions(),
    account: () => exchange.account(),
    isTrading: conId => exchange.isTrading(conId),
  };
  return { port, refusals: (conId: number): number => refusals.get(conId) ?? 0 };
}
