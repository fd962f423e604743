import { readAlerts } from '@holdfast/store/alerts';
import { acquireLease, readLease, recordLease } from '@holdfast/store/leases';
import { readOrder } from '@holdfast/store/orders';
import { anOrder, aPosition, booked, closeAll, MONDAY, NOW, openDesk, openTestStore } from '@holdfast/store/testing/desk';
import { afterEach, expect, it } from 'vitest';
import { createEmergencyFile, EMERGENCY_FILE_BYTES, type PendingStep } from './emergency-file.js';
import { createMemoryFile } from './random-file.js';
import { standUp } from './testing/stand.js';

/** An exit manager that began while a stranger held the store: it acts on the broker's lease, and the books follow when the lock ends. */

afterEach(closeAll);

const me = { pid: 4_242, processStartedAt: 'me', bootId: 'boot' };
const order = { ...anOrder(), orderRef: 'HFX-20260309-900-1' };

function begunUnwritten({ steps = [], isGone = () => true }: { steps?: readonly PendingStep[]; isGone?: () => boolean } = {}) {
  const desk = openDesk();
  desk.commit([{ do: 'write-position', position: aPosition() }, booked()]);
  const stranger = openTestStore(desk.path);
  stranger.exec('BEGIN IMMEDIATE');
  const lease = { name: 'exit-manager', leaseId: 900 } as const;
  const emergency = createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES));
  for (const step of steps) emergency.append(step);
  const stand = standUp(
    {
      notice: event => [
        { do: 'write-intent', order },
        { do: 'place', order, decidedAt: event.mono },
      ],
      disconnected: () => [
        { do: 'write-phase', phase: 'READY', detail: '1 in care' },
        { do: 'cancel', orderRef: order.orderRef, orderId: 1 },
      ],
    },
    {
      desk,
      emergency,
      lease,
      unwritten: { why: 'STORE_BUSY', steps, record: () => recordLease(desk.db, { lease, holder: me, now: NOW }, isGone) },
    },
  );
  return { ...stand, stranger, emergency, lease };
}
type Begun = ReturnType<typeof begunUnwritten>;
const sent = ({ broker }: Begun) => broker.sends.flatMap(send => (send.do === 'place' || send.do === 'cancel' ? [send.do] : []));
const someTime = ({ clock, worker }: Begun): void => {
  clock.pass(150);
  worker.beat();
};

it('A8, I10: sells and cancels meanwhile, keeping every step', () => {
  const begun = begunUnwritten();
  begun.take({ kind: 'notice', code: 1, text: '', severity: 'info' });
  begun.take({ kind: 'disconnected', reason: '' });
  expect(sent(begun)).toEqual(['place', 'cancel']);
  expect(begun.worker.facts().backlog).toBe(2);
  expect(begun.emergency.read().steps).toHaveLength(2);
  expect(begun.stops).toEqual([]);
});

it('A8: when the lock ends the lease comes first, then what a dead predecessor kept, then our own steps', () => {
  const theirs = { ...anOrder(), orderRef: 'HFX-20260309-1-7' };
  const begun = begunUnwritten({ steps: [{ at: NOW, tradeDate: MONDAY, writes: [{ do: 'write-intent', order: theirs }] }] });
  begun.take({ kind: 'notice', code: 1, text: '', severity: 'info' });
  someTime(begun);
  expect(readOrder(begun.desk.db, theirs.orderRef)).toBeNull();
  begun.stranger.exec('ROLLBACK');
  someTime(begun);
  expect(readLease(begun.desk.db, 'exit-manager')).toMatchObject({ leaseId: 900, holder: me });
  expect(readOrder(begun.desk.db, theirs.orderRef)?.status).toBe('INTENT');
  expect(readOrder(begun.desk.db, order.orderRef)?.status).toBe('INTENT');
  expect(begun.emergency.read().steps).toEqual([]);
  expect(readAlerts(begun.desk.db, MONDAY).map(({ code }) => code)).toContain('STORE_NOT_ANSWERING');
});

it('the phase told meanwhile is told anew: no entry waits for a guard that is READY', () => {
  const begun = begunUnwritten();
  begun.take({ kind: 'disconnected', reason: '' });
  begun.stranger.exec('ROLLBACK');
  someTime(begun);
  expect(readLease(begun.desk.db, 'exit-manager')?.phase).toBe('READY');
});

it('nothing to merge: the lease is put on record all the same', () => {
  const begun = begunUnwritten();
  begun.stranger.exec('ROLLBACK');
  someTime(begun);
  expect(readLease(begun.desk.db, 'exit-manager')?.leaseId).toBe(900);
});

it('I10: ends when another process took the lease meanwhile, and nothing of its own is merged over that', () => {
  const begun = begunUnwritten({ isGone: () => false });
  begun.take({ kind: 'notice', code: 1, text: '', severity: 'info' });
  begun.stranger.exec('ROLLBACK');
  acquireLease(begun.desk.db, { name: 'exit-manager', pid: 500, processStartedAt: 'tool', bootId: 'boot', now: NOW }, () => true);
  someTime(begun);
  expect(begun.stops).toMatchObject([{ code: 3 }]);
  expect(begun.worker.stopped?.why).toContain('lease');
  expect(readOrder(begun.desk.db, order.orderRef)).toBeNull();
});
