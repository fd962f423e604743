import type { AccountDesk } from './account-desk.js';
import type { ContractDesk } from './contract-desk.js';
import type { Client } from './floor.js';
import type { HistoryDesk } from './history-desk.js';
import type { OrderDesk } from './order-desk.js';
import type { PnlDesk } from './pnl-desk.js';
import type { QuoteDesk } from './quote-desk.js';
import type { RealTimeBarDesk } from './real-time-bar-desk.js';
import type { Route, Routes } from './router.js';
import type { ScannerDesk } from './scanner-desk.js';

export interface Desks {
  readonly orders: OrderDesk;
  readonly account: AccountDesk;
  readonly pnl: PnlDesk;
  readonly contracts: ContractDesk;
  readonly quotes: QuoteDesk;
  readonly bars: RealTimeBarDesk;
  readonly history: HistoryDesk;
  readonly scanner: ScannerDesk;
}

/** Which desk answers which message id: the table of contents of what this gateway can do. */
export function routesTo(desks: Desks, currentTime: (client: Client) => void): Routes {
  const { orders, account, pnl, contracts, quotes, bars, history, scanner } = desks;
  return new Map<number, Route>([
    [1, { name: 'reqMktData', idAt: 2, run: (client, fields) => quotes.subscribe(client, fields, bars.linesOf(client)) }],
    [2, { name: 'cancelMktData', idAt: 2, run: (client, fields) => quotes.cancel(client, fields) }],
    [3, { name: 'placeOrder', idAt: 1, run: (client, fields) => orders.place(client, fields) }],
    [4, { name: 'cancelOrder', idAt: 1, run: (client, fields) => orders.cancel(client, fields) }],
    [5, { name: 'reqOpenOrders', run: client => orders.sendOwnOpenOrders(client) }],
    [6, { name: 'reqAccountUpdates', run: (client, fields) => account.accountUpdates(client, fields) }],
    [7, { name: 'reqExecutions', idAt: 2, run: (client, fields) => orders.sendExecutions(client, fields) }],
    [8, { name: 'reqIds', run: client => orders.sendNextValidId(client) }],
    [9, { name: 'reqContractDetails', idAt: 2, run: (client, fields) => contracts.details(client, fields) }],
    // The log level is the real gateway's own affair; it does not answer either.
    [14, { name: 'setServerLogLevel', run: () => undefined }],
    [15, { name: 'reqAutoOpenOrders', run: client => orders.bindManualOrders(client) }],
    [16, { name: 'reqAllOpenOrders', run: client => orders.sendAllOpenOrders(client) }],
    [17, { name: 'reqManagedAccts', run: client => account.sendAccounts(client) }],
    [20, { name: 'reqHistoricalData', idAt: 1, run: (client, fields) => history.request(client, fields) }],
    [22, { name: 'reqScannerSubscription', idAt: 1, run: (client, fields) => scanner.subscribe(client, fields) }],
    [23, { name: 'cancelScannerSubscription', idAt: 2, run: (client, fields) => scanner.cancel(client, fields) }],
    [24, { name: 'reqScannerParameters', run: client => scanner.sendParameters(client) }],
    [25, { name: 'cancelHistoricalData', idAt: 2, run: (client, fields) => history.cancel(client, fields) }],
    [49, { name: 'reqCurrentTime', run: client => currentTime(client) }],
    [50, { name: 'reqRealTimeBars', idAt: 2, run: (client, fields) => bars.subscribe(client, fields, quotes.linesOf(client)) }],
    [51, { name: 'cancelRealTimeBars', idAt: 2, run: (client, fields) => bars.cancel(client, fields) }],
    [58, { name: 'reqGlobalCancel', run: () => orders.cancelAll() }],
    [59, { name: 'reqMarketDataType', run: (client, fields) => quotes.setDataType(client, fields) }],
    [61, { name: 'reqPositions', run: client => account.positions(client) }],
    [62, { name: 'reqAccountSummary', idAt: 2, run: (client, fields) => account.summary(client, fields) }],
    [63, { name: 'cancelAccountSummary', idAt: 2, run: (client, fields) => account.cancelSummary(client, fields) }],
    [64, { name: 'cancelPositions', run: client => account.cancelPositions(client) }],
    [81, { name: 'reqMatchingSymbols', idAt: 1, run: (client, fields) => contracts.matchingSymbols(client, fields) }],
    [91, { name: 'reqMarketRule', idAt: 1, run: (client, fields) => contracts.marketRule(client, fields) }],
    [92, { name: 'reqPnL', idAt: 1, run: (client, fields) => pnl.subscribeTotal(client, fields) }],
    [93, { name: 'cancelPnL', idAt: 1, run: (client, fields) => pnl.cancelTotal(client, fields) }],
    [94, { name: 'reqPnLSingle', idAt: 1, run: (client, fields) => pnl.subscribeSingle(client, fields) }],
    [95, { name: 'cancelPnLSingle', idAt: 1, run: (client, fields) => pnl.cancelSingle(client, fields) }],
    [99, { name: 'reqCompletedOrders', run: (client, fields) => orders.sendCompletedOrders(client, fields.flag()) }],
  ]);
}
