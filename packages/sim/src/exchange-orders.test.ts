import { epochMs, fromDollars } from '@holdfast/core/units';
import { beforeEach, describe, expect, test } from 'vitest';
import type { MarketUpdate } from './exchange-types.js';
import { ACME, at, quoteOf, tradeOf } from './list-source.js';
import { createStage } from './testing/exchange-stage.js';

const stage = createStage();
const { begin, send, story, statusOf, held, advance } = stage;
const dollars = (amount: number) => fromDollars(amount);

beforeEach(() => begin());

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
    expect(stage.exchange.openOrders()).toEqual([]);
  });

  test('103 for a used id and for a lower one, 104 for a filled one; other clients count for themselves', () => {
    send({ orderId: 10 });
    send({ orderId: 10 });
    send({ orderId: 9 });
    send({ orderId: 9, clientId: 10, side: 'SELL', type: 'LMT', limitPrice: dollars(60) });
    stage.exchange.cancel(10, 9);
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
    expect(stage.exchange.openOrders().map(order => [order.request.limitPrice, order.request.quantity])).toEqual([[dollars(52), 70]]);
  });

  test('cancel answers: own, unknown, foreign, final', () => {
    send({ type: 'LMT', limitPrice: dollars(40) });
    expect(stage.exchange.cancel(10, 1)).toBe('foreign');
    expect(stage.exchange.cancel(2, 77)).toBe('unknown');
    expect(stage.exchange.cancel(2, 1)).toBe('accepted');
    expect(stage.exchange.cancel(2, 1)).toEqual({ final: 'Cancelled' });
  });

  test('a global cancel takes the orders of all clients', () => {
    send({ type: 'LMT', limitPrice: dollars(40) });
    send({ clientId: 10, side: 'SELL', type: 'STP', stopPrice: dollars(40) });
    send({ clientId: 0, type: 'LMT', limitPrice: dollars(40) });
    stage.exchange.globalCancel();
    expect(stage.exchange.openOrders()).toEqual([]);
  });

  test('execution ids have four parts that end in 01 and differ, perm ids differ', () => {
    send({ quantity: 100 });
    send({ quantity: 100 });
    const ids = stage.exchange.executions().map(execution => execution.execId);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}\.[0-9a-f]{8}\.01\.01$/);
    expect(new Set(stage.exchange.completedOrders().map(order => order.permId)).size).toBe(2);
  });

  test('the 21st working order on a side is refused', () => {
    for (let i = 0; i < 21; i += 1) send({ type: 'LMT', limitPrice: dollars(40), quantity: 1 });
    expect(stage.exchange.openOrders()).toHaveLength(20);
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
    const stop = [...stage.exchange.openOrders(), ...stage.exchange.completedOrders()].find(order => order.request.orderId === 2);
    expect([stop?.status, stop?.request.quantity]).toEqual([status, quantity]);
  });

  test('a smaller member shrinks in proportion, however many fills it takes', () => {
    begin(Array.from({ length: 60 }, (_, i) => ({ ...tradeOf('10:01:00', 50.9, 1), at: epochMs(at('10:01:00') + i * 1_000) })));
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(50.9), ocaGroup: 'g', ocaType: 2 });
    send({ side: 'SELL', type: 'STP', stopPrice: dollars(48.5), ocaGroup: 'g', ocaType: 2, quantity: 50 });
    advance('10:02:00');
    expect(stage.exchange.openOrders().map(order => [order.filled, order.request.quantity])).toEqual([
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
      expect(held()).toBe(sold);
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
      stage.exchange.cancel(2, 1);
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
    expect([held(), statusOf(2)]).toEqual([40, 'Submitted']);
    advance('10:02:00');
    expect(held()).toBe(0);
  });

  test('cancelling an unfilled parent cancels its children', () => {
    send({ type: 'LMT', limitPrice: dollars(49), transmit: false });
    send({ side: 'SELL', type: 'LMT', limitPrice: dollars(51), parentId: 1 });
    stage.exchange.cancel(2, 1);
    expect([statusOf(1), statusOf(2)]).toEqual(['Cancelled', 'Cancelled']);
  });
});
