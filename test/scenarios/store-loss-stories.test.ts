import { corruptStore, loseStore, replaceStore } from '@holdfast/sim/world/store-acts';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** The store's file is lost, damaged or replaced while the desk is at work, told by the whole desk. With real processes: test/e2e/store-loss.test.ts. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

describe('the file', () => {
  it('A13, I2, I11: somebody deletes it with a position open: protection goes on, the supervisor restores, nothing is bought before a person resumes', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => loseStore(s.world, s.world.faults));
    s.runTo('09:45:00');
    expect(s.told('ACME', 'store', 'STORE', 'supervisor')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
  });

  it('A13, I2, I3: it is damaged, and the stop is touched in the same moment: sold once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:33:00', () => corruptStore(s.world, s.world.faults));
    s.runTo('09:50:00');
    expect(s.told('ACME', 'store', 'STORE', 'supervisor')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:10 exit-manager  cancels X-1
      09:33:10 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:10 exit-manager  cancels X-2
      09:33:10 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:10 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:10 exchange  fills SELL 99 ACME @ 49.4 (X-3)
      09:33:10 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A10, A13, I4: an older copy takes its place after the symbol was stopped out: the block stays, also for the signal that comes after a person resumed', () => {
    const s = onDesk({ market: { ACME: [...FALLS, ['09:50:00', 50.5]] }, follows: ['ACME'] });
    s.at('09:35:00', () => replaceStore(s.world, s.world.faults));
    s.runTo('10:00:00');
    expect(s.told('ACME', 'store', 'STORE', 'supervisor')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:10 exit-manager  cancels X-1
      09:33:10 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:10 exit-manager  cancels X-2
      09:33:10 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:10 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:10 exchange  fills SELL 99 ACME @ 49.4 (X-3)
      09:33:10 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });
});
