import type { Effect, Write } from '@holdfast/core/effects';
import type { EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import { epochMs, monoMs, shares } from '@holdfast/core/units';
import { commitStep } from '@holdfast/store/commit';
import { readOrder } from '@holdfast/store/orders';
import {
  ACME,
  anEnter,
  anOrder,
  aPosition,
  booked,
  closeAll,
  MONDAY,
  NOW,
  openDesk,
  openTestStore,
  takeLease,
  usd,
} from '@holdfast/store/testing/desk';
import { afterEach, describe, expect, it } from 'vitest';
import { createEmergencyFile, EMERGENCY_FILE_BYTES } from './emergency-file.js';
import { createMemoryFile } from './random-file.js';
import { type Script, type Stand, standUp } from './testing/stand.js';

afterEach(closeAll);

const note: EventBody = { kind: 'notice', code: 1, text: '', severity: 'info' };
/** The intent and its send, decided on a notice. */
const sell = (order: Order, decidedAt = monoMs(10_000)): readonly Effect[] => [
  { do: 'write-intent', order },
  { do: 'place', order, decidedAt },
];
/** A desk that holds 100 ACME. */
function holdingDesk(options = {}) {
  const desk = openDesk(options);
  desk.commit([{ do: 'write-position', position: aPosition() }, booked()]);
  return desk;
}
const sellOnNotice = (order = anOrder()): Script => ({ notice: event => sell(order, event.mono) });
const placed = ({ broker }: Stand): readonly string[] => broker.sends.flatMap(send => (send.do === 'place' ? [send.order.orderRef] : []));

describe('one step', () => {
  it('is committed before it is sent: a crash in the send leaves the intent on record', () => {
    const stand = standUp(sellOnNotice(), { desk: holdingDesk() });
    let atSend: string | undefined;
    stand.broker.onSend = () => {
      atSend = readOrder(openTestStore(stand.desk.path), 'HFX-20260309-1-1')?.status;
      throw new Error('the process dies here');
    };
    stand.take(note);
    expect(atSend).toBe('INTENT');
    expect(stand.stops).toMatchObject([{ code: 70 }]);
    expect(readOrder(openTestStore(stand.desk.path), 'HFX-20260309-1-1')?.status).toBe('INTENT');
  });

  it('tells the brain what was sent, after the step', () => {
    const stand = standUp(sellOnNotice(), { desk: holdingDesk() });
    stand.take(note);
    expect(stand.story()).toEqual(['notice', 'sent']);
    expect(placed(stand)).toEqual(['HFX-20260309-1-1']);
  });

  it('sends in the order the brain gave', () => {
    const order = anOrder();
    const cancel: Effect = { do: 'cancel', orderRef: 'x', orderId: 7 };
    const stand = standUp(
      { notice: event => [cancel, ...sell(order, event.mono), { do: 'request-executions', id: 3 }] },
      { desk: holdingDesk() },
    );
    stand.take(note);
    expect(stand.broker.sends.map(send => send.do)).toEqual(['cancel', 'place', 'request-executions']);
  });

  it('a broker callback while deciding only queues', () => {
    const stand = standUp({ ...sellOnNotice(), disconnected: () => [] }, { desk: holdingDesk() });
    stand.broker.onSend = () => {
      stand.take({ kind: 'disconnected', reason: 'in the middle of a send' });
      expect(stand.story()).toEqual(['notice']);
    };
    stand.take(note);
    expect(stand.story()).toEqual(['notice', 'disconnected', 'sent']);
  });

  it('an order more than a second old is not sent, and the brain hears it', () => {
    const stand = standUp({ notice: event => sell(anOrder(), monoMs(event.mono - 1_001)) }, { desk: holdingDesk() });
    stand.take(note);
    expect(placed(stand)).toEqual([]);
    expect(stand.heard.at(-1)).toMatchObject({ kind: 'not-sent', orderRef: 'HFX-20260309-1-1', code: 'INTENT_TOO_OLD' });
  });

  it('an order while not connected is not sent, and the brain hears it', () => {
    const stand = standUp(sellOnNotice(), { desk: holdingDesk() });
    stand.broker.isUp = false;
    stand.take(note);
    expect(stand.heard.at(-1)).toMatchObject({ kind: 'not-sent', code: 'NOT_CONNECTED' });
  });

  it('I1: an exit the store counts as too much is not sent; what stood beside it is written', () => {
    const stand = standUp(
      {
        notice: event => [
          { do: 'write-position', position: aPosition({ stopPrice: usd(49) }) },
          ...sell(anOrder({ quantity: shares(101) }), event.mono),
        ],
      },
      { desk: holdingDesk() },
    );
    stand.take(note);
    expect(placed(stand)).toEqual([]);
    expect(stand.heard.at(-1)).toMatchObject({ kind: 'exit-refused', code: 'EXIT_EXCEEDS_HOLDING' });
    expect(stand.worker.stopped).toBeNull();
  });

  it('reconnects under the same client id when asked', () => {
    const stand = standUp({ notice: () => [{ do: 'reconnect', reason: 'silence' }] });
    stand.take(note);
    expect(stand.broker).toMatchObject({ connects: 1, isUp: true });
  });

  it('a bug in the brain ends the process, and nothing is decided after it', () => {
    const stand = standUp({
      notice: () => {
        throw new Error('a broken invariant');
      },
    });
    stand.take(note);
    stand.take(note);
    expect(stand.stops).toMatchObject([{ code: 70, why: 'a broken invariant' }]);
    expect(stand.heard).toHaveLength(1);
    expect(stand.broker.isUp).toBe(false);
  });
});

describe('the lease', () => {
  it('I10: once another process holds it, nothing more is written or sent, and the process ends with code 3', () => {
    const stand = standUp(sellOnNotice(), { desk: holdingDesk() });
    takeLease(stand.desk.db, 'exit-manager');
    stand.take(note);
    stand.take(note);
    stand.worker.beat();
    expect(stand.broker.sends).toEqual([]);
    expect(stand.stops).toMatchObject([{ code: 3 }]);
    expect(readOrder(stand.desk.db, 'HFX-20260309-1-1')).toBeNull();
  });

  it('I10: an entry is not sent after it is lost either', () => {
    const stand = standUp({ notice: event => [{ ...anEnter(), decidedAt: event.mono }] }, { name: 'day-trader' });
    takeLease(stand.desk.db, 'day-trader');
    stand.take(note);
    expect(stand.broker.sends).toEqual([]);
    expect(stand.stops).toMatchObject([{ code: 3 }]);
  });

  it('a worker started for one task ends by itself once that is done and on record', () => {
    const written: Effect = { do: 'write-order', order: anOrder({ status: 'CANCELLED' }) };
    const stand = standUp({ notice: () => [written] }, { name: 'day-trader', isDone: state => state > 0 });
    const stranger = openTestStore(stand.desk.path);
    stranger.exec('BEGIN IMMEDIATE');
    stand.take(note);
    expect(stand.stops).toEqual([]);
    stranger.exec('ROLLBACK');
    stand.worker.beat();
    expect(stand.stops).toEqual([{ code: 0, why: 'its task is done' }]);
    expect(readOrder(openTestStore(stand.desk.path), 'HFX-20260309-1-1')?.status).toBe('CANCELLED');
    expect(stand.broker.isUp).toBe(false);
  });

  it('A4: a graceful stop sends nothing more', () => {
    const stand = standUp(sellOnNotice(), { desk: holdingDesk() });
    stand.worker.stop();
    stand.take(note);
    expect(stand.stops).toMatchObject([{ code: 0 }]);
    expect(stand.heard).toEqual([]);
  });
});

describe('entries', () => {
  const quote: EventBody = {
    kind: 'quote',
    conId: ACME.conId,
    quote: {
      bid: usd(49.9),
      ask: usd(50),
      bidSize: 1,
      askSize: 1,
      last: usd(50),
      volume: 1,
      close: usd(48),
      open: usd(49),
      halted: false,
      delayed: false,
    },
  };
  const entering = (ageMs = 0): Script => ({ notice: event => [{ ...anEnter(), decidedAt: monoMs(event.mono - ageMs) }] });

  it('A10: claimed and on record, then sent', () => {
    const stand = standUp(entering(), { name: 'day-trader' });
    stand.take(quote);
    stand.take(note);
    expect(stand.story()).toEqual(['quote', 'notice', 'entry-claimed', 'sent']);
    expect(readOrder(stand.desk.db, 'HFD-20260309-2-1')?.status).toBe('INTENT');
  });

  it('A10: a symbol already claimed is refused and nothing is sent', () => {
    const stand = standUp(entering(), { name: 'day-trader', desk: holdingDesk() });
    stand.take(quote);
    stand.take(note);
    expect(stand.heard.at(-1)).toMatchObject({ kind: 'entry-refused', code: 'ALREADY_ACTIVE' });
    expect(stand.broker.sends).toEqual([]);
  });

  it.each([
    ['too old', entering(1_001), {}, 'INTENT_TOO_OLD'],
    ['mode observe', entering(), { policy: { orders: { code: 'OBSERVE_MODE', detail: '' }, entries: null } }, 'OBSERVE_MODE'],
    ['live, not armed', entering(), { policy: { orders: null, entries: { code: 'LIVE_NOT_ARMED', detail: '' } } }, 'LIVE_NOT_ARMED'],
  ])('%s: refused before anything is claimed', (_title, script, options, code) => {
    const stand = standUp(script, { name: 'day-trader', ...options });
    stand.take(quote);
    stand.take(note);
    expect(stand.heard.at(-1)).toMatchObject({ kind: 'entry-refused', code });
    expect(readOrder(stand.desk.db, 'HFD-20260309-2-1')).toBeNull();
  });

  it('A18: live without arming still sends exits', () => {
    const stand = standUp(sellOnNotice(), {
      desk: holdingDesk(),
      policy: { orders: null, entries: { code: 'LIVE_NOT_ARMED', detail: '' } },
    });
    stand.take(note);
    expect(placed(stand)).toHaveLength(1);
  });
});

describe('a turn of the loop', () => {
  it('A2: a pause of the process is the first thing anybody hears of', () => {
    const stand = standUp({});
    stand.worker.beat();
    stand.clock.pass(2_001);
    stand.take(note);
    expect(stand.story()).toEqual(['paused', 'notice']);
    expect(stand.heard.find(event => event.kind === 'paused')).toMatchObject({ ms: 2_001 });
  });

  it('a beat after the pause says it before its tick', () => {
    const stand = standUp({});
    stand.worker.beat();
    stand.heard.length = 0;
    stand.clock.pass(3_000);
    stand.worker.beat();
    expect(stand.heard.map(({ kind }) => kind)).toEqual(['paused', 'tick']);
  });

  it('two seconds are no pause', () => {
    const stand = standUp({});
    stand.worker.beat();
    stand.clock.pass(2_000);
    stand.worker.beat();
    expect(stand.story()).toEqual([]);
  });

  it('ticks every 100 ms of machine time and at every exchange second', () => {
    const stand = standUp({});
    for (let ms = 0; ms < 1_000; ms += 20) {
      stand.worker.beat();
      stand.clock.pass(20);
    }
    stand.worker.take({ kind: 'time', seconds: 1 });
    expect(stand.heard.filter(({ kind }) => kind === 'tick')).toHaveLength(11);
  });

  it('acknowledges time only when settled', () => {
    const stand = standUp({});
    stand.facts.isSettled = false;
    stand.worker.take({ kind: 'time', seconds: 1 });
    expect(stand.broker.acknowledged).toBe(0);
    stand.facts.isSettled = true;
    stand.worker.beat();
    stand.worker.beat();
    expect(stand.broker.acknowledged).toBe(1);
  });

  it('hears of what another process commits, and of each command once', () => {
    const stand = standUp({});
    stand.worker.beat();
    stand.heard.length = 0;
    const other = openTestStore(stand.desk.path);
    const command: Write = {
      do: 'write-command',
      target: 'exit-manager',
      kind: 'flatten',
      payload: { symbol: 'ACME' },
      expiresAt: epochMs(NOW + 60_000),
    };
    const step = { lease: stand.desk.dayTrader, now: NOW, tradeDate: MONDAY, durable: false };
    commitStep(other, { ...step, writes: [command] });
    stand.worker.beat();
    commitStep(other, { ...step, writes: [{ do: 'write-phase', phase: 'READY', detail: '' }] });
    stand.worker.beat();
    stand.worker.beat();
    expect(stand.heard.map(({ kind }) => kind).filter(kind => kind !== 'tick')).toEqual(['store-changed', 'command', 'store-changed']);
  });

  it('tells of the HALT file again every second', () => {
    const stand = standUp({}, { isHalted: () => true });
    for (let ms = 0; ms < 2_500; ms += 100) {
      stand.worker.beat();
      stand.clock.pass(100);
    }
    const halts = stand.heard.filter(event => event.kind === 'command');
    expect(halts).toHaveLength(3);
    expect(halts[0]).toMatchObject({ command: { id: 0, kind: 'halt' } });
  });

  it('what tells of no connection is no word of the broker', () => {
    const stand = standUp({});
    stand.take({ kind: 'notice', code: 2104, text: '', severity: 'info' });
    stand.clock.pass(3_000);
    stand.take({ kind: 'disconnected', reason: 'the socket was closed' });
    stand.take({ kind: 'connect-failed', code: 502, reason: 'connection refused' });
    expect(stand.worker.facts().brokerAgeMs).toBe(3_000);
  });

  it('no guard, no entry: the heartbeat overrules the table', () => {
    let alive = true;
    const stand = standUp({}, { name: 'day-trader', guard: () => ({ alive, phase: 'READY' }) });
    stand.worker.beat();
    stand.worker.beat();
    alive = false;
    stand.worker.beat();
    const guards = stand.heard.flatMap(event => (event.kind === 'store-changed' ? [event.view.guard.alive] : []));
    expect(guards).toEqual([true, false]);
  });
});

describe('a store that does not answer', () => {
  const lock = (path: string) => {
    const stranger = openTestStore(path);
    stranger.exec('BEGIN IMMEDIATE');
    return stranger;
  };
  const fileOf = () => {
    const file = createMemoryFile(EMERGENCY_FILE_BYTES);
    return { file, emergency: createEmergencyFile(file) };
  };

  it('A5: the exit goes out all the same, its intent in the emergency file, and is merged when the store answers', () => {
    const { emergency } = fileOf();
    const stand = standUp(sellOnNotice(), { desk: holdingDesk(), emergency });
    const stranger = lock(stand.desk.path);
    stand.take(note);
    expect(placed(stand)).toEqual(['HFX-20260309-1-1']);
    expect(emergency.read().steps.flatMap(({ writes }) => writes.map(write => write.do))).toEqual(['write-intent']);
    expect(stand.worker.facts().backlog).toBe(1);

    stranger.exec('ROLLBACK');
    stand.clock.pass(200);
    stand.worker.beat();
    expect(readOrder(stand.desk.db, 'HFX-20260309-1-1')).toMatchObject({ status: 'INTENT' });
    expect(stand.worker.facts().backlog).toBe(0);
    expect(emergency.read()).toEqual({ steps: [], torn: 0 });
  });

  it('later steps queue behind the kept ones, so that order is never turned round', () => {
    const { emergency } = fileOf();
    const order = anOrder();
    const stand = standUp(
      {
        notice: event => sell(order, event.mono),
        disconnected: () => [{ do: 'write-order', order: { ...order, status: 'CANCELLED', updatedAt: stand.clock.exchange() } }],
      },
      { desk: holdingDesk(), emergency },
    );
    const stranger = lock(stand.desk.path);
    stand.take(note);
    stranger.exec('ROLLBACK');
    stand.clock.pass(10);
    stand.take({ kind: 'disconnected', reason: 'x' });
    expect(readOrder(stand.desk.db, order.orderRef)).toBeNull();
    stand.clock.pass(200);
    stand.worker.beat();
    expect(readOrder(stand.desk.db, order.orderRef)?.status).toBe('CANCELLED');
  });

  it('the lease is checked when the kept steps are merged', () => {
    const { emergency } = fileOf();
    const stand = standUp(sellOnNotice(), { desk: holdingDesk(), emergency });
    const stranger = lock(stand.desk.path);
    stand.take(note);
    stranger.exec('ROLLBACK');
    takeLease(openTestStore(stand.desk.path), 'exit-manager');
    stand.clock.pass(200);
    stand.worker.beat();
    expect(stand.stops).toMatchObject([{ code: 3 }]);
  });

  it('if even the file fails, the exit goes out and the log says so', () => {
    const { emergency } = fileOf();
    const lines: string[] = [];
    const broken = { ...emergency, append: () => ({ ok: false as const, detail: 'no space' }) };
    const stand = standUp(sellOnNotice(), { desk: holdingDesk(), emergency: broken, log: (_level, event) => lines.push(event) });
    lock(stand.desk.path);
    stand.take(note);
    expect(placed(stand)).toHaveLength(1);
    expect(lines).toContain('emergency-file-failed');
  });

  it('the day trader waits instead, takes nothing else meanwhile, and goes on where it was', () => {
    const order = anOrder({ orderRef: 'HFD-20260309-2-9', worker: 'day-trader', clientId: 2, role: 'entry', side: 'BUY' });
    const withdraw: readonly Effect[] = [
      { do: 'write-order', order },
      { do: 'cancel', orderRef: order.orderRef, orderId: 1 },
    ];
    const stand = standUp({ notice: () => withdraw }, { name: 'day-trader' });
    const stranger = lock(stand.desk.path);
    stand.take(note);
    stand.take({ kind: 'disconnected', reason: 'x' });
    expect(stand.broker.sends).toEqual([]);
    expect(stand.story()).toEqual(['notice']);
    stranger.exec('ROLLBACK');
    stand.clock.pass(20);
    stand.worker.beat();
    expect(stand.broker.sends.map(send => send.do)).toEqual(['cancel']);
    expect(stand.story()).toEqual(['notice', 'disconnected']);
  });

  it('the day trader gives up after ten seconds, for the supervisor to start it again', () => {
    const stand = standUp({ notice: () => [{ do: 'write-phase', phase: 'READY', detail: '' }] }, { name: 'day-trader' });
    lock(stand.desk.path);
    stand.take(note);
    for (let ms = 0; ms <= 10_100; ms += 100) {
      stand.clock.pass(100);
      stand.worker.beat();
    }
    expect(stand.stops).toMatchObject([{ code: 5 }]);
  });

  it('an entry is refused rather than sent without a record', () => {
    const stand = standUp({ notice: event => [{ ...anEnter(), decidedAt: event.mono }] }, { name: 'day-trader' });
    lock(stand.desk.path);
    stand.take(note);
    expect(stand.heard.at(-1)).toMatchObject({ kind: 'entry-refused', code: 'STORE_BUSY' });
    expect(stand.broker.sends).toEqual([]);
  });
});
