import { fromDollars } from '@holdfast/core/units';
import { readAlerts } from '@holdfast/store/alerts';
import { anOrder, aPosition, booked, closeAll, MONDAY, NOW, openDesk } from '@holdfast/store/testing/desk';
import { loadView } from '@holdfast/store/view';
import { afterEach, describe, expect, it } from 'vitest';
import { createJournal, createMemorySink, type JournalSink } from './journal.js';
import { type JournalEntry, readJournal } from './journal-reader.js';
import { silentLog } from './log.js';
import { notingBroker, type Script, scriptedBrain, standingClock } from './testing/stand.js';
import { createWorker } from './worker.js';

afterEach(closeAll);

/** A worker that journals into `sink`; `course` is what it did to the world, in order. */
function journaled(script: Script, options: { readonly sink?: (sink: JournalSink) => JournalSink } = {}) {
  const desk = openDesk();
  desk.commit([{ do: 'write-position', position: aPosition() }, booked()]);
  const course: string[] = [];
  const memory = createMemorySink();
  const noting: JournalSink = {
    open: memory.open,
    append(text) {
      course.push('journal');
      return memory.append(text);
    },
  };
  const journal = createJournal({
    worker: 'exit-manager',
    version: '1',
    sink: options.sink?.(noting) ?? noting,
    dayBytesMax: 1e9,
    log: silentLog,
  });
  journal.begin({ at: NOW });
  const broker = notingBroker();
  broker.onSend = send => course.push(send.do);
  const clock = standingClock();
  const worker = createWorker({
    name: 'exit-manager',
    brain: scriptedBrain(script, []).brain,
    state: 0,
    view: loadView(desk.db, { worker: 'exit-manager', tradeDate: MONDAY, now: NOW }),
    db: desk.db,
    lease: desk.exitManager,
    broker,
    clock,
    limits: { ordersPerMinute: 30, notionalMax: fromDollars(100_000), collarBps: 1_000 },
    policy: { orders: null, entries: null },
    emergency: null,
    log: silentLog,
    recorder: journal,
    onStop: () => course.push('stopped'),
  });
  const entries = (): JournalEntry[] => [...readJournal((memory.files.get(MONDAY) ?? '').split('\n'))];
  const kinds = (): string[] => entries().map(entry => (entry.kind === 'step' ? entry.event.kind : entry.kind));
  return { desk, course, worker, clock, entries, kinds };
}

const note = { kind: 'notice', code: 1, text: '', severity: 'info' } as const;
const sale: Script = {
  notice: event => [
    { do: 'write-intent', order: anOrder() },
    { do: 'place', order: anOrder(), decidedAt: event.mono },
  ],
};

describe('the journal of a worker', () => {
  it('is written after the sends of its turn, with what came of them', () => {
    const { worker, course, kinds } = journaled(sale);
    worker.take(note);
    expect(course).toEqual(['place', 'journal']);
    expect(kinds()).toEqual(['head', 'notice', 'sent']);
  });

  it('A8: has the event on which the rules threw, before the process may end', () => {
    const { worker, course, entries } = journaled({
      notice: () => {
        throw new Error('a bug of the rules');
      },
    });
    worker.take(note);
    expect(course).toEqual(['journal', 'stopped']);
    expect(entries().slice(1)).toMatchObject([
      { kind: 'bug', event: note, message: 'a bug of the rules' },
      { kind: 'end', why: 'a bug of the rules' },
    ]);
  });

  it('has the last step of a worker that stops in the middle of it', () => {
    const { worker, desk, course, kinds } = journaled(sale);
    desk.db.exec("update worker_leases set lease_id = lease_id + 100 where name = 'exit-manager'");
    worker.take(note);
    expect(course).toEqual(['journal', 'stopped']);
    expect(kinds()).toEqual(['head', 'notice', 'end']);
  });

  it('a sink that fails costs no order, and the alert is in the store with the next beat', () => {
    const full = { ok: false as const, detail: 'ENOSPC: no space left on device, write' };
    const { worker, course, desk, clock } = journaled(sale, { sink: sink => ({ ...sink, append: () => full }) });
    worker.take(note);
    clock.pass(20);
    worker.beat();
    expect(course).toEqual(['place']);
    const alerts = readAlerts(desk.db, MONDAY);
    expect(alerts).toMatchObject([{ code: 'JOURNAL_GAP' }]);
  });
});
