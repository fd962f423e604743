import type { SharedView } from '../shared-view.js';

/**
 * The first API order id above everything that is on record under a client id: orders of whatever date, and executions, whose orders may have been
 * lost with the store. The broker's own next id can roll back, and an id that was used before is refused (103, 104: reference/ibkr-behaviour.md §2).
 */
export function freeOrderId({ orders, executions, lastOrderId = 0 }: SharedView, clientId: number): number {
  let highest = lastOrderId;
  for (const used of [...orders, ...executions]) if (used.clientId === clientId) highest = Math.max(highest, used.orderId);
  return highest + 1;
}
