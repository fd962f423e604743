import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { at, SESSION } from '../list-source.js';
import { halt, priced, RefereeStage } from './testing/referee-stage.js';

const FLAT_FROM = '15:45:00';

function story(play: (stage: RefereeStage) => void, market = [...priced('15:40:00', 60, 50)]): readonly string[] {
  const stage = new RefereeStage({ referee: { flatMinutesBeforeClose: 15 }, from: '15:40:30', market });
  stage.buy();
  play(stage);
  return stage.words();
}
const carried = /^I7 ACME: 100 shares still held after the close with neither/;
const late = /^I7 ACME: 100 shares still held after the end-of-day time without a marketable exit/;

describe('I7: flat after the end-of-day time', () => {
  test('sold within the bound', () => {
    const words = story(stage => [stage.advance(FLAT_FROM), stage.advance('15:45:55'), stage.sell(), stage.advance('16:30:00')]);
    expect(words).toEqual([]);
  });

  test('held on: found once, a minute later; and after the close again', () => {
    const words = story(stage => stage.advance('16:30:00'));
    expect(words).toEqual([expect.stringMatching(late), expect.stringMatching(carried)]);
  });

  test('an exit that rests far away is none', () => {
    const words = story(stage => [stage.sell(100, { type: 'LMT', limitPrice: fromDollars(60) }), stage.advance('15:50:00')]);
    expect(words).toEqual([expect.stringMatching(late)]);
  });

  test('a market order that finds nobody waits without blame, and again at the next open', () => {
    const empty = [
      ...priced('15:40:00', 60, 50),
      { at: at('15:44:00'), conId: 101, quote: { bid: fromDollars(0), ask: fromDollars(50), bidSize: 0, askSize: 5 } },
    ];
    const words = story(
      stage => [
        stage.advance(FLAT_FROM),
        stage.sell(),
        stage.advance('16:00:30'),
        stage.sell(100, { tif: 'DAY' }),
        stage.advance('16:30:00'),
      ],
      empty,
    );
    expect(words).toEqual([]);
  });

  test('a halt stops the clock; what it carries over the close needs a GTC stop', () => {
    const market = [...priced('15:40:00', 60, 50), halt('15:44:00')];
    expect(story(stage => stage.advance('16:00:50'), market)).toEqual([]);
    expect(story(stage => [stage.stop(49.5, 100, { tif: 'GTC' }), stage.advance('16:30:00')], market)).toEqual([]);
    expect(story(stage => [stage.stop(49.5, 99, { tif: 'GTC' }), stage.advance('16:30:00')], market)).toEqual([
      expect.stringMatching(carried),
    ]);
    expect(story(stage => [stage.stop(49.5), stage.advance('16:30:00')], market)).toEqual([expect.stringMatching(carried)]);
  });

  test('an unreachable broker stops it too; a series of crashes only for so long', () => {
    expect(story(stage => [stage.advance(FLAT_FROM), stage.tell({ fact: 'broker', reachable: false }), stage.advance('15:59:00')])).toEqual(
      [],
    );
    const dead = story(stage => [stage.stop(49.2), stage.advance(FLAT_FROM), stage.end(1, 'exit-manager'), stage.advance('15:59:00')]);
    expect(dead).toEqual([expect.stringMatching(late)]);
  });

  test('a half day has its own time', () => {
    const session = { open: SESSION.open, close: at('13:00:00') };
    const stage = new RefereeStage({ referee: { flatMinutesBeforeClose: 15, session }, from: '12:30:00' });
    stage.buy();
    stage.advance('12:46:00');
    expect(stage.broken()).toEqual([]);
    stage.advance('12:47:00');
    expect(stage.broken()).toEqual(['I7']);
  });
});
