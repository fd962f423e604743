import { type StoreFaults, storeFailure } from '@holdfast/store/faults';
import { readOrder } from '@holdfast/store/orders';
import type { StoreTrouble } from '@holdfast/store/store-file';
import { anOrder, aPosition, booked, closeAll, openDesk } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from './emergency-file.js';
import { createMemoryFile } from './random-file.js';
import { standUp } from './testing/stand.js';

/** What a worker does about a store that is gone, damaged or replaced (decision 18). */

afterEach(closeAll);

const known = { do: 'write-position', position: aPosition() } as const;
const order = anOrder();

function standing(name: 'exit-manager' | 'day-trader', faults?: StoreFaults) {
  const desk = openDesk(faults ? { faults } : {});
  desk.commit([known, booked()]);
  const now: { trouble: StoreTrouble | null } = { trouble: null };
  const emergency = name === 'exit-manager' ? createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES)) : null;
  const stand = standUp(
    {
      notice: event => [
        { do: 'write-intent', order },
        { do: 'place', order, decidedAt: event.mono },
      ],
    },
    { name, desk, emergency, storeTrouble: () => now.trouble, testament: () => [known] },
  );
  const look = (trouble: StoreTrouble | null = now.trouble): void => {
    now.trouble = trouble;
    stand.clock.pass(300);
    stand.worker.beat();
  };
  const sells = (): void => stand.take({ kind: 'notice', code: 1, text: '', severity: 'info' });
  const kept = () => emergency?.read().steps.map(({ writes }) => writes.map(write => write.do));
  const sent = () => stand.broker.sends.filter(send => send.do === 'place').length;
  return { ...stand, look, sells, kept, sent };
}
const LOST: StoreTrouble = { kind: 'lost', why: 'its file is gone' };
const REPLACED: StoreTrouble = { kind: 'replaced', why: 'another file has taken its place' };

describe('DESIGN §5: the exit manager', () => {
  it('goes on, and leaves what it knows before anything it does afterwards', () => {
    const stand = standing('exit-manager');
    stand.look(LOST);
    stand.sells();
    stand.look(LOST);
    expect(stand.kept()).toEqual([['write-position'], ['write-intent']]);
    expect(stand.sent()).toBe(1);
    expect(readOrder(stand.desk.db, order.orderRef)).toBeNull();
    expect(stand.stops).toEqual([]);
  });

  it('begins anew on the store that takes its place, with code 6', () => {
    const stand = standing('exit-manager');
    stand.look(LOST);
    stand.look(REPLACED);
    expect(stand.stops).toMatchObject([{ code: 6 }]);
    expect(stand.kept()).toEqual([['write-position']]);
  });

  it('leaves its testament also when it never saw the gap', () => {
    const stand = standing('exit-manager');
    stand.look(REPLACED);
    expect(stand.stops).toMatchObject([{ code: 6 }]);
    expect(stand.kept()).toEqual([['write-position']]);
  });

  it('begins anew on the same file when that is back', () => {
    const stand = standing('exit-manager');
    stand.look(LOST);
    stand.sells();
    stand.look(null);
    expect(stand.stops).toMatchObject([{ code: 6 }]);
    expect(stand.kept()).toEqual([['write-position'], ['write-intent']]);
  });

  it('a page that is damaged counts as lost, though the file looks well', () => {
    let isDamaged = false;
    const stand = standing('exit-manager', {
      before({ kind }) {
        if (isDamaged && kind === 'begin') throw storeFailure('corrupt');
      },
      afterCommit: () => undefined,
    });
    isDamaged = true;
    stand.sells();
    isDamaged = false;
    stand.look();
    stand.look();
    expect(stand.sent()).toBe(1);
    // Nothing is merged into it any more, though it would answer.
    expect(stand.kept()).toEqual([['write-intent'], expect.arrayContaining(['write-position'])]);
    expect(stand.worker.facts().backlog).toBeGreaterThan(0);
    expect(readOrder(stand.desk.db, order.orderRef)).toBeNull();
  });
});

it.each(['exit-manager', 'day-trader'] as const)(
  'DESIGN §5: a page that only a read meets counts too: the %s notices at its look',
  name => {
    let isDamaged = false;
    const stand = standing(name, {
      before({ kind }) {
        if (isDamaged && (kind === 'read' || kind === 'data-version')) throw storeFailure('corrupt');
      },
      afterCommit: () => undefined,
    });
    stand.look();
    isDamaged = true;
    stand.look();
    stand.look();
    if (name === 'exit-manager') expect(stand.kept()).toEqual([expect.arrayContaining(['write-position'])]);
    else expect(stand.stops).toMatchObject([{ code: 6 }]);
  },
);

it.each([LOST, REPLACED])('DESIGN §5: the day trader ends at once, with code 6: $kind', trouble => {
  const stand = standing('day-trader');
  stand.look(trouble);
  expect(stand.stops).toMatchObject([{ code: 6 }]);
  stand.sells();
  expect(stand.sent()).toBe(0);
});

it('nothing happens while the file is where it was', () => {
  const stand = standing('exit-manager');
  stand.look();
  stand.sells();
  expect(stand.kept()).toEqual([]);
  expect(stand.stops).toEqual([]);
});
