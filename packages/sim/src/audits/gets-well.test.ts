import { describe, expect, test } from 'vitest';
import { RefereeStage } from './testing/referee-stage.js';

const faults = (active: boolean) => ({ fact: 'faults', active }) as const;

/** Faults, both workers killed, faults over at 10:00:10. */
function broken(play: (stage: RefereeStage) => void): RefereeStage {
  const stage = new RefereeStage();
  stage.tell(faults(true));
  stage.end(1, 'exit-manager');
  stage.end(2, 'day-trader');
  stage.advance('10:00:10');
  stage.tell(faults(false));
  play(stage);
  return stage;
}
const guardIsBack = (stage: RefereeStage) => [stage.advance('10:00:12'), stage.start(3, 'exit-manager')];

describe('I11: well again without a person', () => {
  test('both READY within their bounds, and how long it took', () => {
    const stage = broken(it => [guardIsBack(it), it.advance('10:00:40'), it.start(4, 'day-trader'), it.advance('10:05:00')]);
    expect(stage.broken()).toEqual([]);
    expect(stage.referee.measures().readyMs).toEqual({ 'exit-manager': [2_000], 'day-trader': [30_000] });
  });

  test.each<readonly [string, (stage: RefereeStage) => void, readonly string[]]>([
    ['nobody comes back', it => it.advance('10:05:00'), ['exit-manager', 'day-trader']],
    ['the day trader does not', it => [guardIsBack(it), it.advance('10:05:00')], ['day-trader']],
    [
      'it comes back and reconciles for ever',
      it => [
        guardIsBack(it),
        it.start(4, 'day-trader'),
        it.tell({ fact: 'phase', processId: 4, phase: 'RECONCILING' }),
        it.advance('10:05:00'),
      ],
      ['day-trader'],
    ],
    [
      'a lapse in the quiet',
      it => [guardIsBack(it), it.start(4, 'day-trader'), it.advance('10:05:00'), it.end(3, 'exit-manager'), it.advance('10:06:00')],
      ['exit-manager'],
    ],
    [
      'a parked day trader',
      it => [guardIsBack(it), it.tell({ fact: 'parked', worker: 'day-trader', parked: true }), it.advance('10:05:00')],
      [],
    ],
    [
      'a parked one where the policy never parks',
      it => [
        guardIsBack(it),
        it.tell({ fact: 'policy', mayPark: false }),
        it.tell({ fact: 'parked', worker: 'day-trader', parked: true }),
        it.advance('10:05:00'),
      ],
      ['day-trader'],
    ],
    [
      'one that a person stopped',
      it => [guardIsBack(it), it.tell({ fact: 'wanted', worker: 'day-trader', wanted: false }), it.advance('10:05:00')],
      [],
    ],
    ['nobody can reach the broker', it => [it.tell({ fact: 'broker', reachable: false }), it.advance('10:05:00')], []],
    ['faults again', it => [it.tell(faults(true)), it.advance('10:05:00')], []],
  ])('%s', (_title, play, late) => {
    const words = broken(play).words();
    expect(words).toEqual(late.map(worker => expect.stringContaining(`the ${worker} is not READY`)));
  });
});
