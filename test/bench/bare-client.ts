import { Socket } from 'node:net';
import { type Contract, EventName, IBApi, type Order, OrderAction, OrderType, SecType, TimeInForce } from '@stoqey/ib';

/**
 * The yardstick of the wire-to-wire bench: a bare `@stoqey/ib` script in a process of its own. It hears the position's P&L, and at the second
 * price in a row at or below the stop it cancels what rests, or sells where nothing rests: no rules, no store, no log. It gets every advantage
 * we know of: the library's limiter out of reach, no Nagle delay, nothing else to do.
 *
 *     node bare-client.ts <port> <stop> <conIds with a resting order> <conIds without>
 */
const BARE_CLIENT_ID = 77;
const FIRST_REQUEST_ID = 900_000;

const [port = 0, stop = 0] = process.argv.slice(2, 4).map(Number);
const conIdsOf = (list: string | undefined): number[] => (list ?? '').split(',').filter(Boolean).map(Number);
const [resting, naked] = [conIdsOf(process.argv[4]), conIdsOf(process.argv[5])];

interface Watched {
  readonly contract: Contract;
  /** Its resting order, when one works. */
  orderId: number | null;
  breaches: number;
}

const api = new IBApi({ host: '127.0.0.1', port, clientId: BARE_CLIENT_ID, maxReqPerSec: 1_000_000_000 });
const watched = new Map<number, Watched>();
const byOrder = new Map<number, Watched>();
const rests = new Set(resting);
let account = '';
let nextOrderId = 0;

const orderOf = (terms: Order): Order => ({
  action: OrderAction.SELL,
  totalQuantity: 1,
  account,
  outsideRth: false,
  transmit: true,
  ...terms,
});

function sell({ contract }: Watched): void {
  api.placeOrder(nextOrderId++, contract, orderOf({ orderType: OrderType.MKT, tif: TimeInForce.IOC }));
}

function rest(one: Watched): void {
  one.orderId = nextOrderId++;
  byOrder.set(one.orderId, one);
  api.placeOrder(one.orderId, one.contract, orderOf({ orderType: OrderType.LMT, lmtPrice: 60, tif: TimeInForce.DAY }));
}

function start(): void {
  for (const [index, conId] of [...resting, ...naked].entries()) {
    const contract: Contract = { conId, secType: SecType.STK, exchange: 'SMART', currency: 'USD' };
    watched.set(FIRST_REQUEST_ID + index, { contract, orderId: null, breaches: 0 });
    api.reqPnLSingle(FIRST_REQUEST_ID + index, account, '', conId);
  }
}

api.on(EventName.managedAccounts, (list: string) => {
  account = list.split(',')[0] ?? '';
  if (nextOrderId > 0) start();
});
api.on(EventName.nextValidId, (orderId: number) => {
  nextOrderId = orderId;
  if (account !== '') start();
});
api.on(EventName.pnlSingle, (requestId: number, quantity: number, _daily, _unrealized, _realized, value: number) => {
  const one = watched.get(requestId);
  if (!one) return;
  if (value / quantity > stop) {
    one.breaches = 0;
    if (one.orderId === null && rests.has(one.contract.conId ?? 0)) rest(one);
    return;
  }
  one.breaches += 1;
  if (one.breaches !== 2) return;
  if (one.orderId === null) sell(one);
  else api.cancelOrder(one.orderId);
});
api.on(EventName.orderStatus, (orderId: number, status: string) => {
  const one = byOrder.get(orderId);
  if (!one || status !== 'Cancelled') return;
  byOrder.delete(orderId);
  one.orderId = null;
  sell(one);
});
api.on(EventName.error, (error: Error, code: number) => {
  // 202 tells of the cancels asked for; anything else spoils the measurement and is told to the bench.
  if (code !== 202) process.stderr.write(`bare client: ${code} ${error.message}\n`);
});
api.on(EventName.disconnected, () => process.exit(0));
api.connect();
noDelay(api);

/** The library keeps its socket private, and Nagle's algorithm on. */
function noDelay(holder: object): void {
  let inside: unknown = holder;
  for (const key of ['controller', 'socket', 'client']) inside = typeof inside === 'object' && inside ? Reflect.get(inside, key) : null;
  if (inside instanceof Socket) inside.setNoDelay(true);
}
