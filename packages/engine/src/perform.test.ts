import type { Effect } from '@holdfast/core/effects';
import type { EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { MonoMs } from '@holdfast/core/units';
import { readAlerts } from '@holdfast/store/alerts';
import { readOrder } from '@holdfast/store/orders';
import { anOrder, aPosition, booked, closeAll, MONDAY, openDesk, openTestStore, takeLease } from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from './emergency-file.js';
import { createMemoryFile } from './random-file.js';
import { type Script, standUp } from './testing/stand.js';

afterEach(closeAll);

const note: EventBody = { kind: 'notice', code: 1, text: '', severity: 'info' };
const sell = (order: Order, decidedAt: MonoMs): readonly Effect[] => [
  { do: 'write-intent', order },
  { do: 'place', order, decidedAt },
];
/** A desk that holds 100 ACME. */
function holdingDesk() {
  const desk = openDesk();
  desk.commit([{ do: 'write-position', position: aPosition() }, booked()]);
  return desk;
}

describe('what an exit waits for (decision 15)', () => {
  it("a step that only cancels: the exit manager's cancel leaves first, the words about it follow", () => {
    const cancelling: Order = { ...anOrder(), status: 'CANCELLING' };
    const cancel: Script = {
      notice: () => [
        { do: 'write-order', order: cancelling },
        { do: 'cancel', orderRef: cancelling.orderRef, orderId: cancelling.orderId },
      ],
    };
    const seen = (emergency: boolean): string | undefined => {
      const desk = holdingDesk();
      const stand = standUp(cancel, { desk, ...(emergency && { emergency: createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES)) }) });
      let atSend: string | undefined = 'not sent';
      stand.broker.onSend = () => {
        atSend = readOrder(openTestStore(desk.path), cancelling.orderRef)?.status;
      };
      stand.take(note);
      expect(readOrder(desk.db, cancelling.orderRef)?.status).toBe('CANCELLING');
      return atSend;
    };
    expect(seen(true)).toBeUndefined();
    // Whoever may not act without the store commits first.
    expect(seen(false)).toBe('CANCELLING');
  });

  it('I10: a cancel does not leave without the lease either', () => {
    const desk = holdingDesk();
    const stand = standUp(
      { notice: () => [{ do: 'cancel', orderRef: 'x', orderId: 7 }] },
      { desk, emergency: createEmergencyFile(createMemoryFile(EMERGENCY_FILE_BYTES)) },
    );
    takeLease(desk.db, 'exit-manager');
    stand.take(note);
    expect(stand.broker.sends).toEqual([]);
    expect(stand.stops).toMatchObject([{ code: 3 }]);
  });

  it('bookkeeping that may follow is on record after the send, and not before it', () => {
    const desk = holdingDesk();
    const order = anOrder();
    const alert = { level: 'info', code: 'LATER', symbol: 'ACME', happened: 'x', did: 'y', todo: 'z' } as const;
    const stand = standUp(
      { notice: event => [...sell(order, event.mono), { do: 'later', write: { do: 'write-alert', alert } }] },
      { desk },
    );
    const alerts = (): number => readAlerts(openTestStore(desk.path), MONDAY).filter(({ code }) => code === 'LATER').length;
    let atSend = -1;
    stand.broker.onSend = () => {
      atSend = alerts();
    };
    stand.take(note);
    expect(atSend).toBe(0);
    expect(alerts()).toBe(1);
  });
});
