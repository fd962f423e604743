import type { BrokerOrder, Order } from '@holdfast/core/orders/order';
import type { Contract as IbContract, Order as IbOrder, OrderState } from '@stoqey/ib';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import { isKnownOnOrders, orderMeaning } from './notices.js';
import type { Session } from './session.js';
import { brokerOrder, contractForWire, orderForWire } from './translate.js';
import { UnnumberedAsk } from './unnumbered-ask.js';

export interface OrderDesk {
  /** Places the order, or changes the one that works under its id. Ahead of everything that waits. */
  place(order: Order): void;
  cancel(orderId: number): void;
  /** Asks for the working orders of all clients and reports them when the list is complete. */
  askOpenOrders(answered: (orders: readonly BrokerOrder[]) => void): void;
  /** Asks for them without waiting for the end of the list. */
  refreshOpenOrders(): void;
  /** A message on an order's id. */
  notice(orderId: number, code: number, text: string): void;
}

/** Words after which an order can't fill any more, as far as its status says. */
const DONE: readonly string[] = ['Filled', 'Cancelled', 'ApiCancelled'];

/** An order's key while it has no permanent id: until the broker acknowledges it that is 0 for every order. */
const keyOf = (order: Pick<BrokerOrder, 'clientId' | 'orderId' | 'permId'>): string =>
  order.permId > 0 ? `perm ${order.permId}` : `${order.clientId}/${order.orderId}`;

export function orderDesk(session: Session): OrderDesk {
  const { api, pacer, options } = session;
  /** Our own orders that the broker has shown to be alive on this connection. */
  const live = new Set<number>();
  /** Whether the last order sent under an id was a change to a live one: a refusal that follows leaves that one alone. */
  const isChange = new Map<number, boolean>();
  let collected: Map<string, BrokerOrder> | undefined;
  const ask = new UnnumberedAsk(() => pacer.ordinary(() => api.reqAllOpenOrders()), session.deps.mono);

  const note = (order: Pick<BrokerOrder, 'clientId' | 'orderId' | 'status'>): void => {
    if (order.clientId !== options.clientId) return;
    if (DONE.includes(order.status)) live.delete(order.orderId);
    else live.add(order.orderId);
  };

  api.on(
    EventName.openOrder,
    session.listen('open order', (orderId: number, contract: IbContract, told: IbOrder, state: OrderState) => {
      if (told.account && session.account && told.account !== session.account) return;
      if (told.whatIf) return;
      const order = brokerOrder({ orderId, contract, order: told, state });
      note(order);
      collected?.set(keyOf(order), order);
      session.tell({ kind: 'open-order', order });
    }),
  );
  api.on(
    EventName.orderStatus,
    session.listen('order status', (orderId: number, word: string, filled: number, remaining: number, ...rest: unknown[]) => {
      const [permId, clientId] = [rest[1], rest[4]].map(value => (typeof value === 'number' ? value : 0));
      const status = {
        clientId: clientId ?? 0,
        orderId,
        permId: permId ?? 0,
        status: word,
        filled: filled ?? 0,
        remaining: remaining ?? 0,
      };
      note(status);
      const listed = collected?.get(keyOf(status));
      if (listed) collected?.set(keyOf(status), { ...listed, status: word });
      session.tell({ kind: 'order-status', ...status });
    }),
  );
  api.on(
    EventName.openOrderEnd,
    session.listen('open orders end', () => ask.ended()),
  );

  return {
    place: order => {
      const contract = contractForWire(order.contract);
      const terms = orderForWire(order, session.account);
      isChange.set(order.orderId, live.has(order.orderId));
      pacer.urgent(() => api.placeOrder(order.orderId, contract, terms));
    },
    cancel: orderId => pacer.urgent(() => api.cancelOrder(orderId)),
    askOpenOrders: answered =>
      ask.ask(
        () => {
          collected = new Map();
        },
        () => {
          const orders = [...(collected?.values() ?? [])].filter(order => !DONE.includes(order.status));
          collected = undefined;
          answered(orders);
        },
      ),
    refreshOpenOrders: () => ask.refresh(),
    notice: (orderId, code, text) => {
      if (!isKnownOnOrders(code)) {
        session.tell({
          kind: 'notice',
          code,
          text: `order ${orderId}: ${text} (code not in the table: taken as advice)`,
          severity: 'warning',
        });
      }
      session.tell({
        kind: 'order-notice',
        orderId,
        code,
        meaning: orderMeaning(code, { live: isChange.get(orderId) ?? live.has(orderId), text }),
        text,
      });
    },
  };
}
