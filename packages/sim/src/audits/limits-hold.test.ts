import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { at, OTHER } from '../list-source.js';
import { MANAGER, RefereeStage, TRADER } from './testing/referee-stage.js';

const limitedTo = (limits: { maxPositions?: number; allocation?: number; ordersPerMinute?: number }) =>
  new RefereeStage({
    referee: { limits: { maxPositions: 4, allocation: 0.25, ordersPerMinute: 20, netLiquidation: () => fromDollars(100_000), ...limits } },
  });

describe('I9: limits hold at the exchange', () => {
  test('positions and working entries together', () => {
    const stage = limitedTo({ maxPositions: 2 });
    stage.buy();
    stage.buy(10, { conId: OTHER.conId, type: 'LMT', limitPrice: fromDollars(90), tif: 'GTD', goodTill: at('10:01:30') });
    expect(stage.broken()).toEqual([]);

    const full = limitedTo({ maxPositions: 1 });
    full.buy();
    full.buy(10, { conId: OTHER.conId });
    expect(full.words()).toEqual([expect.stringContaining('2 positions and entries (ACME OTHR), at most 1')]);
  });

  test('what the operator opened in the same moment does not count, later it does', () => {
    const story = (clock: string) => {
      const stage = limitedTo({ maxPositions: 1 });
      stage.byHand('BUY', 10, OTHER.conId);
      stage.advance(clock);
      stage.buy();
      return stage.broken();
    };
    expect(story('10:00:01')).toEqual([]);
    expect(story('10:00:10')).toEqual(['I9']);
  });

  test.each([
    ['within the allocation', 499, []],
    ['within the tolerance', 509, []],
    ['beyond it', 511, ['I9']],
  ] as const)('an entry %s', (_title, quantity, expected) => {
    const stage = limitedTo({});
    stage.buy(quantity, { type: 'LMT', limitPrice: fromDollars(50), tif: 'GTD', goodTill: at('10:01:30') });
    expect(stage.broken()).toEqual(expected);
  });

  test('orders per symbol and minute, of one incarnation; cancels are free', () => {
    const send = (stage: RefereeStage, processId: number, times: number, what: 'place' | 'cancel' = 'place') => {
      for (let i = 0; i < times; i += 1) stage.sent({ processId, what, orderRef: `HFX-20260309-${processId}-${i}` });
    };
    const stage = limitedTo({ ordersPerMinute: 5 });
    send(stage, 1, 5);
    send(stage, 1, 9, 'cancel');
    stage.advance('10:01:01');
    send(stage, 1, 5);
    send(stage, 7, 5);
    expect(stage.broken()).toEqual([]);
    send(stage, 7, 3);
    expect(stage.words()).toEqual([expect.stringContaining('process 7 sent 6 orders within a minute, at most 5')]);
  });

  test('without word of sendings a client’s new orders are counted', () => {
    const stage = limitedTo({ ordersPerMinute: 2 });
    stage.buy();
    for (let i = 0; i < 3; i += 1) stage.send(MANAGER, { side: 'SELL', quantity: 1, type: 'LMT', limitPrice: fromDollars(60) });
    stage.send(TRADER, { conId: OTHER.conId, quantity: 1 });
    expect(stage.words()).toEqual([expect.stringContaining('client 10 sent 3 orders')]);
  });
});
