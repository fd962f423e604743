import { fromDollars } from '@holdfast/core/units';
import { ACME } from '@holdfast/sim/gateway/testing/scripted-market';
import { afterEach, expect, it } from 'vitest';
import { openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { claims, exchangeSeconds, openTradingDesk, recorded, UNWANTED, WANTED } from './trading-desk.js';
import { pause, waitFor } from './waiting.js';

/** What is in care and what is not (DESIGN §4): trades by hand, symbols closed today, and what the account held before (A5, I4, I12). */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

it('A5: a position opened by hand is adopted, protected from the price it is met at, and its stop works', async () => {
  desk = await openRefereedDesk();
  const of = desk;
  await of.guard();
  of.walk(50);
  of.room.gateway.manualTrade('ACME', 'BUY', 40);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  expect(of.resting()[0]).toMatch(/^SELL 40 LMT 50\.[89]\d$/);
  expect(of.resting()[1]).toMatch(/^SELL 40 STP 49\.[01]\d$/);
  expect(recorded(of, 'alerts', 'ACME')).toContain('POSITION_ADOPTED');

  of.walk(49.4);
  await waitFor('the trade to be closed', () => of.reasons().length === 1, { lastSeen: of.story });
  await of.verdict();
  expect(of.reasons()).toEqual(['stop']);
  expect([of.held(), of.traded('SELL')]).toEqual([0, 40]);
});

it('A7: part of it sold by hand shrinks the exits, all of it ends them: nothing is sold twice', async () => {
  desk = await openRefereedDesk();
  const of = desk;
  await of.guard();
  of.walk(50);
  await buyByHand(of, 100, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });

  of.room.gateway.manualTrade('ACME', 'SELL', 30);
  await waitFor('both exits to shrink', () => of.resting().every(line => line.startsWith('SELL 70 ')), { lastSeen: of.story });
  of.room.gateway.manualTrade('ACME', 'SELL', 70);
  await waitFor('the trade to be closed', () => of.reasons().length === 1, { lastSeen: of.story });
  await of.verdict();
  expect(of.reasons()).toEqual(['manual']);
  expect([of.held(), of.traded('SELL'), of.resting().length]).toEqual([0, 0, 0]);
});

it('A10, I4: a symbol closed today is refused, by the day trader that wants it again and by the store itself, whoever restarts', async () => {
  desk = await openTradingDesk();
  const of = desk;
  await of.guard();
  const trader = await of.trader();
  of.walk(WANTED);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  const bought = of.held();
  of.walk(51.4);
  await waitFor('the target to fill', () => of.reasons().length === 1, { lastSeen: of.story });
  expect(of.reasons()).toEqual(['target']);

  of.walk(WANTED);
  const refused = (): boolean => recorded(of, 'decisions', 'ACME').includes('CLOSED_TODAY');
  await waitFor('the day trader to want it again and be refused', refused, { lastSeen: of.story });
  process.kill(trader.pid, 'SIGKILL');
  await of.ended(trader);
  await expect(buyByHand(of, 10, 50.5)).rejects.toThrow('CLOSED_TODAY');

  await of.trader();
  await exchangeSeconds(of, 65);
  expect([of.held(), of.traded('BUY')]).toEqual([0, bought]);
  await of.verdict();
});

it('I12: what the account held before the first start is untouched to the last: wanted, fallen below any stop, liquidated', async () => {
  desk = await openTradingDesk({ holdings: [{ conId: ACME.conId, quantity: 200, averageCost: fromDollars(45) }] });
  const of = desk;
  const guard = await of.guard();
  await of.trader();
  of.walk(WANTED);
  await waitFor('the day trader to be refused', () => recorded(of, 'decisions', 'ACME').includes('BASELINE'), { lastSeen: of.story });
  of.walk(44);
  await exchangeSeconds(of, 40);
  process.kill(guard.pid, 'SIGKILL');
  await of.ended(guard);
  await of.guard();
  await exchangeSeconds(of, 20);
  of.walk(UNWANTED);

  const ran = await of.run('liquidate-all', '--yes', '--json');
  expect(ran.code, `${ran.err}\n${of.story()}`).toBe(0);
  expect(JSON.parse(ran.out)).toMatchObject({ flat: true, handsOff: [{ symbol: 'ACME', quantity: 200 }] });
  await pause(500);
  expect(claims(of)).toEqual([]);
  expect([of.held(), of.room.gateway.exchange.executions().length, of.resting().length]).toEqual([200, 0, 0]);
  await of.verdict();
});
