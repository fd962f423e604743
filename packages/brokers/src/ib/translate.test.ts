import type { Contract } from '@holdfast/core/contract';
import type { Order } from '@holdfast/core/orders/order';
import { epochMs, fromDollars, micros, shares } from '@holdfast/core/units';
import { type Contract as IbContract, type Execution as IbExecution, OrderAction, OrderStatus, OrderType, SecType } from '@stoqey/ib';
import { describe, expect, test } from 'vitest';
import { brokerOrder, contractFromDetails, contractFromMessage, displaySymbol, dollarsOf, executionOf, orderForWire } from './translate.js';

const ACME: Contract = {
  conId: 101,
  symbol: 'ACME',
  secType: 'STK',
  exchange: 'SMART',
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  tick: micros(10_000),
  multiplier: 1,
};
const ACME_AT_IB: IbContract = {
  conId: 101,
  symbol: 'ACME',
  localSymbol: 'ACME',
  secType: SecType.STK,
  currency: 'USD',
  exchange: 'ISLAND',
};

const order = (more: Partial<Order>): Order => ({
  orderRef: 'HFX-20260309-1-1',
  worker: 'exit-manager',
  clientId: 10,
  orderId: 7,
  permId: null,
  tradeId: 'T1',
  contract: ACME,
  role: 'exit',
  side: 'SELL',
  quantity: shares(100),
  type: 'MKT',
  limitPrice: null,
  stopPrice: null,
  tif: 'IOC',
  goodTill: null,
  ocaGroup: null,
  status: 'INTENT',
  filled: shares(0),
  createdAt: epochMs(0),
  updatedAt: epochMs(0),
  reason: null,
  ...more,
});

describe('our orders for the wire', () => {
  const always = { orderRef: 'HFX-20260309-1-1', account: 'DU1', outsideRth: false, transmit: true, totalQuantity: 100 };

  test.each<[string, Partial<Order>, object]>([
    ['a market sell', {}, { action: 'SELL', orderType: 'MKT', tif: 'IOC' }],
    [
      'a limit in an OCA group reduces its partners',
      { type: 'LMT', limitPrice: fromDollars(50.9), tif: 'DAY', ocaGroup: 'G1' },
      { action: 'SELL', orderType: 'LMT', lmtPrice: 50.9, tif: 'DAY', ocaGroup: 'G1', ocaType: 2 },
    ],
    [
      'a stop',
      { type: 'STP', stopPrice: fromDollars(48.53), tif: 'GTC' },
      { action: 'SELL', orderType: 'STP', auxPrice: 48.53, tif: 'GTC' },
    ],
    [
      'an entry dies by itself',
      { side: 'BUY', type: 'LMT', limitPrice: fromDollars(0.1234), tif: 'GTD', goodTill: epochMs(Date.parse('2026-03-09T13:31:00Z')) },
      { action: 'BUY', orderType: 'LMT', lmtPrice: 0.1234, tif: 'GTD', goodTillDate: '20260309-13:31:00' },
    ],
  ])('%s', (_name, terms, expected) => {
    expect(orderForWire(order(terms), 'DU1')).toEqual({ ...always, ...expected });
  });
});

describe('instruments', () => {
  test.each<[string, IbContract, string]>([
    ['a US stock goes by its ticker', ACME_AT_IB, 'ACME'],
    [
      'an option never passes for its stock',
      { ...ACME_AT_IB, secType: SecType.OPT, localSymbol: 'ACME  260320C00050000' },
      'ACME  260320C00050000',
    ],
    ['nor does a stock in euros', { ...ACME_AT_IB, currency: 'EUR', localSymbol: 'ACM' }, 'ACM'],
    ['without a local symbol the parts say it', { symbol: 'ES', secType: SecType.FUT, currency: 'USD' }, 'ES.FUT.USD'],
  ])('%s', (_name, contract, symbol) => {
    expect(displaySymbol(contract)).toBe(symbol);
  });

  test('a stock from a position is routed by SMART, and its tick is a cent until its details say more', () => {
    expect(contractFromMessage(ACME_AT_IB)).toMatchObject({ exchange: 'SMART', primaryExchange: 'ISLAND', tick: 10_000, multiplier: 1 });
    expect(contractFromMessage(ACME_AT_IB, { ...ACME, tick: micros(100) }).tick).toBe(100);
  });

  test('details without a price step make no contract', () => {
    expect(contractFromDetails({ contract: ACME_AT_IB, minTick: 0 })).toBeUndefined();
    expect(contractFromDetails({ contract: ACME_AT_IB, minTick: 0.0001 })?.tick).toBe(100);
  });
});

describe('fills', () => {
  const fill: IbExecution = {
    execId: '0001.0002.0003.01',
    time: '20260309 09:30:01 US/Eastern',
    side: 'SLD',
    shares: 100,
    price: 50.01,
    permId: 9,
    clientId: 10,
    orderId: 7,
    orderRef: 'HFX-20260309-1-1',
  };
  test('a fill is read in full', () => {
    expect(executionOf(ACME_AT_IB, fill)).toEqual({
      ok: true,
      execution: {
        execId: '0001.0002.0003.01',
        at: Date.parse('2026-03-09T13:30:01Z'),
        conId: 101,
        symbol: 'ACME',
        side: 'SELL',
        shares: 100,
        price: 50_010_000,
        orderRef: 'HFX-20260309-1-1',
        permId: 9,
        clientId: 10,
        orderId: 7,
      },
    });
  });
  test.each<[string, IbContract, IbExecution, string]>([
    ['an option’s', { ...ACME_AT_IB, secType: SecType.OPT }, fill, 'NOT_OURS_TO_COUNT'],
    ['one in another currency', { ...ACME_AT_IB, currency: 'CAD' }, fill, 'NOT_OURS_TO_COUNT'],
    ['a fraction', ACME_AT_IB, { ...fill, shares: 0.5 }, 'UNREADABLE'],
    ['one without a readable time', ACME_AT_IB, { ...fill, time: 'noon' }, 'UNREADABLE'],
    ['one without a price', ACME_AT_IB, { ...fill, price: Number.NaN }, 'UNREADABLE'],
    ['one without an id', ACME_AT_IB, { ...fill, execId: '' }, 'UNREADABLE'],
  ])('refused: %s', (_name, contract, execution, code) => {
    expect(executionOf(contract, execution)).toMatchObject({ ok: false, code });
  });
});

describe('orders as told', () => {
  const told = (type: OrderType, prices: { lmtPrice?: number; auxPrice?: number; trailStopPrice?: number }) =>
    brokerOrder({
      orderId: 0,
      contract: ACME_AT_IB,
      order: { orderType: type, action: OrderAction.SSHORT, totalQuantity: 10, permId: 5, ...prices },
      state: { status: OrderStatus.PreSubmitted },
    });
  test('prices an order type does not use are no prices', () => {
    expect(told(OrderType.MKT, { lmtPrice: 0, auxPrice: 0 })).toMatchObject({ limitPrice: null, stopPrice: null, side: 'SELL', permId: 5 });
    expect(told(OrderType.LMT, { lmtPrice: 50.9, auxPrice: 0 })).toMatchObject({ limitPrice: 50_900_000, stopPrice: null });
    expect(told(OrderType.STP, { lmtPrice: 0, auxPrice: 48.5 })).toMatchObject({ limitPrice: null, stopPrice: 48_500_000 });
    expect(told(OrderType.TRAIL, { auxPrice: 1, trailStopPrice: 49 })).toMatchObject({ stopPrice: 49_000_000 });
  });
});

test('unset and impossible amounts are no amounts', () => {
  expect([undefined, Number.NaN, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map(dollarsOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(dollarsOf(50.43)).toBe(50_430_000);
});
