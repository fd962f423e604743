import { join } from 'node:path';
import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { epochMs, fromDollars, monoMs } from '@holdfast/core/units';
import { createJournal } from '@holdfast/engine/journal';
import { createJournalFiles } from '@holdfast/engine/journal-files';
import { silentLog } from '@holdfast/engine/log';
import { ACME, anOrder, aPosition, NOW } from '@holdfast/store/testing/desk';

/** What the journal costs a worker: before an order leaves, and after. */
export interface JournalBench {
  /** Between the decision and its first byte. */
  note(): void;
  /** After the sends: the step of a touched stop, written. */
  writeStop(): void;
  /** After a mark that caused nothing, with the next beat. */
  writeMark(): void;
}

export function benchJournal(folder: string): JournalBench {
  const sink = createJournalFiles({ folder: join(folder, 'journal'), keepDays: 1 });
  const journal = createJournal({ worker: 'exit-manager', version: '0', sink, dayBytesMax: 1e12, log: silentLog });
  journal.begin({ at: NOW });
  let count = 0;
  const mark = (): Event => {
    count += 1;
    const price = fromDollars(count % 2 === 0 ? 49.5 : 49.51);
    return { at: epochMs(NOW + count), mono: monoMs(count), kind: 'pnl-mark', conId: ACME.conId, quantity: 100, price };
  };
  const target = anOrder({ role: 'target', type: 'LMT', limitPrice: fromDollars(50.9), status: 'CANCELLING' });
  const effects: readonly Effect[] = [
    { do: 'say', level: 'info', event: 'exit-decided', fields: { symbol: 'ACME', reason: 'stop', detail: 'two marks' } },
    { do: 'write-order', order: target },
    { do: 'cancel', orderRef: target.orderRef, orderId: target.orderId },
    { do: 'write-position', position: aPosition({ status: 'CLOSING' }) },
  ];
  const event = mark();
  let noted = 0;
  return {
    note() {
      journal.step(event, []);
      noted += 1;
      // What is noted is written now and then, outside the time of most.
      if (noted % 1_000 === 0) journal.turnEnded(null, { isBeat: true });
    },
    writeStop() {
      journal.step(mark(), effects);
      journal.turnEnded(null, { isBeat: false });
    },
    writeMark() {
      journal.step(mark(), []);
      journal.turnEnded(null, { isBeat: true });
    },
  };
}
