import { previousTradingDate } from '@holdfast/core/calendar';
import type { ClosedTrade, Write } from '@holdfast/core/effects';
import { type EpochMs, shares } from '@holdfast/core/units';
import { aClose, anOrder, aPosition, booked, closeAll, MONDAY, NOW, openDesk, usd } from '@holdfast/store/testing/desk';
import { loadStartView } from '@holdfast/store/view';
import { afterEach, expect, it } from 'vitest';
import { withKept } from './kept-view.js';

/** What is read with the kept steps laid over it is what the store would read after the merge itself. */

afterEach(closeAll);

const later = (NOW + 1_000) as EpochMs;
const order = anOrder();
const closed = (trade: Partial<ClosedTrade> = {}): Write => ({ do: 'close-position', trade: aClose(trade) });
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
  [
    'a position of the same instrument after one that an older copy still has',
    [],
    [{ do: 'write-position', position: { ...aPosition(), tradeId: 'T-2', updatedAt: later } }],
  ],
  ['the end of a trade', [], [closed()]],
  ['the end of one whose shares no execution explains', [], [closed({ quantity: shares(150) })]],
  ['the end of one that handed its shares over', [], [closed({ base: -100, basePrice: usd(49) })]],
  ['the end of one that no execution is missing of', [], [closed({ base: 0, basePrice: null })]],
  ['the end of one that no row tells of', [], [booked({ execId: '0001.0002.0007.01' }, 'T-2'), closed({ tradeId: 'T-2' })]],
  ['the end of one that was adopted, and that no row tells of', [], [closed({ tradeId: 'T-2', origin: 'adopted' })]],
  [
    'ends in one symbol on two dates: what the exit manager leaves behind holds those of the date before too (I4)',
    [],
    [closed({ tradeId: 'T-0', closeDate: previousTradingDate(MONDAY) }), closed()],
  ],
  ['an end that was taken back', [closed()], [{ do: 'write-position', position: { ...aPosition(), updatedAt: (later + 1) as EpochMs } }]],
  ['a position that the store has seen end since', [closed()], [{ do: 'write-position', position: aPosition() }]],
  [
    'an end that the store has seen taken back since',
    [{ do: 'write-position', position: { ...aPosition(), updatedAt: (later + 1) as EpochMs } }],
    [closed()],
  ],
];

it.each(CASES)('%s', (_title, stored, kept) => {
  const desk = openDesk();
  desk.commit([{ do: 'write-position', position: aPosition() }, booked(), ...stored]);
  const request = { worker: 'exit-manager', tradeDate: MONDAY, now: NOW } as const;
  const overlaid = withKept(loadStartView(desk.db, request), [{ at: later, tradeDate: MONDAY, writes: kept }]);
  desk.commit(kept, { replay: true, now: later });
  const merged = loadStartView(desk.db, request);
  expect(overlaid.orders).toEqual(merged.orders);
  expect(overlaid.positions).toEqual(merged.positions);
  expect(overlaid.endedTrades).toEqual(merged.endedTrades);
  expect(overlaid.closedToday.filter(({ closeDate }) => closeDate === MONDAY)).toEqual(merged.closedToday);
  const tradesOf = (view: typeof merged) => view.executions.map(({ execId, tradeId }) => [execId, tradeId]);
  expect(tradesOf(overlaid)).toEqual(tradesOf(merged));
});
