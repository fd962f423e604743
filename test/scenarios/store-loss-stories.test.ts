import { loseStore, replaceStore } from '@holdfast/sim/world/store-acts';
import { readPositions } from '@holdfast/store/positions';
import { readRoundTrips } from '@holdfast/store/reports';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';
import { befalls, copyOfNow, headIsDamaged } from './lost-store.js';

/** The store's file is lost, damaged or replaced while the desk is at work, told by the whole desk. With real processes: test/e2e/store-loss.test.ts. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

describe('the file', () => {
  it('A13, I2, I11: somebody deletes it with a position open: protection goes on, the supervisor restores, nothing is bought before a person resumes', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => befalls(s, loseStore));
    s.runTo('09:45:00');
    expect(s.told('ACME', 'store', 'STORE', 'supervisor')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 fault  store lost, unnoticed yet
      09:32:00 exit-manager  store-not-answering {"why":"the store is lost: its file is gone"}
      09:32:00 day-trader  worker-stopped {"code":6,"why":"the store is lost: its file is gone"}
      09:32:00 fault  store lost
      09:32:00 supervisor  store-restored {"why":"its file is gone","from":"the connection that was still open to it","setAside":""}
      09:32:00 supervisor  STORE_RESTORED {"happened":"The store was lost: its file is gone."}
      09:32:00 exit-manager  worker-stopped {"code":6,"why":"the store is replaced: another file has taken its place"}
      09:32:00 supervisor  starts exit-manager
      09:32:01 supervisor  starts day-trader
      09:41:00 person  resumes on the restored store
    `);
  });

  it('A13, I2, I3: it is damaged, and the stop is touched in the same moment: sold once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:33:00', () => headIsDamaged(s));
    s.runTo('09:50:00');
    expect(s.told('ACME', 'store', 'STORE', 'supervisor')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:00 exit-manager  store-not-answering {"why":"the store is lost: its file is no database any more"}
      09:33:00 day-trader  worker-stopped {"code":6,"why":"the store is lost: its file is no database any more"}
      09:33:00 fault  store corrupt
      09:33:00 supervisor  store-restored {"why":"its file is no database any more","from":"the connection that was still open to it","setAside":"/desk.set-aside.db"}
      09:33:00 supervisor  STORE_RESTORED {"happened":"The store was lost: its file is no database any more."}
      09:33:00 exit-manager  worker-stopped {"code":6,"why":"the store is replaced: another file has taken its place"}
      09:33:00 supervisor  starts exit-manager
      09:33:01 supervisor  starts day-trader
      09:33:02 exit-manager  cancels X-1
      09:33:02 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:02 exit-manager  cancels X-2
      09:33:02 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:02 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:02 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:02 exit-manager  closes ACME: stop
      09:38:30 person  resumes on the restored store
    `);
    expect(s.sold()).toBe(99);
  });

  it('A10, A13, I4: an older copy takes its place after the symbol was stopped out: the block stays, also for the signal that comes after a person resumed', () => {
    const s = onDesk({ market: { ACME: [...FALLS, ['09:50:00', 50.5]] }, follows: ['ACME'] });
    s.at('09:35:00', () => befalls(s, replaceStore));
    s.runTo('10:00:00');
    expect(s.told('ACME', 'store', 'STORE', 'supervisor')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
      09:35:00 fault  store replaced, unnoticed yet
      09:35:00 exit-manager  store-not-answering {"why":"the store is replaced: another file has taken its place"}
      09:35:00 exit-manager  worker-stopped {"code":6,"why":"the store is replaced: another file has taken its place"}
      09:35:00 day-trader  worker-stopped {"code":6,"why":"the store is replaced: another file has taken its place"}
      09:35:00 fault  store replaced
      09:35:00 supervisor  store-restored {"why":"another file has taken its place","from":"the file that was put in its place","setAside":"/desk.set-aside.db"}
      09:35:00 supervisor  STORE_RESTORED {"happened":"The store was lost: another file has taken its place."}
      09:35:00 supervisor  starts exit-manager
      09:35:01 supervisor  starts day-trader
      09:40:30 person  resumes on the restored store
    `);
    expect(s.sold()).toBe(99);
  });

  it('A13, I6: a copy from before the target sold takes its place: the order that sold has ended in it too (seed 1014721)', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 51] as const] }, follows: ['ACME'] });
    s.runTo('09:32:00');
    const putBack = copyOfNow(s);
    s.runTo('09:35:00');
    expect(s.position()).toBe(0);
    s.at('09:35:00', putBack);
    s.runTo('09:50:00');
    expect(s.told('fault')).toContain('store replaced');
    expect(s.sold()).toBe(99);
  });

  it('A13, I3, I7: a copy from before a sale was taken back takes its place: what came back is sold like everything else (seed 1002881)', () => {
    const s = onDesk({
      market: { ACME: [...FALLS, ['09:34:00', 50] as const, ['09:40:00', 49.3] as const] },
      follows: ['ACME'],
    });
    s.runTo('09:34:20');
    expect(s.position()).toBe(0);
    const putBack = copyOfNow(s);
    const sale = s.world.exchange.executions().at(-1);
    s.gateway.correct(sale?.execId ?? '', { shares: 0 });
    s.runTo('09:36:00');
    expect(s.resting()).toHaveLength(2);
    s.at('09:36:00', putBack);
    s.runTo('09:50:00');
    expect(s.told('fault')).toContain('store replaced');
    expect(s.position(), s.told('ACME', 'EXCEEDS')).toBe(0);
  });

  it('A13, I2: a copy from before a position was adopted takes its place, and the exit manager dies with what it knew: its exits at the broker are taken up with the first answer, none is placed twice', () => {
    const s = onDesk({ market: { ACME: CALM } });
    s.runTo('09:31:00');
    const putBack = copyOfNow(s);
    s.at('09:32:00', () => s.byHand('BUY', 40));
    s.at('09:33:00', () => {
      s.kill('exit-manager');
      putBack();
    });
    s.run(5_000);
    expect(s.told('exit-manager', 'fault')).not.toContain('WIRE_CAP');
    expect(s.told('order-recovered'), s.told('ACME')).toContain('"X-2"');
    expect(s.resting()).toEqual(['SELL 40 LMT 50.90 DAY', 'SELL 40 STP 49.10 DAY']);
    s.runTo('09:50:00');
    expect(s.resting()).toHaveLength(2);
  });

  it.each(['entered again', 'bought by hand'])(
    'A13, I1, I2, I6: a copy of the day before, in which a symbol was held that was sold since and %s today, and the exit manager dies with what it knew: two trades, not one',
    how => {
      const tuesday = [['07:00:00', 52] as const, ...CALM.slice(1).map(([clock]) => [clock, 52.2] as const)];
      const s = onDesk({ days: { '2026-03-09': { ACME: FALLS }, '2026-03-10': { ACME: tuesday } }, follows: ['ACME'] });
      s.runTo('09:32:00');
      const putBack = copyOfNow(s);
      s.runTo('16:05:00');
      s.nextDay();
      if (how === 'bought by hand') s.at('09:30:30', () => s.byHand('BUY', 40));
      s.runTo('09:35:00');
      const [held, rested] = [s.position(), s.resting()];
      s.at('09:35:00', () => {
        s.kill('exit-manager');
        putBack();
      });
      s.runTo('09:45:00');
      const rows = readPositions(s.world.operator).map(({ quantity, metadata }) => [quantity, metadata.origin]);
      expect(rows, s.told('ACME', 'refus')).toEqual([[held, how === 'entered again' ? 'entry' : 'adopted']]);
      expect(readRoundTrips(s.world.operator, s.world.date)).toMatchObject([{ quantity: 99, exitReason: 'vanished', pnl: null }]);
      const sizes = (lines: readonly string[]) => lines.map(line => line.slice(0, 11));
      expect(sizes(s.resting()), s.told('ACME')).toEqual(sizes(rested));
      expect(s.told('EXCEEDS', 'WIRE_CAP', ' X-6')).toBe('');
      expect(s.position()).toBe(held);
    },
  );
});
