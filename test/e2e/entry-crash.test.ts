import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import { afterEach, expect, it } from 'vitest';
import type { TestProcess } from './harness.js';
import { isPlacing, type RefereedDesk } from './refereed-desk.js';
import { claims, exchangeSeconds, openTradingDesk, UNWANTED, WANTED } from './trading-desk.js';
import { waitFor } from './waiting.js';

/**
 * kill −9 of the day trader between its claim and its send, and between its send and the broker's echo (DESIGN §8, I4, I5): no second entry
 * for the same claim, no orphan, and what fills is protected.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

const isEntry = (message: WireMessage): boolean => isPlacing(message, 2);

async function tradingDesk(environment: Readonly<Record<string, string>> = {}): Promise<{ desk: RefereedDesk; trader: TestProcess }> {
  desk = await openTradingDesk();
  await desk.guard();
  return { desk, trader: await desk.trader(environment) };
}

it('A9: nothing dies: the entry is bought once and protected', async () => {
  const { desk } = await tradingDesk();
  desk.walk(WANTED);
  await waitFor('the entry to fill and its exits to rest', () => desk.resting().length === 2, { lastSeen: desk.story });
  const bought = desk.held();
  await exchangeSeconds(desk, 65);
  expect(desk.traded('BUY')).toBe(bought);
  await desk.verdict();
});

it('I5: kill −9 between claim and send: nothing was sent, nothing is sent twice, and the claim is given back when it is sure', async () => {
  const { desk, trader } = await tradingDesk({ HOLDFAST_TEST_KILL_AT: 'place:1' });
  desk.walk(WANTED);
  expect(await desk.ended(trader)).toBe('SIGKILL');
  expect(claims(desk)).toEqual(['ACME CLAIMED 0']);
  expect(desk.resting()).toEqual([]);

  await desk.trader();
  await exchangeSeconds(desk, 40);
  // It is wanted all the while, and claimed: its fate is not certain before its time to live and a minute are over.
  expect(desk.traded('BUY')).toBe(0);
  expect(claims(desk)).toEqual(['ACME CLAIMED 0']);
  desk.walk(UNWANTED);
  await exchangeSeconds(desk, 60);
  desk.room.gateway.drop(2); // the next complete answer
  await waitFor('the claim to be given back', () => claims(desk).length === 0, { lastSeen: desk.story });

  desk.walk(WANTED);
  await waitFor('the entry to fill and its exits to rest', () => desk.resting().length === 2, { lastSeen: desk.story });
  await desk.verdict();
});

for (const [title, lateMs] of [
  ['between send and echo', 0],
  ['between send and echo, and the order reaches the exchange after the next one is READY', 1_500],
] as const) {
  it(`I5: kill −9 ${title}: one entry, protected`, async () => {
    const { desk, trader } = await tradingDesk();
    const killed = desk.killAt(trader, message => {
      const isIt = isEntry(message);
      if (isIt) desk.room.gateway.holdOrders(lateMs);
      return isIt;
    });
    desk.walk(WANTED);
    await killed;
    setTimeout(() => desk.room.gateway.holdOrders(0), lateMs);
    await desk.trader();
    await waitFor('target and disaster stop to rest', () => desk.resting().length === 2, { lastSeen: desk.story });
    const bought = desk.held();
    await exchangeSeconds(desk, 65);
    expect(desk.traded('BUY'), desk.story()).toBe(bought);
    expect(claims(desk)).toEqual([`ACME OPEN ${bought}`]);
    await desk.verdict();
  });
}

it('B1: kill −9 between send and echo of an entry that rests: it is found, dies by its time to live, and the claim is given back', async () => {
  const { desk, trader } = await tradingDesk();
  const killed = desk.killAt(trader, message => {
    const isIt = isEntry(message);
    if (isIt) {
      desk.room.gateway.holdOrders(100);
      desk.walk(51);
    }
    return isIt;
  });
  desk.walk(WANTED);
  await killed;
  await waitFor('the entry to rest', () => desk.resting().length === 1, { lastSeen: desk.story });
  desk.room.gateway.holdOrders(0);
  desk.walk(UNWANTED + 0.4);
  await desk.trader();
  await waitFor('the claim to be given back', () => claims(desk).length === 0, { lastSeen: desk.story });
  expect(desk.resting()).toEqual([]);
  expect(desk.held()).toBe(0);
  await desk.verdict();
});
