import { fromDollars } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { ACME } from '../list-source.js';
import type { Protection } from './ground.js';
import { MANAGER, priced, RefereeStage } from './testing/referee-stage.js';

const stageOf = (protection: Protection) =>
  new RefereeStage({
    market: priced('10:00:00', 240, 50),
    referee: { protection, disasterStopBps: 180, bounds: { restWithinMs: 60_000 } },
  });

function story(play: (stage: RefereeStage) => unknown, protection: Protection = 'guarded'): string[] {
  const stage = stageOf(protection);
  stage.buy();
  play(stage);
  stage.advance('10:02:00');
  return stage.words();
}

describe('I2: in `guarded` a disaster stop rests while everybody still lives', () => {
  const missing = [expect.stringMatching(/^I2 ACME: 100 shares without a disaster stop for 6\d000 ms/)];

  test.each<readonly [string, (stage: RefereeStage) => unknown, unknown[]]>([
    ['none', () => undefined, missing],
    ['one for all', stage => stage.stop(49.13), []],
    ['one for half', stage => stage.stop(49.13, 50), missing],
    ['one too far away', stage => stage.stop(48), missing],
    ['a nearer one', stage => stage.stop(49.57), []],
    ['sold by then', stage => stage.sell(), []],
    [
      'one for what a resting sale of the operator’s leaves',
      stage => [stage.send(0, { side: 'SELL', quantity: 40, type: 'LMT', limitPrice: fromDollars(60) }), stage.stop(49.13, 60)],
      [],
    ],
    [
      'not for all of that',
      stage => [stage.send(0, { side: 'SELL', quantity: 40, type: 'LMT', limitPrice: fromDollars(60) }), stage.stop(49.13, 59)],
      missing,
    ],
  ])('%s', (_title, play, words) => expect(story(play)).toEqual(words));

  test('`monitored` has none', () => expect(story(() => undefined, 'monitored')).toEqual([]));

  test('time in which the exit manager could not act does not count; what the gateway refuses starts the clock afresh', () => {
    expect(
      story(stage => {
        stage.advance('10:00:30');
        stage.tell({ fact: 'line', clean: false });
      }),
    ).toEqual([]);
    expect(
      story(stage => {
        stage.advance('10:01:01');
        stage.tell({ fact: 'refused', clientId: MANAGER, conId: ACME.conId, type: 'STP' });
      }),
    ).toEqual([]);
  });
});
