import { expect, test } from 'vitest';
import { shares } from '../units.js';
import { activeSymbols } from './active.js';
import { claimOf, TraderBench } from './testing/trader-bench.js';

/** Released on the broker's word that it was cancelled; its fill was told later, and the exit manager holds what it bought. */
function releasedAnd(filled: number, held: number) {
  const b = new TraderBench().ready();
  b.bar30(50.1);
  const order = { ...b.entry, status: 'CANCELLED' as const, filled: shares(filled) };
  const state = b.state;
  const tracked = [...state.entries.values()][0];
  if (!tracked) throw new Error('no entry');
  const row = { ...claimOf(order), quantity: shares(held), status: 'OPEN' as const };
  return activeSymbols({
    ...state,
    asked: new Map(),
    entries: new Map([[order.orderRef, { ...tracked, order, isReleased: true }]]),
    view: { ...state.view, positions: held === 0 ? [] : [row] },
  });
}

test.each<[string, number, number, boolean]>([
  ['it filled, and the exit manager has it in care', 134, 134, true],
  ['the exit manager has it in care, its fill was not told here yet', 0, 134, true],
  ['its fill was told here, the exit manager has not written it yet', 134, 0, true],
  ['it never filled', 0, 0, false],
])('I9, I4: a claim that was given back, and then %s', (_, filled, held, isActive) => {
  expect(releasedAnd(filled, held).has('ACME')).toBe(isActive);
});
