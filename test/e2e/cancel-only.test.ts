import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import { DATE } from '@holdfast/sim/gateway/testing/scripted-market';
import { readPositions } from '@holdfast/store/positions';
import { isParked, readWorkerEvents } from '@holdfast/store/worker-events';
import { afterEach, expect, it } from 'vitest';
import { isCancelling, isPlacing, openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { pause, waitFor } from './waiting.js';

/**
 * A parked day trader is started once more, cancel-only, to withdraw the entry it left working (DESIGN §1, §4): only its own client id may
 * cancel it, and nobody else gives its claim back.
 */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

/** The history's VWAP is 50.10: above it the standard rule buys, below it does not; a dollar higher its limit rests unfilled. */
const UNWANTED = 50;
const WANTED = 50.21;
const OUT_OF_REACH = 51;

const claims = (desk: RefereedDesk): readonly string[] => desk.look(db => readPositions(db).map(({ status }) => status));
const recordOf = (desk: RefereedDesk): readonly string[] =>
  desk.look(db =>
    readWorkerEvents(db, DATE)
      .filter(({ worker }) => worker === 'day-trader')
      .map(({ event, detail }) => `${event}: ${detail}`),
  );

it('DESIGN §1: parked with an entry at work: a cancel-only process cancels it and gives the claim back; parked it stays', async () => {
  desk = await openRefereedDesk({
    config: { mode: 'demo', entries: { watchlist: ['ACME'], scanner: { enabled: false }, ttlSeconds: 600 } },
    gateway: { start: '10:00:00', speed: 20, waitFor: [2, 10] },
  });
  const { gateway } = desk.room;
  desk.walk(UNWANTED);
  desk.start('supervisor');
  const guard = await desk.ready('exit-manager');
  const trader = await desk.ready('day-trader');

  const cancels: WireMessage[] = [];
  desk.onWire(message => {
    if (isCancelling(message, 2)) cancels.push(message);
    if (!isPlacing(message, 2)) return;
    gateway.holdOrders(100);
    desk?.walk(OUT_OF_REACH);
  });
  desk.walk(WANTED);
  await waitFor('the entry to rest', () => desk?.resting().length === 1, { lastSeen: desk.story });
  gateway.holdOrders(0);
  expect(claims(desk)).toEqual(['CLAIMED']);
  expect(cancels).toEqual([]);

  expect((await desk.command('park', { worker: 'day-trader' })).status).toBe('done');
  await waitFor('the claim to be given back', () => desk && claims(desk).length === 0, { lastSeen: desk.story });
  await waitFor('the cancel-only process to have ended', () => desk?.pidOf('day-trader') === null, { lastSeen: desk.story });
  expect(desk.resting()).toEqual([]);
  expect(cancels).toHaveLength(1);

  // Wanted again, but parked: down it stays, and nothing is bought.
  desk.walk(WANTED);
  await pause(2_500);
  expect(desk.pidOf('day-trader')).toBeNull();
  expect(desk.held()).toBe(0);
  expect(desk.look(db => isParked(db, 'day-trader'))).toBe(true);
  expect(recordOf(desk).slice(-4)).toEqual([
    'parked: a person asked for it',
    'stopped: as asked',
    'started: cancel-only: parked, but an entry of its own must be withdrawn',
    'stopped: ended with code 0; parked as before',
  ]);
  expect(desk.pidOf('exit-manager')).toBe(guard);

  expect((await desk.command('unpark', { worker: 'day-trader' })).status).toBe('done');
  await desk.ready('day-trader', { notPid: trader });
  await desk.verdict();
});
