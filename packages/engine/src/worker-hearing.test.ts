import { closeAll } from '@holdfast/store/testing/desk';
import { afterEach, expect, it } from 'vitest';
import { standUp } from './testing/stand.js';

afterEach(closeAll);

it('I3: ticks tell when the broker last spoke; the time and notices are the gateway’s own words, and an end of the line is nobody’s', () => {
  const stand = standUp({});
  const told = () => {
    stand.clock.pass(100);
    stand.worker.beat();
    return stand.heard.flatMap(event => (event.kind === 'tick' ? [event.heardAt] : [])).at(-1);
  };
  expect(told()).toBeUndefined();
  const spoke = stand.clock.mono();
  stand.worker.take({ kind: 'executions-end', id: 1 });
  expect(told()).toBe(spoke);
  stand.worker.take({ kind: 'time', seconds: 1 });
  stand.worker.take({ kind: 'notice', code: 2103, text: '', severity: 'info' });
  stand.worker.take({ kind: 'disconnected', reason: 'gone' });
  expect(told()).toBe(spoke);
});
