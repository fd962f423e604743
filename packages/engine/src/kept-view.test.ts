import type { Write } from '@holdfast/core/effects';
import type { EpochMs } from '@holdfast/core/units';
import { anOrder, aPosition, booked, closeAll, MONDAY, NOW, openDesk } from '@holdfast/store/testing/desk';
import { loadView } from '@holdfast/store/view';
import { afterEach, expect, it } from 'vitest';
import { withKept } from './kept-view.js';

/** What is read with the kept steps laid over it is what the store would read after the merge itself. */

afterEach(closeAll);

const later = (NOW + 1_000) as EpochMs;
const order = anOrder();
const CASES: readonly (readonly [title: string, stored: readonly Write[], kept: readonly Write[]])[] = [
  ['an intent', [], [{ do: 'write-intent', order }]],
  ['its later word', [{ do: 'write-intent', order }], [{ do: 'write-order', order: { ...order, status: 'SUBMITTED', updatedAt: later } }]],
  [
    'what the store has heard since',
    [{ do: 'write-order', order: { ...order, status: 'FILLED', updatedAt: later } }],
    [
      { do: 'write-intent', order },
      { do: 'write-order', order: { ...order, status: 'SUBMITTED' } },
    ],
  ],
  ['an execution, told twice', [], [booked(), booked()]],
  [
    'an execution that has found its trade since',
    [booked({ execId: '0001.0002.0007.01' }, null)],
    [booked({ execId: '0001.0002.0007.01' })],
  ],
  ['a position', [], [{ do: 'write-position', position: { ...aPosition(), updatedAt: later } }]],
];

it.each(CASES)('%s', (_title, stored, kept) => {
  const desk = openDesk();
  desk.commit([{ do: 'write-position', position: aPosition() }, booked(), ...stored]);
  const request = { worker: 'exit-manager', tradeDate: MONDAY, now: NOW } as const;
  const overlaid = withKept(loadView(desk.db, request), [{ at: later, tradeDate: MONDAY, writes: kept }]);
  desk.commit(kept, { replay: true });
  const merged = loadView(desk.db, request);
  expect(overlaid.orders).toEqual(merged.orders);
  expect(overlaid.positions).toEqual(merged.positions);
  const tradesOf = (view: typeof merged) => view.executions.map(({ execId, tradeId }) => [execId, tradeId]);
  expect(tradesOf(overlaid)).toEqual(tradesOf(merged));
});
