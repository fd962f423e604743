import { afterEach, describe, expect, it } from 'vitest';
import { isPlacing, openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
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
