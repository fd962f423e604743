import type { BrokerPosition } from '@holdfast/core/events';
import type { BrokerOrder } from '@holdfast/core/orders/order';
import type { Execution } from '@holdfast/core/positions/execution';
import type { AccountDesk } from './account.js';
import type { ExecutionDesk } from './executions.js';
import type { OrderDesk } from './orders.js';
import type { Session } from './session.js';

interface Parts {
  openOrders?: readonly BrokerOrder[];
  executions?: readonly Execution[];
  positions?: readonly BrokerPosition[];
}

/**
 * The whole picture for reconciling: open orders of all clients, the day's executions, positions. Orders are asked for first: an order that fills in between
 * is then seen as an execution at the latest, never missed by both. One `snapshot` event when every end marker is in; a part that
 * never ends means no event, since silence is never an answer. A newer request takes the place of an unfinished one.
 */
export function snapshotDesk(
  session: Session,
  desks: { readonly orders: OrderDesk; readonly executions: ExecutionDesk; readonly account: AccountDesk },
): (id: number, sessionNumber: number) => void {
  let newest: number | undefined;
  return (id, sessionNumber) => {
    newest = id;
    const parts: Parts = {};
    const tellIfComplete = (): void => {
      const { openOrders, executions, positions } = parts;
      if (newest !== id || !openOrders || !executions || !positions) return;
      newest = undefined;
      session.tell({ kind: 'snapshot', id, session: sessionNumber, openOrders, executions, positions });
    };
    desks.orders.askOpenOrders(openOrders => {
      parts.openOrders = openOrders;
      tellIfComplete();
    });
    desks.executions.ask(executions => {
      parts.executions = executions;
      tellIfComplete();
    });
    desks.account.askPositions(positions => {
      parts.positions = positions;
      tellIfComplete();
    });
  };
}
