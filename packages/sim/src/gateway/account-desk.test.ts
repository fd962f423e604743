import { fromDollars } from '@holdfast/core/units';
import { afterEach, describe, expect, test } from 'vitest';
import { openRoom, type Room } from './testing/gateway-room.js';
import { decodeErrors, type IbProbe, order, stock } from './testing/ib-probe.js';
import { ACME, at, print, quote } from './testing/scripted-market.js';

let room: Room;
afterEach(async () => {
  await room.close();
  expect(decodeErrors).toEqual([]);
});

const holdings = [{ conId: ACME.conId, quantity: 40, averageCost: fromDollars(45) }];
const accountValue = (client: IbProbe, key: string): unknown => client.all('updateAccountValue').findLast(([name]) => name === key)?.[1];

describe('account updates', () => {
  test('all values and portfolio rows, then the end', async () => {
    room = await openRoom({ holdings });
    const client = await room.connect(2);
    client.ib.reqAccountUpdates(true, 'DU1234567');
    await client.next('accountDownloadEnd');
    expect(accountValue(client, 'NetLiquidation')).toBe('102000.00');
    expect(accountValue(client, 'AccountReady')).toBe('true');
    const [contract, position, price, value, cost, unrealized] = client.all('updatePortfolio')[0] ?? [];
    expect(contract).toMatchObject({ conId: ACME.conId, symbol: 'ACME', secType: 'STK', currency: 'USD' });
    expect([position, price, value, cost, unrealized]).toEqual([40, 50, 2000, 45, 200]);
  });

  test('a fill is told at once, with the changed rows only; the rest every three minutes of exchange time', async () => {
    room = await openRoom({ holdings });
    const client = await room.connect(2);
    client.ib.reqAccountUpdates(true, 'DU1234567');
    await client.next('accountDownloadEnd');
    const before = client.heard.length;
    room.gateway.manualTrade('BOLT', 'BUY', 10);
    await client.next('updatePortfolio', (contract: { symbol: string }) => contract.symbol === 'BOLT', before);
    await client.settled();
    const rows = client.heard.slice(before).filter(one => one.event === 'updatePortfolio');
    expect(rows).toHaveLength(1);

    const later = client.heard.length;
    room.gateway.setSpeed(2_000);
    await client.next('updatePortfolio', (contract: { symbol: string }) => contract.symbol === 'ACME', later);
    expect(room.gateway.exchange.now).toBeGreaterThanOrEqual(at('09:33:00'));
  });

  test('a foreign account is refused', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqAccountUpdates(true, 'U7777777');
    await client.next('info', (_text: string, code: number) => code === 321);
    expect(client.all('accountDownloadEnd')).toEqual([]);
  });
});

describe('account summary', () => {
  test('the tags asked for, the end once, and at most two at a time', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.reqAccountSummary(1, 'All', 'NetLiquidation,BuyingPower');
    await client.next('accountSummaryEnd');
    expect(client.all('accountSummary').map(([, , tag]) => tag)).toEqual(['NetLiquidation', 'BuyingPower']);
    client.ib.reqAccountSummary(2, 'All', '$LEDGER');
    client.ib.reqAccountSummary(3, 'All', 'NetLiquidation');
    await client.error(322, 3);
    client.ib.cancelAccountSummary(1);
    client.ib.reqAccountSummary(4, 'All', 'NetLiquidation');
    await client.next('accountSummaryEnd', (id: number) => id === 4);
  });
});

describe('positions', () => {
  test('a snapshot with its end, then every change, to all subscribers whoever traded', async () => {
    room = await openRoom({ holdings });
    const [first, second] = [await room.connect(2), await room.connect(10)];
    for (const client of [first, second]) {
      client.ib.reqPositions();
      await client.next('positionEnd');
    }
    expect(first.all('position')).toMatchObject([['DU1234567', { conId: ACME.conId, symbol: 'ACME' }, 40, 45]]);
    room.gateway.manualTrade('BOLT', 'SELL', 5);
    for (const client of [first, second])
      await client.next('position', (_account: string, _contract: object, shares: number) => shares === -5);
    first.ib.cancelPositions();
    await first.settled();
    const heard = first.heard.length;
    room.gateway.manualTrade('BOLT', 'SELL', 5);
    await second.next('position', (_account: string, _contract: object, shares: number) => shares === -10);
    await first.settled();
    expect(first.heard.slice(heard).map(one => one.event)).toEqual(['currentTime']);
  });
});

describe('profit and loss', () => {
  test('one position: at once, then once per exchange second while the value changes, then silence', async () => {
    const script = [
      quote(at('09:30:01'), ACME.conId, [49.99, 50.01]),
      print(at('09:30:01'), ACME.conId, 50),
      ...[4, 5, 6].map(second => quote(at(`09:30:0${second}`), ACME.conId, [50 + second / 10, 50 + second / 10])),
    ];
    room = await openRoom({ holdings, script });
    const client = await room.connect(10);
    client.ib.reqPnLSingle(7, 'DU1234567', '', ACME.conId);
    await client.next('pnlSingle');
    room.gateway.setSpeed(20);
    await client.next(
      'pnlSingle',
      (_id: number, _pos: number, _daily: number, _unrealized: number, _realized: number, value: number) => value === 40 * 50.6,
    );
    await client.next('currentTime', (second: number) => second * 1000 > at('09:30:15'));
    const values = client
      .all('pnlSingle')
      .map(([id, position, , unrealized, realized, value]) => [id, position, unrealized, realized, value]);
    expect(values).toEqual([
      [7, 40, 200, undefined, 2000],
      [7, 40, 216, undefined, 2016],
      [7, 40, 220, undefined, 2020],
      [7, 40, 224, undefined, 2024],
    ]);
  });

  test('daily P&L counts a holding from the previous close and a day trade from its price, commissions included', async () => {
    room = await openRoom({ holdings });
    const client = await room.connect(10);
    room.gateway.manualTrade('BOLT', 'BUY', 10);
    room.gateway.manualTrade('BOLT', 'SELL', 10);
    client.ib.reqPnLSingle(1, 'DU1234567', '', ACME.conId);
    client.ib.reqPnLSingle(2, 'DU1234567', '', 102);
    client.ib.reqPnL(3, 'DU1234567', '');
    const [, , acme] = await client.next('pnlSingle', (id: number) => id === 1);
    const [, shares, bolt, , realized, value] = await client.next('pnlSingle', (id: number) => id === 2);
    const [, total] = await client.next('pnl');
    const { realizedToday } = room.gateway.truth().account;
    expect(acme).toBe(0); // marked at the previous close
    expect(bolt).toBeCloseTo(realizedToday / 1e6, 6);
    expect([shares, realized, value]).toEqual([0, bolt, 0]);
    expect(total).toBeCloseTo(Number(bolt), 6);
    client.ib.cancelPnLSingle(1);
    client.ib.cancelPnL(3);
    client.ib.cancelPnLSingle(99);
    await client.error(300, 99);
  });
});

describe('small requests', () => {
  test('ids, time, accounts and log level', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.setServerLogLevel(5);
    client.ib.reqManagedAccts();
    client.ib.placeOrder(4, stock('ACME'), order('BUY', 1));
    client.ib.reqIds();
    await client.next('nextValidId', (id: number) => id === 5);
    client.ib.reqCurrentTime();
    const [second] = await client.next('currentTime');
    expect(Number(second) * 1000).toBeGreaterThanOrEqual(at('09:30:02'));
    expect(client.all('managedAccounts')).toHaveLength(2);
  });
});
