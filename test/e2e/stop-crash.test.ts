import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import { afterEach, expect, it } from 'vitest';
import type { TestProcess } from './harness.js';
import { isCancelling, isMarketOrder, openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { waitFor } from './waiting.js';

/**
 * kill −9 of the exit manager anywhere between the touch of a stop and its sale (DESIGN §8, I1–I3): its successor carries the exit on, and
 * a hundred shares bought are a hundred shares sold.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

/** Bought at about 50.01: the stop is near 49.55, the disaster stop near 49.10, so that this price touches the one and not the other. */
const BEYOND_THE_STOP = 49.4;
const IN_THE_WORDS_OF = { target: /^SELL 100 LMT 50.9\d$/, disasterStop: /^SELL 100 STP 49.1\d$/ };

async function protectedPosition(environment: Readonly<Record<string, string>> = {}): Promise<{ desk: RefereedDesk; guard: TestProcess }> {
  desk = await openRefereedDesk();
  const of = desk;
  const guard = await of.guard(environment);
  of.walk(50);
  await buyByHand(of, 100, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  const [target, disasterStop] = of.resting();
  expect(target).toMatch(IN_THE_WORDS_OF.target);
  expect(disasterStop).toMatch(IN_THE_WORDS_OF.disasterStop);
  return { desk: of, guard };
}

/** Flat, closed, both books equal, no referee has seen anything, and what was bought was sold once. */
async function soldOnce(desk: RefereedDesk, withinMs = 20_000): Promise<void> {
  await waitFor('the position to be flat', () => desk.held() === 0, { withinMs, lastSeen: desk.story });
  await waitFor('the trade to be closed', () => desk.reasons().length === 1, { withinMs, lastSeen: desk.story });
  await desk.verdict();
  expect(desk.traded('SELL'), desk.story()).toBe(100);
  expect(desk.resting()).toEqual([]);
}

it('I3: nothing dies: the touched stop is sold', async () => {
  const { desk } = await protectedPosition();
  desk.walk(BEYOND_THE_STOP);
  await soldOnce(desk);
  expect(desk.reasons()).toEqual(['stop']);
});

/** A mark of the P&L stream (message 95) that values 100 shares below the stop. */
const isTouch = ({ direction, clientId, fields }: WireMessage): boolean =>
  direction === 'out' && clientId === 10 && Number(fields[0]) === 95 && Number(fields.at(-1)) < 4_950 && Number(fields.at(-1)) > 0;
const isCancel = (message: WireMessage): boolean => isCancelling(message, 10);
const isSale = (message: WireMessage): boolean => isMarketOrder(message, 10);

const INSTANTS: readonly { title: string; fits: (message: WireMessage) => boolean; nth?: number; lateMs?: number }[] = [
  { title: 'the first mark beyond the stop is on its way', fits: isTouch },
  { title: 'the mark that confirms it is on its way', fits: isTouch, nth: 2 },
  { title: 'the cancel of the target has reached the gateway', fits: isCancel },
  { title: 'the cancel of the target reaches the exchange after the next one is READY', fits: isCancel, lateMs: 1_500 },
  { title: 'the cancel of the disaster stop has reached the gateway', fits: isCancel, nth: 2 },
  { title: 'the sale has reached the gateway', fits: isSale },
  { title: 'the sale reaches the exchange while the next one starts', fits: isSale, lateMs: 300 },
  { title: 'the sale reaches the exchange after the next one is READY', fits: isSale, lateMs: 1_500 },
];

for (const { title, fits, nth, lateMs } of INSTANTS) {
  it(`I1, I3: kill −9 when ${title}`, async () => {
    const { desk, guard } = await protectedPosition();
    const killed = desk.killAt(
      guard,
      message => {
        const isIt = fits(message);
        // From this order on: what went before was answered at once.
        if (isIt && lateMs !== undefined) desk.room.gateway.holdOrders(lateMs);
        return isIt;
      },
      nth,
    );
    desk.walk(BEYOND_THE_STOP);
    await killed;
    await desk.guard();
    if (lateMs !== undefined) setTimeout(() => desk.room.gateway.holdOrders(0), lateMs);
    await soldOnce(desk);
  });
}

it('I1, I3: kill −9 between the committed intent of the sale and its first byte: asked about, its id used again, sold once', async () => {
  // The first order is the target, the second the disaster stop, the third the sale.
  const { desk, guard } = await protectedPosition({ HOLDFAST_TEST_KILL_AT: 'place:3' });
  desk.walk(BEYOND_THE_STOP);
  expect(await desk.ended(guard)).toBe('SIGKILL');
  expect(desk.held()).toBe(100);
  expect(desk.resting()).toEqual([]);
  await desk.guard();
  await soldOnce(desk);
});

it('I1: kill −9 again and again on the way out: every life carries the same exit on', async () => {
  const { desk, guard } = await protectedPosition();
  desk.walk(BEYOND_THE_STOP);
  await desk.killAt(guard, isCancel);
  for (let life = 2; life <= 4; life += 1) {
    const next = desk.start('exit-manager', [], { HOLDFAST_TEST_KILL_AT: 'place:1' });
    expect(await desk.ended(next)).toBe('SIGKILL');
  }
  await desk.guard();
  await soldOnce(desk);
});

it('A4, I3: kill −9 of the supervisor while a position is open: the exit manager keeps its pid, sells the touched stop, and is adopted', async () => {
  const { desk, guard } = await protectedPosition();
  process.kill(guard.pid, 'SIGKILL');
  await desk.ended(guard);
  const supervisor = desk.start('supervisor');
  const pid = await desk.ready('exit-manager');
  process.kill(supervisor.pid, 'SIGKILL');
  await desk.ended(supervisor);
  desk.walk(BEYOND_THE_STOP);
  await soldOnce(desk);
  expect(desk.pidOf('exit-manager')).toBe(pid);
  const next = desk.start('supervisor');
  await waitFor('the next supervisor to adopt it', () => next.output().includes('adopted'), { lastSeen: desk.story });
  expect(desk.pidOf('exit-manager')).toBe(pid);
});
