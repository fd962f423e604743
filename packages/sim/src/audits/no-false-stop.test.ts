import { describe, expect, test } from 'vitest';
import type { MarketUpdate } from '../exchange-types.js';
import { ACME } from '../list-source.js';
import { priced, RefereeStage } from './testing/referee-stage.js';

/** Bought at 50.02: its stop, 90 bps away, at 49.57; ten of them are tolerance. */
const stageOf = (...market: readonly MarketUpdate[][]) => new RefereeStage({ market: [...priced('10:00:00', 60, 50), ...market.flat()] });
const decides = (stage: RefereeStage, reason = 'stop') => stage.tell({ fact: 'decided', conId: ACME.conId, reason });

describe('I3: nothing is let go for a stop that was not touched', () => {
  test('a decision without a touch, and one for another reason', () => {
    const stage = stageOf();
    stage.buy();
    stage.advance('10:00:30');
    decides(stage, 'end-of-day');
    expect(stage.words()).toEqual([]);
    decides(stage);
    expect(stage.words()).toEqual([expect.stringMatching(/^I3 ACME: 100 shares are let go for a stop that was not touched: mark 50\.\d+/)]);
  });

  test.each([
    ['touched at that moment', 49.55, '10:01:03', 0],
    ['touched within the tolerance', 49.61, '10:01:03', 0],
    ['touched within the tick the level is rounded to', 49.62, '10:01:03', 0],
    ['a cent short of that', 49.64, '10:01:03', 1],
    ['touched and recovered, heard of late', 49.55, '10:02:00', 0],
    ['touched long ago', 49.55, '10:03:30', 1],
    ['never nearer than half way', 49.8, '10:01:03', 1],
  ])('%s', (_title, low, clock, broken) => {
    const stage = stageOf(priced('10:01:00', 5, low), priced('10:01:05', 200, 50));
    stage.buy();
    stage.advance(clock);
    decides(stage);
    expect(stage.words().filter(words => words.includes('not touched'))).toHaveLength(broken);
  });

  test('a short has its stop above', () => {
    const story = (price: number) => {
      const stage = stageOf(priced('10:01:00', 60, price));
      stage.byHand('SELL');
      stage.advance('10:01:02');
      decides(stage);
      return stage.broken();
    };
    expect(story(50.5)).toEqual([]);
    expect(story(49.5)).toEqual(['I3']);
  });

  test('adopted while no mark was true: its levels are anybody’s guess', () => {
    const stage = stageOf();
    stage.tell({ fact: 'marks', conId: null, flowing: false });
    stage.byHand('BUY');
    stage.advance('10:00:20');
    decides(stage);
    expect(stage.broken()).toEqual([]);
  });
});
