import { OrderType, TimeInForce } from '@stoqey/ib';
import { afterEach, describe, expect, test } from 'vitest';
import { openRoom, type Room } from './testing/gateway-room.js';
import { decodeErrors, type IbProbe, order, stock } from './testing/ib-probe.js';
import { ACME, quote } from './testing/scripted-market.js';

let room: Room;
afterEach(async () => {
  await room.close();
  expect(decodeErrors).toEqual([]);
});

const limit = (price: number, more: object = {}): object => ({ orderType: OrderType.LMT, lmtPrice: price, ...more });
const ORDER_EVENTS: ReadonlySet<string> = new Set(['openOrder', 'orderStatus', 'execDetails', 'commissionReport', 'error']);
/** What a client heard about orders, shortened to one word each. */
const story = (client: IbProbe, from = 0): string[] =>
  client.heard.slice(from).flatMap(({ event, args }) => {
    if (!ORDER_EVENTS.has(event)) return [];
    if (event === 'orderStatus') return [`status ${args[1]} ${args[2]}/${args[3]}`];
    if (event === 'error') return [`error ${args[1]}`];
    return [event];
  });
const status = (wanted: string) => (_id: number, is: string) => is === wanted;

describe('the life of an order', () => {
  test('a market order fills: execDetails before the status that reports it, the commission last', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, { orderRef: 'DT-1' }));
    await client.next('commissionReport');
    const heard = story(client);
    expect(heard.at(-1)).toBe('commissionReport');
    expect(heard.indexOf('execDetails')).toBeLessThan(heard.indexOf('status Filled 100/0'));
    const [requestId, contract, execution] = await client.next('execDetails');
    expect(requestId).toBe(-1);
    expect(contract).toMatchObject({ symbol: 'ACME', conId: ACME.conId });
    expect(execution).toMatchObject({ side: 'BOT', shares: 100, price: 50.01, orderId: 1, clientId: 2, orderRef: 'DT-1', cumQty: 100 });
    expect((execution as { time: string }).time).toMatch(/^20260309 09:30:0\d US\/Eastern$/);
    const [report] = await client.next('commissionReport');
    expect(report).toMatchObject({ currency: 'USD', realizedPNL: undefined });
    const last = client.all('openOrder').at(-1);
    expect(last?.[3]).toMatchObject({
      status: 'Filled',
      commission: (report as { commission: number }).commission,
      commissionCurrency: 'USD',
    });
  });

  test('a limit order fills in parts as size is offered, and its rest is cancelled: 202 after Cancelled', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 500, limit(49.99)));
    await client.next('orderStatus', status('Submitted'));
    room.soon(now => quote(now, ACME.conId, [49.97, 49.98, 1000, 200]));
    await client.next('commissionReport');
    const [, , filled, remaining, average] = await client.next('orderStatus', (_id: number, _status: string, done: number) => done === 200);
    expect([filled, remaining, average]).toEqual([200, 300, 49.98]);
    client.ib.cancelOrder(1);
    await client.error(202, 1);
    expect(story(client).slice(-2)).toEqual(['status Cancelled 200/300', 'error 202']);
  });

  test('IOC takes what is displayed; the rest is cancelled with 202', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 1500, limit(50.01, { tif: TimeInForce.IOC })));
    await client.error(202, 1);
    expect(story(client)).toContain('status Cancelled 1000/500');
  });

  test('a stop rests as PreSubmitted; openOrder carries its terms', async () => {
    room = await openRoom();
    const client = await room.connect(10);
    const terms = { orderType: OrderType.STP, auxPrice: 49.5, tif: TimeInForce.GTC, ocaGroup: 'X-1', ocaType: 2, orderRef: 'XM-1' };
    client.ib.placeOrder(1, stock('ACME'), order('SELL', 100, terms));
    const [, contract, echoed, state] = await client.next('openOrder');
    expect(contract).toMatchObject({ symbol: 'ACME', conId: ACME.conId, exchange: 'SMART', currency: 'USD' });
    expect(echoed).toMatchObject({ ...terms, action: 'SELL', totalQuantity: 100, clientId: 10, orderId: 1, account: 'DU1234567' });
    expect((echoed as { permId: number }).permId).toBeGreaterThan(0);
    expect(state).toMatchObject({ status: 'PreSubmitted' });
  });

  test('the same id again modifies; a good-till date travels both ways', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    const goodTillDate = '20260309 09:31:00 US/Eastern';
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, limit(49, { tif: TimeInForce.GTD, goodTillDate })));
    await client.next('orderStatus', status('Submitted'));
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, limit(49.5, { tif: TimeInForce.GTD, goodTillDate })));
    await client.next('openOrder', (_id: number, _contract: object, echoed: { lmtPrice: number }) => echoed.lmtPrice === 49.5);
    client.ib.reqOpenOrders();
    await client.next('openOrderEnd');
    expect(client.all('openOrder').at(-1)?.[2]).toMatchObject({ lmtPrice: 49.5, tif: 'GTD', goodTillDate });
    room.gateway.setSpeed(2_000);
    await client.error(202, 1);
  });

  test('before the open an order waits as PreSubmitted under notice 399, and works from the open on', async () => {
    room = await openRoom({ gateway: { start: '09:29:58' } });
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, limit(49)));
    expect(await client.error(399, 1)).toContain('will not be placed at the exchange until');
    expect(
      story(client)
        .filter(one => one.startsWith('status'))
        .at(-1),
    ).toBe('status PreSubmitted 0/100');
    room.gateway.setSpeed(100);
    await client.next('orderStatus', status('Submitted'));
  });

  test('orders placed by hand belong to client 0, which alone may bind them', async () => {
    room = await openRoom();
    const [manual, other] = [await room.connect(0), await room.connect(2)];
    manual.ib.reqAutoOpenOrders(true);
    other.ib.reqAutoOpenOrders(true);
    await other.next('info', (_text: string, code: number) => code === 327);
    room.gateway.manualTrade('ACME', 'BUY', 10);
    await manual.next('commissionReport');
    await other.settled();
    expect(story(other)).toEqual([]);
  });

  test('cancelling what is filled: 10148 with its state; what nobody knows: 10147', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100));
    client.ib.cancelOrder(1);
    expect(await client.error(10148, 1)).toContain('state: Filled');
    client.ib.cancelOrder(77);
    await client.error(10147, 77);
    expect(story(client).filter(one => one.startsWith('status Filled'))).not.toEqual([]);
  });
});

const REFUSED: readonly [what: string, terms: object, code: number, symbol?: string][] = [
  ['an unknown symbol', {}, 200, 'NOPE'],
  ['a price off the tick', limit(49.995), 110],
  ['an unknown order type', { orderType: OrderType.MIDPRICE }, 387],
  ['an unknown time in force', { tif: 'GTX' }, 10052],
  ['a fraction of a share', { totalQuantity: 0.5 }, 10243],
  ['no size', { totalQuantity: 0 }, 434],
  ['another account', { account: 'U7777777' }, 321],
  ['a good-till date that is none', limit(49, { tif: TimeInForce.GTD, goodTillDate: 'tomorrow' }), 391],
  ['more than the account can carry', { totalQuantity: 900_000 }, 201],
  ['an algorithm', limit(49, { algoStrategy: 'Vwap', algoParams: [{ tag: 'maxPctVol', value: '0.1' }] }), 321],
];

describe('what is refused', () => {
  test.each(REFUSED)('%s', async (_what, terms, code, symbol = 'ACME') => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock(symbol), order('BUY', 100, terms));
    await client.error(code, 1);
    expect(room.gateway.truth().openOrders).toEqual([]);
  });

  test('a missing exchange is 321, a used id 103, advisories leave the order alive', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(3, { ...stock('ACME'), exchange: '' }, order('BUY', 1));
    await client.error(321, 3);
    client.ib.placeOrder(4, stock('ACME'), order('BUY', 1, { tif: '' as TimeInForce }));
    await client.error(10349, 4);
    await client.next('orderStatus', status('Filled'));
    client.ib.placeOrder(2, stock('ACME'), order('BUY', 1));
    await client.error(103, 2);
  });
});

describe('ownership', () => {
  test('pushes go to the placing client alone; others see a snapshot with its ids, and cannot cancel', async () => {
    room = await openRoom();
    const [owner, other] = [await room.connect(2), await room.connect(10)];
    owner.ib.placeOrder(5, stock('ACME'), order('BUY', 100, limit(49, { orderRef: 'DT-5' })));
    await owner.next('orderStatus', status('Submitted'));
    await other.settled();
    expect(story(other)).toEqual([]);

    other.ib.reqOpenOrders();
    await other.next('openOrderEnd');
    expect(other.all('openOrder')).toEqual([]);
    const from = other.heard.length;
    other.ib.reqAllOpenOrders();
    await other.next('openOrderEnd', undefined, from);
    expect(other.all('openOrder')).toMatchObject([[5, { symbol: 'ACME' }, { clientId: 2, orderId: 5, orderRef: 'DT-5' }, {}]]);
    expect(other.all('orderStatus').map(args => args.slice(0, 4))).toEqual([[5, 'Submitted', 0, 100]]);

    other.ib.cancelOrder(5);
    await other.error(10147, 5);
    expect(room.gateway.truth().openOrders).toHaveLength(1);
  });

  test('on a gateway that allows it, everybody may cancel; the owner hears of it', async () => {
    room = await openRoom({ gateway: { cancelsAcrossClients: true } });
    const [owner, other] = [await room.connect(2), await room.connect(10)];
    owner.ib.placeOrder(5, stock('ACME'), order('BUY', 100, limit(49)));
    await owner.next('orderStatus', status('Submitted'));
    other.ib.cancelOrder(5);
    await owner.error(202, 5);
  });

  test('after a look at all orders new ids must exceed what was seen there', async () => {
    room = await openRoom();
    const [owner, other] = [await room.connect(2), await room.connect(10)];
    owner.ib.placeOrder(50, stock('ACME'), order('BUY', 100, limit(49)));
    await owner.next('orderStatus', status('Submitted'));
    other.ib.reqAllOpenOrders();
    await other.next('openOrderEnd');
    other.ib.placeOrder(50, stock('ACME'), order('SELL', 1));
    await other.error(103, 50);
    other.ib.placeOrder(51, stock('ACME'), order('SELL', 1));
    await other.next('orderStatus', status('Filled'));
  });

  test('a global cancel takes everybody’s orders, each owner hears of its own', async () => {
    room = await openRoom();
    const [owner, other] = [await room.connect(2), await room.connect(10)];
    owner.ib.placeOrder(1, stock('ACME'), order('BUY', 100, limit(49)));
    other.ib.placeOrder(1, stock('BOLT'), order('BUY', 100, limit(19)));
    await owner.next('orderStatus', status('Submitted'));
    await other.next('orderStatus', status('Submitted'));
    other.ib.reqGlobalCancel();
    await owner.error(202, 1);
    await other.error(202, 1);
    expect(room.gateway.truth().openOrders).toEqual([]);
  });

  test('orders survive the disconnect; the owner finds them again, fills in the gap included', async () => {
    room = await openRoom();
    const before = await room.connect(2);
    before.ib.placeOrder(1, stock('ACME'), order('BUY', 500, limit(49.99)));
    await before.next('orderStatus', status('Submitted'));
    before.close();
    await expect.poll(() => room.gateway.truth().clients).toEqual([]);
    room.soon(now => quote(now, ACME.conId, [49.97, 49.98, 1000, 200]));
    await expect.poll(() => room.gateway.truth().executions.length).toBe(1);

    const after = await room.connect(2);
    expect(after.all('nextValidId')).toEqual([[2]]);
    after.ib.reqOpenOrders();
    after.ib.reqExecutions(9, {});
    await after.next('commissionReport');
    expect(after.all('orderStatus').map(args => args.slice(0, 4))).toEqual([[1, 'Submitted', 200, 300]]);
    expect(after.all('execDetails')).toMatchObject([[9, { symbol: 'ACME' }, { shares: 200, clientId: 2, orderId: 1 }]]);
    after.ib.cancelOrder(1);
    await after.error(202, 1);
  });

  test('executions of all clients, filtered on wish; completed orders without ids', async () => {
    room = await openRoom();
    const [owner, other] = [await room.connect(2), await room.connect(10)];
    owner.ib.placeOrder(1, stock('ACME'), order('BUY', 100, { orderRef: 'DT-1' }));
    await owner.next('commissionReport');
    other.ib.placeOrder(1, stock('BOLT'), order('BUY', 50, limit(19)));
    await other.next('orderStatus', status('Submitted'));
    other.ib.cancelOrder(1);
    await other.error(202, 1);
    room.gateway.manualTrade('CORE', 'BUY', 10);

    other.ib.reqExecutions(1, {});
    await other.next('execDetailsEnd', (id: number) => id === 1);
    expect(other.all('execDetails').map(([, , execution]) => (execution as { clientId: number }).clientId)).toEqual([2, 0]);
    const from = other.heard.length;
    other.ib.reqExecutions(2, { clientId: '2', symbol: 'ACME', side: 'BUY', time: '20260309 09:30:00' });
    await other.next('execDetailsEnd', (id: number) => id === 2);
    expect(other.heard.slice(from).filter(one => one.event === 'execDetails')).toHaveLength(1);

    other.ib.reqCompletedOrders(false);
    await other.next('completedOrdersEnd');
    const completed = other
      .all('completedOrder')
      .map(([contract, done, state]) => ({ ...(contract as object), ...(done as object), ...(state as object) }));
    expect(completed).toMatchObject([
      { symbol: 'ACME', orderRef: 'DT-1', totalQuantity: 0, filledQuantity: 100, status: 'Filled', completedStatus: 'Filled Size: 100' },
      { symbol: 'BOLT', totalQuantity: 50, filledQuantity: 0, status: 'Cancelled' },
      { symbol: 'CORE', status: 'Filled' },
    ]);
    expect(completed[0]).not.toHaveProperty('orderId');
    const again = other.heard.length;
    other.ib.reqCompletedOrders(true);
    await other.next('completedOrdersEnd', undefined, again);
    expect(other.heard.slice(again).filter(one => one.event === 'completedOrder')).toHaveLength(2);
  });
});
