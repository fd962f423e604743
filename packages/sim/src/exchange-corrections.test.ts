import { fromDollars, toDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { quoteOf } from './list-source.js';
import { createStage } from './testing/exchange-stage.js';

describe('what the broker takes back', () => {
  const stage = createStage();
  const bought = () => {
    stage.begin();
    stage.send({});
    const [execution] = stage.exchange.executions();
    if (!execution) throw new Error('nothing was bought');
    return execution;
  };

  test('a corrected price replaces the execution: same root, higher last part, cash as if it had been so from the start', () => {
    const execution = bought();
    const { cash } = stage.exchange.account();
    const corrected = stage.exchange.correct(execution.execId, { price: fromDollars(50.05) });
    expect(corrected?.execId).toBe(execution.execId.replace(/\.01$/, '.02'));
    expect(stage.exchange.executions()).toEqual([corrected]);
    expect(toDollars(cash) - toDollars(stage.exchange.account().cash)).toBeCloseTo(3, 6);
    expect(stage.story().slice(-2)).toEqual(['correction 01.02 100 @ 50.05', 'position 100']);
    expect(stage.exchange.correct(execution.execId, { price: fromDollars(50.06) })).toBeUndefined();
  });

  test('a bust has no shares, and the holding is gone', () => {
    const execution = bought();
    stage.exchange.correct(execution.execId, { shares: 0 });
    expect(stage.held()).toBe(0);
    expect(stage.exchange.executions().map(({ shares }) => shares)).toEqual([0]);
  });

  test('a correction after the sale corrects what was realized', () => {
    const execution = bought();
    stage.send({ side: 'SELL' });
    const before = stage.exchange.account().realizedToday;
    stage.exchange.correct(execution.execId, { price: fromDollars(50.03) });
    expect(toDollars(before) - toDollars(stage.exchange.account().realizedToday)).toBeCloseTo(1, 6);
  });

  test('a lost order ends, and its id may be used again; what has filled cannot be lost', () => {
    stage.begin([quoteOf('10:00:10', 50, 50.02, 40)]);
    stage.advance('10:00:10');
    stage.send({ type: 'LMT', limitPrice: fromDollars(49) });
    expect(stage.exchange.highestOrderId(2)).toBe(1);
    expect(stage.exchange.lose(2, 1)).toBe(true);
    expect([stage.exchange.openOrders(), stage.exchange.highestOrderId(2), stage.exchange.cancel(2, 1)]).toEqual([[], 0, 'unknown']);
    stage.send({ orderId: 1, type: 'LMT', limitPrice: fromDollars(50.02) });
    expect(stage.story().at(-2)).toBe('order 1 Submitted 40/100');
    expect(stage.exchange.lose(2, 1)).toBe(false);
  });
});
