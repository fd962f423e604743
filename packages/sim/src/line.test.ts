import type { EventBody } from '@holdfast/core/events';
import { fromDollars, micros, monoMs } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import { type FaultKind, LINE_FAULTS, type LineFaults } from './broker-faults.js';
import { contractOf } from './broker-translate.js';
import { MessageLine } from './line.js';
import { ACME, quoteOf, tradeOf } from './list-source.js';
import { createRandom } from './random.js';
import { AT_MARKET, BrokerBench } from './testing/broker-bench.js';

const ALWAYS = [1, 1] as const;

/** A line that is told what a market order's life says, a millisecond apart, and asked every 100 ms for 5 s. */
function tell(faults: Partial<LineFaults>, bodies: readonly EventBody[] = lifeOfAnOrder()) {
  const fired: FaultKind[] = [];
  const line = new MessageLine({ clientId: 10, random: createRandom(3), onFault: kind => fired.push(kind) });
  Object.assign(line.faults, faults);
  for (const [index, body] of bodies.entries()) line.say(body, monoMs(1_000 + index));
  const heard: { readonly after: number; readonly body: EventBody }[] = [];
  for (let now = 1_010; now < 6_000; now += 100) for (const body of line.take(monoMs(now))) heard.push({ after: now - 1_010, body });
  return { fired, heard, kinds: heard.map(({ body }) => (body.kind === 'order-status' ? body.status : body.kind)) };
}

function lifeOfAnOrder(): readonly EventBody[] {
  const b = new BrokerBench();
  const client = b.process(10);
  client.place(1, AT_MARKET);
  return client.bodies();
}

const PLAIN = ['open-order', 'PreSubmitted', 'execution', 'commission', 'open-order', 'Filled', 'position', 'portfolio-mark'];

describe('the line', () => {
  test('without a fault: everything, at once, in order', () => {
    const { kinds, fired, heard } = tell({});
    expect([kinds, fired, heard.every(({ after }) => after === 0)]).toEqual([PLAIN, [], true]);
  });

  test.each([
    ['execution', 'late execution', ['execution']],
    ['commission', 'late commission', ['commission']],
    ['order', 'late order', ['open-order', 'PreSubmitted', 'open-order', 'Filled']],
    ['position', 'late position', ['position']],
    ['account', 'late account', ['portfolio-mark']],
  ] as const)('late %s: the lane keeps its order, others overtake it', (lane, kind, late) => {
    const { heard, fired } = tell({ delay: { lanes: [lane], odds: ALWAYS, lowMs: 500, highMs: 2_000 } });
    const word = ({ body }: { body: EventBody }) => (body.kind === 'order-status' ? body.status : body.kind);
    expect(heard.filter(({ after }) => after > 0).map(word)).toEqual(late);
    expect(heard).toHaveLength(PLAIN.length);
    expect(new Set(fired)).toEqual(new Set([kind]));
  });

  test('said twice: nothing is lost, and only what the broker repeats', () => {
    const { kinds, fired } = tell({ repeat: ALWAYS });
    expect(kinds.filter(kind => kind === 'execution')).toHaveLength(2);
    expect(kinds.filter(kind => kind === 'Filled')).toHaveLength(2);
    expect(kinds.filter(kind => kind === 'portfolio-mark')).toHaveLength(1);
    expect(fired.filter(kind => kind === 'repeated message')).toHaveLength(7);
  });

  test('reordered: the status before its openOrder, the execution after a later status', () => {
    const { kinds, fired } = tell({ reorder: ALWAYS });
    expect(kinds.slice(0, 4)).toEqual(['PreSubmitted', 'open-order', 'Filled', 'open-order']);
    expect(kinds.indexOf('execution')).toBeGreaterThan(kinds.indexOf('Filled'));
    expect([...kinds].sort()).toEqual([...PLAIN].sort());
    expect(new Set(fired)).toEqual(new Set(['status before open-order', 'execution after status', 'late commission']));
  });

  test('missing: statuses alone, sometimes with their openOrder', () => {
    const { kinds, fired } = tell({ drop: ALWAYS });
    expect(kinds).not.toContain('Filled');
    expect(kinds).toContain('execution');
    expect(fired).toEqual(['missing status', 'missing status']);
  });

  test('a fill that comes after Cancelled was told', () => {
    const [open, , execution] = lifeOfAnOrder();
    const cancelled: EventBody = {
      kind: 'order-status',
      clientId: 10,
      orderId: 1,
      permId: 1,
      status: 'Cancelled',
      filled: 0,
      remaining: 100,
    };
    if (!open || !execution) throw new Error('an order’s life has more than that');
    const { kinds, fired } = tell({ delay: { lanes: ['execution'], odds: ALWAYS, lowMs: 900, highMs: 900 } }, [open, execution, cancelled]);
    expect(kinds).toEqual(['open-order', 'Cancelled', 'execution']);
    expect(fired).toEqual(['late execution', 'fill after Cancelled']);
  });

  test('a crazy mark, and the true one after it', () => {
    const mark: EventBody = { kind: 'pnl-mark', conId: 101, quantity: 100, price: micros(50_000_000) };
    const { heard, fired } = tell({ crazyMark: ALWAYS }, [mark]);
    const told = heard[0]?.body;
    expect(told?.kind === 'pnl-mark' && (told.price > 60_000_000 || told.price < 30_000_000)).toBe(true);
    // Within the time in which a lone one is not believed.
    expect(heard[1]?.body).toEqual(mark);
    expect(heard[1]?.after).toBeLessThan(2_500);
    expect(fired).toEqual(['crazy mark']);
  });

  test('the true mark after a crazy one is lost with the connection: the next connection begins with a true one (seed 11200112)', () => {
    const line = new MessageLine({ clientId: 10, random: createRandom(3), onFault: () => undefined });
    const mark: EventBody = { kind: 'pnl-mark', conId: 101, quantity: 100, price: micros(50_000_000) };
    line.faults.crazyMark = ALWAYS;
    line.say(mark, monoMs(0));
    expect(line.take(monoMs(0))).not.toEqual([mark]);
    line.clear();
    line.say(mark, monoMs(1_000));
    expect(line.take(monoMs(1_000))).toEqual([mark]);
    line.say(mark, monoMs(4_000));
    expect(line.take(monoMs(4_000))).not.toEqual([mark]);
  });

  test('nobody takes for a while: a lane keeps its order, what was held back in it comes after what was said before and before what was said later (seed 6100144)', () => {
    const line = new MessageLine({ clientId: 10, random: createRandom(3), onFault: () => undefined });
    const marks = [50, 51].map((dollars): EventBody => ({ kind: 'pnl-mark', conId: 101, quantity: 100, price: fromDollars(dollars) }));
    line.faults.crazyMark = ALWAYS;
    for (const [index, mark] of marks.entries()) line.say(mark, monoMs(1_000 + index * 3_000));
    const prices = line.take(monoMs(9_000)).map(body => (body.kind === 'pnl-mark' ? body.price / 1e6 : 0));
    expect([prices[1], prices[3]]).toEqual([50, 51]);
    expect(prices).toHaveLength(4);
  });

  test('the end of an answer never overtakes the executions it answers', () => {
    const line = new MessageLine({ clientId: 10, random: createRandom(3), onFault: () => undefined });
    line.faults.delay = { lanes: ['execution'], odds: ALWAYS, lowMs: 5_000, highMs: 5_000 };
    const execution = lifeOfAnOrder().find(({ kind }) => kind === 'execution');
    if (execution === undefined) throw new Error('an order lives to its execution');
    line.say(execution, monoMs(0));
    line.say({ kind: 'executions-end', id: 7 }, monoMs(1));
    expect(line.take(monoMs(4_999))).toEqual([]);
    expect(line.take(monoMs(5_000)).map(({ kind }) => kind)).toEqual(['execution', 'executions-end']);
  });

  test('calm: what was held back comes with the next delivery', () => {
    const line = new MessageLine({ clientId: 10, random: createRandom(3), onFault: () => undefined });
    line.faults.delay = { lanes: ['execution'], odds: ALWAYS, lowMs: 5_000, highMs: 5_000 };
    const life = lifeOfAnOrder();
    for (const body of life) line.say(body, monoMs(0));
    expect(line.take(monoMs(1))).toHaveLength(life.length - 1);
    expect(line.nextDueAt()).toBe(5_000);
    line.calm();
    expect(line.take(monoMs(2)).map(({ kind }) => kind)).toEqual(['execution']);
    expect(line.faults.delay).toBeNull();
  });

  test('the same seed and the same words give the same line', () => {
    const faults: Partial<LineFaults> = {
      delay: { lanes: ['execution', 'order'], odds: [1, 2], lowMs: 1, highMs: 900 },
      repeat: [1, 3],
      reorder: [1, 3],
      drop: [1, 3],
    };
    const strip = ({ heard, fired }: ReturnType<typeof tell>) => JSON.stringify([heard, fired]);
    expect(strip(tell(faults))).toBe(strip(tell(faults)));
  });
});

describe('the line of a connected process', () => {
  test('frozen: marks and quotes stand still, and the newest is told when they thaw', () => {
    const b = new BrokerBench(
      [tradeOf('10:00:05', 50, 10), tradeOf('10:00:10', 50.02, 10)],
      {},
      { holdings: [{ conId: 101, quantity: 10, averageCost: micros(40_000_000) }] },
    );
    const exits = b.process(10);
    exits.broker.send({ do: 'subscribe-pnl', conId: 101 });
    b.pass(1_000);
    exits.hear();
    exits.broker.line.faults.frozenMarks = true;
    b.pass(15_000);
    expect(exits.hear()).toEqual([]);
    exits.broker.line.faults.frozenMarks = false;
    expect(exits.hear()).toEqual(['pnl 10 @ 50.02']);
    expect(b.fired).toEqual(['frozen mark', 'frozen mark']);
  });

  test('frozen quotes', () => {
    const b = new BrokerBench([quoteOf('10:00:05', 50.1, 50.12, 10)]);
    const trader = b.process(2);
    trader.broker.line.faults.frozenQuotes = true;
    trader.broker.send({ do: 'subscribe-quotes', contract: contractOf(ACME) });
    b.pass(6_000);
    expect([trader.hear(), b.fired]).toEqual([[], ['frozen quote', 'frozen quote']]);
    trader.broker.line.calm();
    expect(trader.hear()).toEqual(['quote 50.10 × 50.12']);
  });

  test('mute: nothing is heard until it is over', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.broker.line.faults.isMute = true;
    exits.place(1);
    b.pass(3_000, [exits]);
    expect([exits.hear(), exits.broker.waiting]).toEqual([[], 0]);
    exits.broker.line.calm();
    expect(exits.hear()).toEqual(['order 1 PreSubmitted', 'status 1 PreSubmitted 0/100', 'order 1 Submitted', 'status 1 Submitted 0/100']);
    expect(b.fired).toEqual(['mute']);
  });

  test('deaf: a send seems sent and never arrives', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.broker.line.faults.isDeaf = true;
    expect([exits.place(1), b.exchange.openOrders(), b.fired]).toEqual([true, [], ['deaf']]);
  });

  test('a socket silent for six seconds is given up, by a process that ran all the while', () => {
    const b = new BrokerBench();
    const [awake, stopped] = [b.process(10), b.process(2)];
    for (const { broker } of [awake, stopped]) broker.line.faults.isMute = true;
    b.pass(6_000, [awake]);
    b.pass(200, [awake, stopped]);
    expect([awake.hear().slice(0, 2), stopped.hear()]).toEqual([['disconnected', 'connected next 1 session 2'], []]);
    expect(b.fired).toContain('given up for dead');
  });

  test.each([1, 2, 3, 4, 5])('cut after %i messages: the rest of what was on its way is lost', count => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.broker.line.cutAfter({ heard: count });
    exits.place(1, AT_MARKET);
    expect(exits.bodies()).toHaveLength(count);
    expect(exits.hear()).toEqual(['disconnected']);
    expect(b.fired).toEqual(['cut']);
  });

  test('cut while sending: the last one may arrive or not, and always seems sent', () => {
    const arrived = Array.from({ length: 12 }, (_, seed) => {
      const b = new BrokerBench([], { random: createRandom(seed) });
      const exits = b.process(10);
      exits.broker.line.cutAfter({ sent: 2 });
      expect([exits.place(1), exits.place(2), exits.place(3)]).toEqual([true, true, false]);
      return b.exchange.openOrders().length;
    });
    expect(new Set(arrived)).toEqual(new Set([1, 2]));
  });
});

test('every kind of line fault has a name of its own', () => expect(new Set(LINE_FAULTS).size).toBe(LINE_FAULTS.length));
