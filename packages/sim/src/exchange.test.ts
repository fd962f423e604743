import { epochMs, fromDollars, micros, toDollars } from '@holdfast/core/units';
import { beforeEach, describe, expect, test } from 'vitest';
import { createExchange, type ExchangeOptions } from './exchange.js';
import type { ExchangeEvent, ExchangePort, MarketUpdate, OrderRequest } from './exchange-types.js';
import { ACME, at, listSource, OTHER, quoteOf, SESSION, tradeOf } from './list-source.js';

let exchange: ExchangePort;
let events: ExchangeEvent[];
let nextId: number;

/** An exchange at 10:00:00 with ACME at 50.00 × 50.02, 300 shares on each side, unless the updates say otherwise. */
function begin(updates: readonly MarketUpdate[] = [], options: Partial<ExchangeOptions> = {}, start = at('10:00:00')): void {
  exchange = createExchange({
    source: listSource([quoteOf('09:45:00', 50, 50.02, 300), tradeOf('09:45:00', 50.01, 100), ...updates]),
    session: SESSION,
    ...options,
  });
  events = [];
  exchange.subscribe(event => events.push(event));
  exchange.advanceTo(start);
  events.length = 0;
  nextId = 1;
}

function send(words: Partial<OrderRequest>): OrderRequest {
  const request: OrderRequest = {
    clientId: 2,
    orderId: nextId,
    conId: ACME.conId,
    side: 'BUY',
    quantity: 100,
    type: 'MKT',
    tif: 'DAY',
    transmit: true,
    ...words,
  };
  nextId = Math.max(nextId, request.orderId) + 1;
  exchange.place(request);
  return request;
}

const dollars = (amount: number) => fromDollars(amount);
/** The events as short lines, quotes left out: `order 1 Submitted 0/100`, `execution 1 100 @ 50.02`. */
const story = (): string[] => events.flatMap(line);

function line(event: ExchangeEvent): string[] {
  switch (event.kind) {
    case 'order':
      return [`order ${event.order.request.orderId} ${event.order.status} ${event.order.filled}/${event.order.request.quantity}`];
    case 'execution':
      return [`execution ${event.execution.orderId} ${event.execution.shares} @ ${toDollars(event.execution.price).toFixed(2)}`];
    case 'rejected':
      return [`rejected ${event.orderId} ${event.code}`];
    case 'notice':
      return [`notice ${event.orderId} ${event.code}`];
    case 'position':
      return [`position ${event.position.quantity}`];
    case 'quote':
      return [];
  }
}

const statusOf = (orderId: number, clientId = 2) =>
  [...exchange.openOrders(), ...exchange.completedOrders()].find(
    order => order.request.orderId === orderId && order.request.clientId === clientId,
  )?.status;
const heldNow = () => exchange.positions().find(position => position.conId === ACME.conId)?.quantity ?? 0;
const advance = (clock: string) => exchange.advanceTo(at(clock));

beforeEach(() => begin());

describe('orders against the quote', () => {
  test('a market order tells the story a real gateway tells: PreSubmitted, execution, Filled', () => {
    send({});
    expect(story()).toEqual(['order 1 PreSubmitted 0/100', 'execution 1 100 @ 50.02', 'order 1 Filled 100/100', 'position 100']);
  });

  test('a market order larger than the display gets the rest from the next quote', () => {
    begin([quoteOf('10:00:05', 50, 50.05, 1000)]);
    send({ quantity: 500 });
    expect(story()).toEqual(['order 1 PreSubmitted 0/500', 'execution 1 300 @ 50.02', 'order 1 Submitted 300/500', 'position 300']);
    events = [];
    advance('10:00:04');
    expect(heldNow()).toBe(300);
    advance('10:00:05');
    expect(heldNow()).toBe(500);
    expect(exchange.completedOrders()[0]?.averageFillPrice).toBe(dollars(50.032));
  });

  test('displayed size is used up by one order and not there for the next', () => {
    send({ quantity: 250 });
    send({ quantity: 250, tif: 'IOC' });
    expect(story().slice(-4)).toEqual(['execution 2 50 @ 50.02', 'order 2 Submitted 50/250', 'position 300', 'order 2 Cancelled 50/250']);
  });

  test.each([
    ['marketable limit fills at the quote, not at its limit', { type: 'LMT', limitPrice: dollars(51) }, 'Filled'],
    ['limit below the market rests', { type: 'LMT', limitPrice: dollars(49.9) }, 'Submitted'],
    ['limit IOC below the market dies', { type: 'LMT', limitPrice: dollars(49.9), tif: 'IOC' }, 'Cancelled'],
    ['fill-or-kill within the display fills', { type: 'LMT', limitPrice: dollars(50.02), tif: 'FOK', quantity: 300 }, 'Filled'],
    ['fill-or-kill beyond the display dies whole', { type: 'LMT', limitPrice: dollars(50.02), tif: 'FOK', quantity: 301 }, 'Cancelled'],
    ['stop not touched waits', { type: 'STP', side: 'SELL', stopPrice: dollars(49.5) }, 'PreSubmitted'],
    ['stop at the last price is touched', { type: 'STP', side: 'SELL', stopPrice: dollars(50.01) }, 'Filled'],
    ['stop already touched becomes a market order', { type: 'STP', side: 'SELL', stopPrice: dollars(50.05) }, 'Filled'],
    [
      'touched stop limit rests at its limit',
      { type: 'STP LMT', side: 'SELL', stopPrice: dollars(50.05), limitPrice: dollars(50.1) },
      'Submitted',
    ],
  ] as const)('%s', (_title, words, status) => {
    send(words);
    expect(statusOf(1)).toBe(status);
    for (const execution of exchange.executions()) expect([dollars(50), dollars(50.02)]).toContain(execution.price);
    if (status !== 'Filled') expect(exchange.executions()).toEqual([]);
  });

  test('a resting limit fills when the opposite quote reaches it', () => {
    begin([quoteOf('10:01:00', 50.9, 50.93, 300)]);
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.9) });
    advance('10:01:00');
    expect(story().slice(2)).toEqual(['execution 1 100 @ 50.90', 'order 1 Filled 100/100', 'position -100']);
  });

  test('a resting limit fills at its own price on a print the quote never showed, at most the printed volume', () => {
    begin([tradeOf('10:01:00', 50.4, 60)]);
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.4) });
    advance('10:01:00');
    expect(story().slice(2)).toEqual(['execution 1 60 @ 50.40', 'order 1 Submitted 60/100', 'position -60']);
  });

  test('a stop rests PreSubmitted, triggers on the last price and sells at the quote below: gaps through stops cost what they cost', () => {
    begin([
      {
        at: at('10:01:00'),
        conId: ACME.conId,
        quote: quoteOf('10:01:00', 48, 48.05, 300).quote ?? never(),
        trade: tradeOf('10:01:00', 48.02, 500).trade ?? never(),
      },
    ]);
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(49.55) });
    advance('10:01:00');
    expect(story()).toEqual([
      'order 1 PreSubmitted 0/100',
      'order 1 Submitted 0/100',
      'execution 1 100 @ 48.00',
      'order 1 Filled 100/100',
      'position -100',
    ]);
  });

  test('a print more than half a per cent outside the quote triggers nothing', () => {
    begin([tradeOf('10:01:00', 49, 100)]);
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(49.5) });
    advance('10:01:00');
    expect(statusOf(1)).toBe('PreSubmitted');
  });

  test('without an opposite quote a market order waits and an immediate one dies', () => {
    begin([quoteOf('09:59:00', 50, 0, 300), quoteOf('10:02:00', 50, 50.1, 300)]);
    send({});
    send({ tif: 'IOC' });
    expect([statusOf(1), statusOf(2)]).toEqual(['Submitted', 'Cancelled']);
    advance('10:02:00');
    expect(statusOf(1)).toBe('Filled');
  });
});

const never = (): never => {
  throw new Error('the maker of updates left out its field');
};

describe('time in force and sessions', () => {
  test('DAY orders wait for the open with advisory 399 and meet the opening quote', () => {
    begin([], {}, at('09:00:00'));
    send({});
    send({ type: 'LMT', limitPrice: dollars(49) });
    expect(story()).toEqual(['order 1 PreSubmitted 0/100', 'notice 1 399', 'order 2 PreSubmitted 0/100', 'notice 2 399']);
    events = [];
    advance('09:45:00');
    expect(story()).toEqual([
      'order 1 Submitted 0/100',
      'order 2 Submitted 0/100',
      'execution 1 100 @ 50.02',
      'order 1 Filled 100/100',
      'position 100',
    ]);
  });

  test('outsideRth lets a limit trade before the open, but not a market order', () => {
    begin([quoteOf('08:00:00', 50, 50.02, 300)], {}, at('09:00:00'));
    send({ type: 'LMT', limitPrice: dollars(50.02), outsideRth: true });
    send({ outsideRth: true });
    expect([statusOf(1), statusOf(2)]).toEqual(['Filled', 'PreSubmitted']);
  });

  test.each([
    ['DAY', { tif: 'DAY' }, '16:00:00', 'Cancelled'],
    ['GTC', { tif: 'GTC' }, '16:30:00', 'Submitted'],
    ['GTD', { tif: 'GTD', goodTill: at('10:01:30') }, '10:01:30', 'Cancelled'],
    ['GTD a moment earlier', { tif: 'GTD', goodTill: at('10:01:30') }, '10:01:29', 'Submitted'],
  ] as const)('%s lives as long as it should', (_title, words, clock, status) => {
    send({ type: 'LMT', limitPrice: dollars(40), ...words });
    advance(clock);
    expect(statusOf(1)).toBe(status);
  });

  test.each(['16:00:00', '16:10:00'])('an order at %s is queued for the next day', clock => {
    advance(clock);
    send({});
    advance('19:00:00');
    expect(statusOf(1)).toBe('PreSubmitted');
    expect(events.find(event => event.kind === 'notice')).toMatchObject({
      code: 399,
      text: expect.stringContaining('2026-03-10 09:30:00'),
    });
  });

  test('an order that dies at the very moment of a quote it could have had does not get it', () => {
    begin([quoteOf('10:01:00', 49, 49.02, 300)]);
    send({ type: 'LMT', limitPrice: dollars(49.5), tif: 'GTD', goodTill: at('10:01:00') });
    advance('10:01:00');
    expect([statusOf(1), heldNow()]).toEqual(['Cancelled', 0]);
  });

  test('market-on-open fills whole at the opening print; limit-on-open below it dies; too late is refused', () => {
    begin([tradeOf('09:30:00', 49.5, 5000)], {}, at('09:20:00'));
    send({ tif: 'OPG', quantity: 2000 });
    send({ tif: 'OPG', type: 'LMT', limitPrice: dollars(49) });
    advance('09:28:00');
    send({ tif: 'OPG' });
    advance('09:30:00');
    expect([statusOf(1), statusOf(2), statusOf(3)]).toEqual(['Filled', 'Cancelled', 'Inactive']);
    expect(exchange.executions().map(execution => [execution.shares, execution.price])).toEqual([[2000, dollars(49.5)]]);
    expect(story()).toContain('rejected 3 201');
  });

  test('market-on-open without a print dies two minutes after the open', () => {
    begin([], {}, at('09:20:00'));
    send({ tif: 'OPG' });
    advance('09:32:00');
    expect(statusOf(1)).toBe('Cancelled');
  });

  test('in a halt nothing fills, orders stay and may be cancelled; the reopening fills what is left', () => {
    begin([
      { at: at('10:01:00'), conId: ACME.conId, halted: true },
      { at: at('10:06:00'), conId: ACME.conId, halted: false, quote: quoteOf('10:06:00', 48, 48.1, 300).quote ?? never() },
    ]);
    advance('10:01:00');
    expect(exchange.isTrading(ACME.conId)).toBe(false);
    send({ side: 'SELL' });
    send({ side: 'SELL', tif: 'IOC' });
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50) });
    expect(exchange.cancel(2, 3)).toBe('accepted');
    advance('10:05:59');
    expect([statusOf(1), statusOf(2), statusOf(3)]).toEqual(['Submitted', 'Cancelled', 'Cancelled']);
    advance('10:06:00');
    expect(statusOf(1)).toBe('Filled');
    expect(exchange.executions()[0]?.price).toBe(dollars(48));
  });
});

describe('ids, changes, cancels', () => {
  test.each([
    ['unknown contract', { conId: 999 }, 200],
    ['no quantity', { quantity: 0 }, 321],
    ['part of a share', { quantity: 1.5 }, 321],
    ['limit without a price', { type: 'LMT' }, 321],
    ['price between ticks', { type: 'LMT', limitPrice: dollars(50.005) }, 110],
    ['more than the money is good for', { quantity: 10_000, type: 'LMT', limitPrice: dollars(50) }, 201],
  ] as const)('%s is refused', (_title, words, code) => {
    send(words);
    expect(story().at(-1)).toBe(`rejected 1 ${code}`);
    expect(exchange.openOrders()).toEqual([]);
  });

  test('103 for a used id and for a lower one, 104 for a filled one; other clients count for themselves', () => {
    send({ orderId: 10 });
    send({ orderId: 10 });
    send({ orderId: 9 });
    send({ orderId: 9, clientId: 10, side: 'SELL', type: 'LMT', limitPrice: dollars(60) });
    exchange.cancel(10, 9);
    send({ orderId: 9, clientId: 10 });
    expect(story().filter(text => text.startsWith('rejected'))).toEqual(['rejected 10 104', 'rejected 9 103', 'rejected 9 103']);
  });

  test('the same id of a working order changes it: a stop re-priced to market sells, and cannot sell twice', () => {
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(49) });
    send({ orderId: 1, side: 'SELL', type: 'MKT' });
    expect(story()).toEqual([
      'order 1 PreSubmitted 0/100',
      'order 1 PreSubmitted 0/100',
      'execution 1 100 @ 50.00',
      'order 1 Filled 100/100',
      'position -100',
    ]);
  });

  test('a change of price or quantity holds; a bad price, the other side or another group leave the old order as it was', () => {
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(51), ocaGroup: 'g' });
    send({ orderId: 1, side: 'SELL', type: 'LMT', limitPrice: dollars(52), quantity: 70, ocaGroup: 'g' });
    send({ orderId: 1, side: 'SELL', type: 'LMT', limitPrice: dollars(51.005), ocaGroup: 'g' });
    send({ orderId: 1, side: 'BUY', type: 'LMT', limitPrice: dollars(51), ocaGroup: 'g' });
    send({ orderId: 1, side: 'SELL', type: 'LMT', limitPrice: dollars(51), ocaGroup: 'h' });
    expect(story().filter(text => text.startsWith('rejected'))).toEqual(['rejected 1 110', 'rejected 1 105', 'rejected 1 10326']);
    expect(exchange.openOrders().map(order => [order.request.limitPrice, order.request.quantity])).toEqual([[dollars(52), 70]]);
  });

  test('cancel answers: own, unknown, foreign, final', () => {
    send({ type: 'LMT', limitPrice: dollars(40) });
    expect(exchange.cancel(10, 1)).toBe('foreign');
    expect(exchange.cancel(2, 77)).toBe('unknown');
    expect(exchange.cancel(2, 1)).toBe('accepted');
    expect(exchange.cancel(2, 1)).toEqual({ final: 'Cancelled' });
  });

  test('a global cancel takes the orders of all clients', () => {
    send({ type: 'LMT', limitPrice: dollars(40) });
    send({ clientId: 10, side: 'SELL', type: 'STP', stopPrice: dollars(40) });
    send({ clientId: 0, type: 'LMT', limitPrice: dollars(40) });
    exchange.globalCancel();
    expect(exchange.openOrders()).toEqual([]);
  });

  test('execution ids have four parts that end in 01 and differ, perm ids differ', () => {
    send({ quantity: 100 });
    send({ quantity: 100 });
    const ids = exchange.executions().map(execution => execution.execId);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}\.[0-9a-f]{8}\.01\.01$/);
    expect(new Set(exchange.completedOrders().map(order => order.permId)).size).toBe(2);
  });

  test('the 21st working order on a side is refused', () => {
    for (let i = 0; i < 21; i += 1) send({ type: 'LMT', limitPrice: dollars(40), quantity: 1 });
    expect(exchange.openOrders()).toHaveLength(20);
    expect(story().at(-1)).toBe('rejected 21 201');
  });
});

describe('groups and brackets', () => {
  const exits = (ocaType: 1 | 2 | 3) => {
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.9), ocaGroup: 'g', ocaType });
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(48.5), ocaGroup: 'g', ocaType });
  };

  test.each([
    [1, 60, 'Cancelled', 100],
    [2, 60, 'PreSubmitted', 40],
    [3, 60, 'PreSubmitted', 40],
    [1, 100, 'Cancelled', 100],
    [2, 100, 'Cancelled', 100],
    [3, 100, 'Cancelled', 100],
  ] as const)('type %i: after %i shares of the target the stop is %s with quantity %i', (type, volume, status, quantity) => {
    begin([tradeOf('10:01:00', 50.9, volume)]);
    exits(type);
    advance('10:01:00');
    const stop = [...exchange.openOrders(), ...exchange.completedOrders()].find(order => order.request.orderId === 2);
    expect([stop?.status, stop?.request.quantity]).toEqual([status, quantity]);
  });

  test('a smaller member shrinks in proportion, however many fills it takes', () => {
    begin(Array.from({ length: 60 }, (_, i) => ({ ...tradeOf('10:01:00', 50.9, 1), at: epochMs(at('10:01:00') + i * 1_000) })));
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.9), ocaGroup: 'g', ocaType: 2 });
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(48.5), ocaGroup: 'g', ocaType: 2, quantity: 50 });
    advance('10:02:00');
    expect(exchange.openOrders().map(order => [order.filled, order.request.quantity])).toEqual([
      [60, 100],
      [0, 20],
    ]);
  });

  test('without block (type 3) a step that touches both prices may sell twice; with block (2) it cannot', () => {
    for (const [type, sold] of [
      [3, -200],
      [2, -100],
    ] as const) {
      const both: MarketUpdate = {
        at: at('10:01:00'),
        conId: ACME.conId,
        quote: { bid: dollars(48.5), ask: dollars(48.6), bidSize: 300, askSize: 300 },
        trade: { open: dollars(50), high: dollars(51), low: dollars(48.4), close: dollars(48.5), volume: 1000 },
      };
      begin([both]);
      exits(type);
      advance('10:01:00');
      expect(heldNow()).toBe(sold);
    }
  });

  test('joining a finished group is cancelled at once; a manual cancel leaves the others, unless the switch says otherwise', () => {
    begin([tradeOf('10:01:00', 50.9, 100)]);
    exits(2);
    advance('10:01:00');
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(48), ocaGroup: 'g', ocaType: 2 });
    expect(statusOf(3)).toBe('Cancelled');
    for (const [cancelTakesOcaGroup, status] of [
      [false, 'PreSubmitted'],
      [true, 'Cancelled'],
    ] as const) {
      begin([], { cancelTakesOcaGroup });
      exits(2);
      exchange.cancel(2, 1);
      expect(statusOf(2)).toBe(status);
    }
  });

  test('a group spans clients, unless the switch says otherwise', () => {
    for (const [ocaAcrossClients, status] of [
      [true, 'Cancelled'],
      [false, 'PreSubmitted'],
    ] as const) {
      begin([tradeOf('10:01:00', 50.9, 100)], { ocaAcrossClients });
      send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.9), ocaGroup: 'g', ocaType: 2 });
      send({ clientId: 10, side: 'SELL', type: 'STP', stopPrice: dollars(48.5), ocaGroup: 'g', ocaType: 2 });
      advance('10:01:00');
      expect(statusOf(2, 10)).toBe(status);
    }
  });

  test('a bracket goes out with its last child, children wait for the parent and serve only what it filled', () => {
    begin([quoteOf('10:01:00', 49.9, 49.95, 40), tradeOf('10:02:00', 51, 500)]);
    send({ type: 'LMT', limitPrice: dollars(49.95), transmit: false });
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(51), parentId: 1, transmit: false });
    expect([statusOf(1), statusOf(2)]).toEqual(['PendingSubmit', 'PendingSubmit']);
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(49), parentId: 1 });
    expect([statusOf(1), statusOf(2), statusOf(3)]).toEqual(['Submitted', 'PreSubmitted', 'PreSubmitted']);
    advance('10:01:00');
    expect([heldNow(), statusOf(2)]).toEqual([40, 'Submitted']);
    advance('10:02:00');
    expect(heldNow()).toBe(0);
  });

  test('cancelling an unfilled parent cancels its children', () => {
    send({ type: 'LMT', limitPrice: dollars(49), transmit: false });
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(51), parentId: 1 });
    exchange.cancel(2, 1);
    expect([statusOf(1), statusOf(2)]).toEqual(['Cancelled', 'Cancelled']);
  });
});

describe('the account', () => {
  test('average cost carries commissions, the sale realizes net of both, cash follows', () => {
    begin([quoteOf('10:01:00', 50.9, 50.93, 300)]);
    send({});
    expect(exchange.positions()[0]?.averageCost).toBe(dollars(50.03));
    advance('10:01:00');
    send({ side: 'SELL' });
    const [bought, sold] = exchange.executions();
    expect([bought?.commission, bought?.realizedPnl]).toEqual([dollars(1), undefined]);
    expect([sold?.commission, sold?.realizedPnl]).toEqual([dollars(1), dollars(86)]); // (50.90 − 50.02) × 100 − 2 × 1.00
    expect(exchange.account().cash).toBe(dollars(100_086));
    expect(exchange.account().realizedToday).toBe(dollars(86));
    expect(exchange.positions()[0]).toMatchObject({ quantity: 0, averageCost: 0 });
  });

  test('the broker lets an oversell open a short, and values it', () => {
    send({});
    send({ side: 'SELL', quantity: 150 });
    expect(heldNow()).toBe(-50);
    const last = exchange.executions().at(-1);
    expect(last?.realizedPnl).toBe(micros(-3_666_667)); // 100 × (50.00 − 50.02) − 1.00 − 100/150 of 1.00
  });

  test('holdings from before are there, cost no cash, and buying power is four times what is free of them', () => {
    begin([], { holdings: [{ conId: OTHER.conId, quantity: 200, averageCost: dollars(90) }] });
    const account = exchange.account();
    expect(exchange.positions()).toEqual([
      { conId: OTHER.conId, symbol: 'OTHR', quantity: 200, averageCost: dollars(90), mark: dollars(100), realizedToday: 0 },
    ]);
    expect(account).toMatchObject({ cash: dollars(100_000), netLiquidation: dollars(120_000), grossPositionValue: dollars(20_000) });
    expect(account).toMatchObject({ unrealized: dollars(2_000), buyingPower: dollars(460_000) });
  });

  test('a trade by hand is of client 0, fills whole whatever is displayed, and rests when nobody quotes', () => {
    const order = exchange.manualTrade(ACME.conId, 'BUY', 1000);
    expect(order).toMatchObject({ status: 'Filled', filled: 1000, request: { clientId: 0, orderId: -1 } });
    expect(exchange.manualTrade(OTHER.conId, 'SELL', 5).status).toBe('Submitted');
  });
});

describe('time', () => {
  test('never goes back, not even from a listener', () => {
    expect(() => exchange.advanceTo(epochMs(exchange.now - 1))).toThrow('never goes back');
    let caught = '';
    exchange.subscribe(() => {
      try {
        exchange.advanceTo(exchange.now);
      } catch (error) {
        caught = String(error);
      }
    });
    send({});
    expect(caught).toContain('must not advance');
  });

  test('a listener may place and cancel: its events follow those it heard', () => {
    exchange.subscribe(event => {
      if (event.kind === 'execution' && event.execution.clientId === 2)
        send({ clientId: 10, orderId: 1, side: 'SELL', type: 'LMT', limitPrice: dollars(51) });
    });
    send({});
    expect(story()).toEqual([
      'order 1 PreSubmitted 0/100',
      'execution 1 100 @ 50.02',
      'order 1 Filled 100/100',
      'position 100',
      'order 1 PreSubmitted 0/100',
      'order 1 Submitted 0/100',
    ]);
  });

  test('nextEventAt names the next update, expiry or opening', () => {
    begin([quoteOf('11:00:00', 50, 50.02, 100)]);
    expect(exchange.nextEventAt()).toBe(at('11:00:00'));
    send({ type: 'LMT', limitPrice: dollars(40), tif: 'GTD', goodTill: at('10:30:00') });
    expect(exchange.nextEventAt()).toBe(at('10:30:00'));
  });
});
