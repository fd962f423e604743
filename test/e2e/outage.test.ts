import { afterEach, describe, expect, it } from 'vitest';
import { isMarketOrder, isPlacing, openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { claims, exchangeSeconds, openTradingDesk, WANTED } from './trading-desk.js';
import { pause, waitFor } from './waiting.js';

/**
 * The gateway is away while the exchange goes on (A8, DESIGN §3): what filled meanwhile is learned at the reconnect, booked once, and what
 * then must be done is done, also when order ids are issued twice.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

async function protectedPosition(): Promise<RefereedDesk> {
  desk = await openRefereedDesk();
  const of = desk;
  await of.guard();
  of.walk(50);
  await buyByHand(of, 100, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  return of;
}

async function closedAs(desk: RefereedDesk, reason: string): Promise<void> {
  await waitFor('the trade to be closed', () => desk.reasons().length === 1, { lastSeen: desk.story });
  await desk.verdict();
  expect(desk.reasons()).toEqual([reason]);
  expect(desk.traded('SELL'), desk.story()).toBe(100);
  expect(desk.held()).toBe(0);
  expect(desk.resting()).toEqual([]);
}

const AWAY_MS = 1_200;
const OUTAGES: readonly (readonly [string, (desk: RefereedDesk) => void])[] = [
  ['an outage', ({ room }) => room.gateway.outage(AWAY_MS)],
  ['a restart with id rollback', ({ room }) => room.gateway.restart(AWAY_MS, 5)],
];

describe.each(OUTAGES)('%s', (_title, goAway) => {
  it('A8: the target fills meanwhile: closed as target, its sibling is gone', async () => {
    const desk = await protectedPosition();
    goAway(desk);
    desk.walk(51);
    await closedAs(desk, 'target');
  });

  it('A8: the disaster stop fills meanwhile', async () => {
    const desk = await protectedPosition();
    goAway(desk);
    desk.walk(48.9);
    await closedAs(desk, 'disaster-stop');
  });

  it('A8: the stop is touched meanwhile: sold after the reconnect', async () => {
    const desk = await protectedPosition();
    goAway(desk);
    desk.walk(49.4);
    await closedAs(desk, 'stop');
  });

  it('A8, A7: the exit manager dies as well, and its successor is given ids that were used before', async () => {
    const desk = await protectedPosition();
    const pid = desk.pidOf('exit-manager');
    goAway(desk);
    if (pid !== null) process.kill(pid, 'SIGKILL');
    await pause(AWAY_MS);
    await desk.guard();
    desk.walk(49.4);
    await closedAs(desk, 'stop');
  });

  it('A8, I5: the entry fills meanwhile: one entry, protected', async () => {
    desk = await openTradingDesk();
    const of = desk;
    await of.guard();
    await of.trader();
    of.onWire(message => {
      if (!isPlacing(message, 2)) return;
      of.onWire(null);
      // On its way for 300 ms, during which every line goes down: filled, and nobody is told.
      of.room.gateway.holdOrders(300);
      setImmediate(() => {
        goAway(of);
        of.room.gateway.holdOrders(0);
      });
    });
    of.walk(WANTED);
    await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
    const bought = of.held();
    await exchangeSeconds(of, 65);
    expect(of.traded('BUY'), of.story()).toBe(bought);
    expect(claims(of)).toEqual([`ACME OPEN ${bought}`]);
    await of.verdict();
  });
});

it('A8, I1: a sale fills in part while the line drops, its echo and its end are lost: the rest is sold', async () => {
  desk = await openRefereedDesk();
  const of = desk;
  await of.guard();
  of.walk(50);
  // More than the book shows at once, so that one market order leaves a rest.
  await buyByHand(of, 1_500, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  const bought = of.held();
  let sales = 0;
  of.onWire(message => {
    if (!isMarketOrder(message, 10)) return;
    sales += 1;
    if (sales > 1) return;
    of.room.gateway.holdOrders(100);
    setImmediate(() => {
      of.room.gateway.outage(800);
      of.room.gateway.holdOrders(0);
    });
  });
  of.walk(49.4);
  await waitFor('the trade to be closed', () => of.reasons().length === 1, { lastSeen: of.story, withinMs: 25_000 });
  await of.verdict();
  expect(of.reasons()).toEqual(['stop']);
  expect(sales, of.story()).toBeGreaterThan(1);
  expect(of.traded('SELL'), of.story()).toBe(bought);
  expect(of.held()).toBe(0);
});
