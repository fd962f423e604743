import type { Effect } from '@holdfast/core/effects';
import type { Event, EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { SharedView } from '@holdfast/core/shared-view';
import { type EpochMs, epochMs, micros, monoMs, shares, type TradeDate } from '@holdfast/core/units';
import { ACME, anOrder, MONDAY, NOW } from '@holdfast/store/testing/desk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJournal, createMemorySink, type JournalSink, type MemorySink } from './journal.js';
import { JOURNAL_FORMAT } from './journal-lines.js';
import { type JournalEntry, readJournal, UnreadableJournal } from './journal-reader.js';
import { silentLog } from './log.js';
import { type Replayed, replay, replayed } from './replay.js';

/** A brain that adds up, so that every state depends on all events before. */
interface Sum {
  readonly total: number;
  readonly seen: ReadonlyMap<string, number>;
}

const brain = {
  createState: ({ at }: { readonly at: EpochMs }): Sum => ({ total: at % 10, seen: new Map() }),
  decide(state: Sum, event: Event): { state: Sum; effects: readonly Effect[] } {
    if (event.kind === 'disconnected') throw new Error(`a bug at ${state.total}`);
    const seen = new Map(state.seen).set(event.kind, (state.seen.get(event.kind) ?? 0) + 1);
    const total = state.total + event.at + event.mono;
    if (event.kind !== 'pnl-mark') return { state: { total, seen }, effects: [] };
    const fields = { total, marks: seen.get('pnl-mark') ?? 0 };
    return { state: { total, seen }, effects: [{ do: 'say', level: 'info', event: 'mark', fields }] };
  },
};

const START = { at: epochMs(NOW + 7) };
const mark = (price: number): EventBody => ({ kind: 'pnl-mark', conId: ACME.conId, quantity: 10, price: micros(price) });
const orders = [1, 2, 3].map((number): Order => ({ ...anOrder({}), orderId: number, orderRef: `HFX-20260309-1-${number}` }));
const viewOf = (listed: readonly Order[]): SharedView => ({
  positions: [],
  orders: listed,
  executions: [],
  closedToday: [],
  baseline: [],
  commands: [],
  killSwitch: { on: false, reason: null },
  guard: { phase: 'READY', alive: true },
});

/** A worker's loop: decides, journals, ends its turn. */
function run(sink: JournalSink, { dayBytesMax = 1e9 } = {}) {
  const journal = createJournal({ worker: 'exit-manager', version: '1.2.3', sink, dayBytesMax, log: silentLog });
  journal.begin(START);
  let state = brain.createState(START);
  let passed = 0;
  const alerts: string[] = [];
  const endTurn = (isBeat: boolean): void => {
    const alert = journal.turnEnded(state, { isBeat });
    if (alert) alerts.push(alert.happened);
  };
  const note = (body: EventBody, times: { at?: number; mono?: number } = {}): void => {
    const event = { at: epochMs(times.at ?? NOW + passed), mono: monoMs(times.mono ?? 10_000.123456 + passed), ...body } as Event;
    try {
      const decided = brain.decide(state, event);
      journal.step(event, decided.effects);
      state = decided.state;
    } catch (error) {
      journal.bug(event, error instanceof Error ? error.message : '');
    }
  };
  return {
    journal,
    alerts,
    note,
    endTurn,
    take(body: EventBody, times?: { at?: number; mono?: number }) {
      passed += 50;
      note(body, times);
      endTurn(true);
    },
    pass(ms: number) {
      passed += ms;
    },
  };
}

const PLAIN = { noNullPrototype: true };
const linesOf = (sink: MemorySink, date: TradeDate = MONDAY): string[] => (sink.files.get(date) ?? '').split('\n');
const read = (lines: readonly string[]): JournalEntry[] => [...readJournal(lines)];
const again = (lines: readonly string[], make: () => Replayed = () => replayed(brain)) =>
  replay(readJournal(lines), { brains: { 'exit-manager': make } });

describe('a journal', () => {
  it('is read back as it was told, and replays without a difference', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    desk.take({ kind: 'tick' });
    desk.take(mark(50_000_000));
    desk.take({ kind: 'store-changed', view: viewOf(orders) });
    desk.take({ kind: 'store-changed', view: viewOf(orders.slice(1)) });
    desk.take(mark(50_010_000));
    desk.journal.ended('asked to stop');
    desk.endTurn(false);
    const seen = again(linesOf(sink));
    expect(seen).toMatchObject({ differenceCount: 0, torn: 0, gaps: 0 });
    expect(seen.segments).toMatchObject([
      { events: 5, decisions: 2, effects: 2, end: 'asked to stop', head: { version: '1.2.3', because: 'start' } },
    ]);
    const views = read(linesOf(sink)).flatMap(entry =>
      entry.kind === 'step' && entry.event.kind === 'store-changed' ? [entry.event.view] : [],
    );
    expect(views).toStrictEqual([viewOf(orders), viewOf(orders.slice(1))]);
    // The second view's rows are told by number.
    expect(linesOf(sink).filter(line => line.includes('"$":"row"'))).toHaveLength(1);
  });

  it('keeps every event exactly, whatever its numbers', () => {
    const price = fc.oneof(fc.integer({ min: 0, max: 9e9 }), fc.constantFrom(-0, Number.NaN, 0.1, 1e300, Number.MAX_SAFE_INTEGER));
    const time = fc.oneof(fc.integer({ min: 0, max: 2e12 }), fc.double({ min: 0, max: 2e12, noNaN: true }), fc.constantFrom(-0, 1e17));
    const fields = fc.record({ bid: price, ask: price, bidSize: price, last: price, halted: fc.boolean() }, PLAIN);
    const body = fc.oneof(
      fc.constant({ kind: 'tick' }),
      fc.record({ kind: fc.constant('tick'), heardAt: time }, PLAIN),
      fc.record({ kind: fc.constant('quote'), conId: fc.integer({ min: 1, max: 3 }), quote: fields }, PLAIN),
      fc.record({ kind: fc.constant('bar'), conId: fc.integer({ min: 1, max: 2 }), bar: fields }, PLAIN),
      fc.record({ kind: fc.constant('pnl-mark'), conId: fc.integer({ min: 1, max: 2 }), quantity: price, price }, PLAIN),
      fc.record({
        kind: fc.constant('account'),
        account: fc.string(),
        values: fc.dictionary(fc.string(), fc.option(price, { nil: undefined }), PLAIN),
      }),
      fc.record({ kind: fc.constant('snapshot'), openOrders: fc.subarray(orders), positions: fc.array(fields), id: price }, PLAIN),
    );
    const zeroMark = (price: number): [number, number, { kind: 'pnl-mark'; conId: number; quantity: number; price: number }] => [
      0,
      0,
      { kind: 'pnl-mark', conId: 1, quantity: 0, price },
    ];
    const events = fc.array(fc.tuple(time, time, body), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(events, told => {
        const sink = createMemorySink();
        const journal = createJournal({ worker: 'exit-manager', version: '1', sink, dayBytesMax: 1e9, log: silentLog });
        journal.begin(START);
        const given = told.map(([at, mono, content]) => ({ at, mono, ...content }) as Event);
        for (const event of given) journal.step({ ...event, at: epochMs(NOW) }, []);
        journal.ended('over');
        journal.turnEnded(null, { isBeat: true });
        const back = read(linesOf(sink)).flatMap(entry => (entry.kind === 'step' ? [entry.event] : []));
        expect(back).toStrictEqual(given.map(event => ({ ...event, at: NOW })));
      }),
      { examples: [[[zeroMark(-0), zeroMark(0)]]] },
    );
  });

  it('keeps exchange times that jump and machine times of a long uptime', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    const times = [0, 1, 0.5, 3, 9_007_199.254740993, 1e13 + 0.1, 2e13].map(mono => ({ at: NOW + mono / 10, mono }));
    for (const time of times) desk.take(mark(1), { at: Math.min(time.at, NOW + 3_000), mono: time.mono });
    const back = read(linesOf(sink)).flatMap(entry => (entry.kind === 'step' ? [entry.event.mono] : []));
    expect(back).toEqual(times.map(({ mono }) => mono));
  });

  it('tells when the broker was heard where it spoke since the tick before; ticks of older journals do not tell', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    desk.take({ kind: 'tick' });
    for (const heardAt of [5_000.25, 5_000.25, 5_000.25, 6_000]) desk.take({ kind: 'tick', heardAt: monoMs(heardAt) });
    desk.journal.ended('over');
    desk.endTurn(true);
    const lines = linesOf(sink).flatMap(line => (line.startsWith('["quiet"') ? (JSON.parse(line) as unknown[]).slice(1) : []));
    expect(lines.map(item => (Array.isArray(item) ? item.length : 0))).toEqual([2, 3, 2, 2, 3]);
    const back = read(linesOf(sink)).flatMap(entry => (entry.kind === 'step' && entry.event.kind === 'tick' ? [entry.event.heardAt] : []));
    expect(back).toEqual([undefined, 5_000.25, 5_000.25, 5_000.25, 6_000]);
  });

  it('forgets its rows before they fill memory, and is read back all the same', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    const views = Array.from({ length: 60 }, (_, round) =>
      viewOf(Array.from({ length: 200 }, (_row, index) => ({ ...anOrder({}), orderId: index, filled: shares(index < 100 ? 0 : round) }))),
    );
    for (const view of views) desk.take({ kind: 'store-changed', view });
    const back = read(linesOf(sink)).flatMap(entry =>
      entry.kind === 'step' && entry.event.kind === 'store-changed' ? [entry.event.view] : [],
    );
    expect(back).toStrictEqual(views);
    expect(linesOf(sink).filter(line => line === '["forget"]')).toHaveLength(1);
  });

  it('writes a decision with its turn, quiet events with the next beat, bare ticks within a second', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    const written = (): number => sink.files.get(MONDAY)?.length ?? 0;
    desk.take(mark(1));
    const first = written();
    expect(first).toBeGreaterThan(0);
    desk.note({ kind: 'notice', code: 1, text: 'x', severity: 'info' });
    desk.endTurn(false);
    expect(written()).toBe(first);
    desk.endTurn(true);
    const second = written();
    expect(second).toBeGreaterThan(first);
    desk.take({ kind: 'tick' });
    expect(written()).toBe(second);
    desk.pass(1_000);
    desk.take({ kind: 'tick' });
    expect(written()).toBeGreaterThan(second);
  });

  it('a bug of the rules is on record and comes again', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    desk.take(mark(1));
    desk.take({ kind: 'disconnected', reason: 'x' });
    expect(read(linesOf(sink)).at(-1)).toMatchObject({ kind: 'bug', message: expect.stringMatching(/^a bug at/) });
    expect(again(linesOf(sink))).toMatchObject({ differenceCount: 0 });
  });
});

describe('a replay finds what the rules make otherwise', () => {
  const record = (): string[] => {
    const sink = createMemorySink();
    const desk = run(sink);
    for (let price = 1; price <= 5; price++) desk.take(mark(price));
    desk.take({ kind: 'disconnected', reason: 'x' });
    return linesOf(sink);
  };
  type Mutant = (state: Sum, event: Event) => ReturnType<typeof brain.decide>;
  const without = (step: ReturnType<typeof brain.decide>) => ({ ...step, effects: [] });
  const said = (step: ReturnType<typeof brain.decide>, fields: Record<string, number>) => ({
    ...step,
    effects: step.effects.map(effect => (effect.do === 'say' ? { ...effect, fields: { ...effect.fields, ...fields } } : effect)),
  });
  it.each<[string, number, Mutant]>([
    ['an effect that is missing', 1, (s, e) => (s.seen.get('pnl-mark') === 2 ? without(brain.decide(s, e)) : brain.decide(s, e))],
    ['a number in an effect', 1, (s, e) => (s.seen.get('pnl-mark') === 2 ? said(brain.decide(s, e), { marks: 9 }) : brain.decide(s, e))],
    ['a state that drifts', 6, (s, e) => brain.decide({ ...s, total: s.total + 1 }, e)],
    ['a bug mended', 1, (s, e) => (e.kind === 'disconnected' ? { state: s, effects: [] } : brain.decide(s, e))],
    [
      'a bug made',
      1,
      (s, e) => {
        if (s.seen.get('pnl-mark') === 4) throw new Error('new');
        return brain.decide(s, e);
      },
    ],
  ])('%s', (_, least, decide) => {
    const seen = again(record(), () => replayed({ ...brain, decide }));
    expect(seen.differenceCount).toBeGreaterThanOrEqual(least);
    expect(seen.differences[0]?.recorded).not.toEqual(seen.differences[0]?.replayed);
  });
});

describe('a journal that was cut off', () => {
  const record = (): string => {
    const sink = createMemorySink();
    for (const price of [1, 2]) {
      const desk = run(sink);
      desk.take(mark(price));
      desk.take(mark(price + 10));
    }
    return sink.files.get(MONDAY) ?? '';
  };

  it('a torn last line is tolerated and told, wherever it was torn', () => {
    const whole = record();
    const lastLine = whole.lastIndexOf('\n', whole.length - 2) + 1;
    for (let end = lastLine + 1; end < whole.length - 1; end++) {
      const seen = again(whole.slice(0, end).split('\n'));
      expect(seen, `cut at ${end}`).toMatchObject({ differenceCount: 0, torn: 1 });
      expect(seen.segments.reduce((sum, { events }) => sum + events, 0)).toBe(3);
    }
  });

  it('a process killed while writing, and its successor in the same file', () => {
    const [first = '', second = ''] = record()
      .split('\n\n["head"')
      .map((part, index) => (index === 0 ? part : `\n\n["head"${part}`));
    const seen = again(`${first.slice(0, -10)}${second}`.split('\n'));
    expect(seen).toMatchObject({ differenceCount: 0, torn: 1 });
    expect(seen.segments.map(({ events }) => events)).toEqual([1, 2]);
  });

  it('of the format before, whose ticks do not tell when the broker was heard, replays as well', () => {
    const older = record().replaceAll(`"format":${JOURNAL_FORMAT}`, '"format":2');
    expect(again(older.split('\n'))).toMatchObject({ differenceCount: 0, torn: 0 });
  });

  it.each([
    ['damage inside a segment', (text: string) => text.replace('["step",', '["stop",'), /line 3: .*stop/],
    [
      'an earlier format, of other states',
      (text: string) => text.replace(`"format":${JOURNAL_FORMAT}`, '"format":1'),
      new RegExp(`written in format 1 \\(Holdfast .+\\), and this version reads 2 and ${JOURNAL_FORMAT}$`),
    ],
    ['no journal at all', () => '# A readme', /does not begin as a journal/],
    ['JSON, but no journal', () => '{"a":1}', /does not begin as a journal/],
  ])('%s is no torn line: %s', (_, damage, message) => {
    expect(() => read(damage(record()).split('\n'))).toThrow(UnreadableJournal);
    expect(() => read(damage(record()).split('\n'))).toThrow(message);
  });
});

describe('what cannot be written costs a gap, never a decision', () => {
  /** A sink that fails on demand, after taking a part of the line. */
  function failing(sink: MemorySink) {
    const facts = { fails: false };
    const fail = { ok: false as const, detail: 'ENOSPC: no space left on device, write' };
    const door: JournalSink = {
      open: date => (facts.fails ? fail : sink.open(date)),
      append(text) {
        if (!facts.fails) return sink.append(text);
        sink.append(text.slice(0, text.length / 2));
        return fail;
      },
    };
    return { facts, door };
  }

  it('a full disk: one alert, tried again after 5 s, and the state itself after the gap', () => {
    const sink = createMemorySink();
    const { facts, door } = failing(sink);
    const desk = run(door);
    desk.take(mark(1));
    facts.fails = true;
    desk.take(mark(2));
    desk.take(mark(3));
    facts.fails = false;
    desk.take(mark(4));
    expect(desk.alerts).toEqual([expect.stringMatching(/has a gap: ENOSPC/)]);
    desk.pass(5_000);
    desk.take(mark(5));
    desk.take(mark(6));
    const seen = again(linesOf(sink));
    expect(seen).toMatchObject({ differenceCount: 0, gaps: 1 });
    expect(seen.segments.map(({ head, events }) => [head.because, events])).toEqual([
      ['start', 1],
      ['gap', 1],
    ]);
    expect(read(linesOf(sink)).find(entry => entry.kind === 'gap')).toMatchObject({ gap: { lost: 4 } });
  });

  it('a folder that cannot be opened at the start', () => {
    const sink = createMemorySink();
    const { facts, door } = failing(sink);
    facts.fails = true;
    const desk = run(door);
    desk.take(mark(1));
    facts.fails = false;
    desk.pass(5_000);
    desk.take(mark(2));
    desk.take(mark(3));
    expect(again(linesOf(sink))).toMatchObject({ differenceCount: 0, gaps: 1, segments: [{ head: { because: 'gap' }, events: 1 }] });
  });

  it('a day that has grown too large is ended and said; the next date begins anew', () => {
    const sink = createMemorySink();
    const desk = run(sink, { dayBytesMax: 2_000 });
    for (let price = 1; price < 60; price++) desk.take(mark(price));
    expect(desk.alerts).toEqual([expect.stringMatching(/has reached journal.dayMegabytesMax/)]);
    expect(sink.files.get(MONDAY)?.length).toBeLessThan(2_200);
    expect(again(linesOf(sink))).toMatchObject({ differenceCount: 0, gaps: 1 });
    const tomorrow = NOW + 24 * 3_600_000;
    desk.take(mark(100), { at: tomorrow });
    desk.take(mark(101), { at: tomorrow + 1 });
    const [, tuesday] = [...sink.files.keys()];
    expect(again(linesOf(sink, tuesday))).toMatchObject({ differenceCount: 0, segments: [{ head: { because: 'new date' }, events: 1 }] });
  });

  it('more events in one turn than memory keeps', () => {
    const sink = createMemorySink();
    const desk = run(sink);
    desk.take(mark(1));
    for (let tick = 0; tick < 20_001; tick++) desk.note({ kind: 'tick' });
    desk.take(mark(2));
    desk.take(mark(3));
    expect(desk.alerts).toEqual([]);
    expect(again(linesOf(sink))).toMatchObject({ differenceCount: 0, gaps: 1, segments: [{ events: 1 }, { events: 1 }] });
  });

  it('a state that is no value ends the journal, not the worker', () => {
    const sink = createMemorySink();
    const journal = createJournal({ worker: 'exit-manager', version: '1', sink, dayBytesMax: 1e9, log: silentLog });
    journal.begin(START);
    journal.step({ kind: 'command', at: NOW, mono: monoMs(1), command: (() => 1) as never }, []);
    expect(journal.turnEnded(null, { isBeat: true })?.happened).toMatch(/cannot be journaled/);
    journal.step({ kind: 'tick', at: NOW, mono: monoMs(9e9) }, [{ do: 'request-open-orders' }]);
    expect(journal.turnEnded(null, { isBeat: true })).toBeNull();
  });
});

it('the new trading date has a file of its own, which begins with the state and needs no other', () => {
  const sink = createMemorySink();
  const desk = run(sink);
  desk.take(mark(1));
  const tomorrow = NOW + 24 * 3_600_000;
  desk.take({ kind: 'tick' }, { at: tomorrow });
  desk.take(mark(2), { at: tomorrow + 1 });
  desk.take(mark(3), { at: tomorrow + 2 });
  const [monday, tuesday] = [...sink.files.keys()];
  expect(monday).toBe(MONDAY);
  expect(again(linesOf(sink, monday))).toMatchObject({ differenceCount: 0, segments: [{ events: 3, head: { because: 'start' } }] });
  expect(again(linesOf(sink, tuesday))).toMatchObject({ differenceCount: 0, segments: [{ events: 1, head: { because: 'new date' } }] });
});
