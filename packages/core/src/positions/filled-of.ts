import type { SharedView } from '../shared-view.js';
import { bookOf, executionsOf } from './book.js';

/** Shares of one order that executions on record sum to, corrections counted once. A row's own figure may be older than a crash. */
export const filledOf = (orderRef: string, view: Pick<SharedView, 'executions'>): number =>
  executionsOf(bookOf(view.executions.filter(execution => execution.orderRef === orderRef))).reduce((sum, { shares }) => sum + shares, 0);
