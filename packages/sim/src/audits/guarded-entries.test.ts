import { describe, expect, test } from 'vitest';
import { MANAGER, RefereeStage, TRADER } from './testing/referee-stage.js';

const enters = (stage: RefereeStage): void => stage.sent({ processId: 2, clientId: TRADER, orderRef: 'HFD-20260309-1-1' });

describe('I2: no guard, no entry', () => {
  test.each<readonly [string, (stage: RefereeStage) => void, readonly string[]]>([
    ['guarded', () => undefined, []],
    ['the guard died a moment ago', stage => stage.end(1, 'exit-manager'), []],
    ['it has been reconciling for long', stage => stage.tell({ fact: 'phase', processId: 1, phase: 'RECONCILING' }), ['I2']],
    ['it stands still', stage => stage.tell({ fact: 'process', processId: 1, worker: 'exit-manager', state: 'stopped' }), ['I2']],
    ['its line is down', stage => stage.tell({ fact: 'link', processId: 1, clientId: MANAGER, up: false }), ['I2']],
  ])('%s', (title, play, broken) => {
    const stage = new RefereeStage();
    play(stage);
    stage.advance(title.endsWith('a moment ago') ? '10:00:02' : '10:00:10');
    enters(stage);
    expect(stage.broken()).toEqual(broken);
  });

  test.each([
    ['before the guard died, and stands still in that call', '10:00:01', []],
    ['long after it', '10:00:08', ['I2']],
  ] as const)('the day trader comes to send it %s', (_title, cameAt, broken) => {
    const stage = new RefereeStage();
    const came = () => stage.tell({ fact: 'sending', processId: 2, orderRef: 'HFD-20260309-1-1' });
    stage.advance('10:00:01');
    if (cameAt === '10:00:01') came();
    stage.end(1, 'exit-manager');
    stage.advance('10:00:08');
    if (cameAt === '10:00:08') came();
    stage.advance('10:00:10');
    enters(stage);
    expect(stage.broken()).toEqual(broken);
  });
});
