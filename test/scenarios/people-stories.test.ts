import { micros } from '@holdfast/core/units';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** What people do beside the desk: trades and orders by hand, commands, the kill switch. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

describe('by hand', () => {
  it('A5, I2: bought in a symbol that nobody held: adopted from the mark, protected, and sold at its stop', () => {
    const s = onDesk({ market: { ACME: FALLS } });
    s.at('09:32:00', () => s.byHand('BUY', 40));
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:32:00 operator  BUY 40 ACME by hand
      09:32:00 exchange  fills BUY 40 ACME @ 50.01 (client 0)
      09:32:00 exit-manager  target SELL 40 ACME LMT 50.9 DAY (X-1)
      09:32:00 exit-manager  disaster-stop SELL 40 ACME STP 49.1 DAY (X-2)
      09:32:00 exit-manager  info POSITION_ADOPTED: 40 ACME appeared that Holdfast did not buy.
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/40 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/40 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 40 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 40 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
  });

  it('A5, I2: bought by hand while the P&L stream says nothing: the price told with the position gives it its levels at once (seed 4000028)', () => {
    const s = onDesk({ market: { ACME: CALM } });
    s.at('09:32:00', () => {
      s.line.faults.frozenMarks = true;
      s.byHand('BUY', 40);
    });
    s.run(1_500);
    expect(s.resting()).toEqual(['SELL 40 LMT 50.90 DAY', 'SELL 40 STP 49.10 DAY']);
  });

  it('I2, A5: bought by hand, sold in part by the target, and added to: both exits grow to what is held (seed 6000360)', () => {
    const s = onDesk({
      market: { ACME: [...CALM, ['09:33:00', { price: 50.91, size: 12 }], ['09:33:10', 50.5]] },
    });
    s.at('09:32:00', () => s.byHand('BUY', 40));
    s.runTo('09:33:15');
    expect(s.position()).toBeLessThan(40);
    s.at('09:34:00', () => s.byHand('BUY', 60 - s.position()));
    s.run(3_000);
    expect(s.resting()).toEqual(['SELL 60 LMT 50.90 DAY', 'SELL 60 STP 49.10 DAY']);
  });

  it('A5, I2: bought by hand while the gateway restarts, and its first answers leave the position out: asked again after ten seconds, adopted, protected', () => {
    const s = onDesk({ market: { ACME: CALM } });
    s.at('09:32:00', () => {
      s.gateway.restart({ downMs: 6_000, unsettledMs: 5_000 });
      s.byHand('BUY', 40);
    });
    s.run(25_000);
    expect(s.resting(), s.told('ACME', 'fault')).toEqual(['SELL 40 LMT 50.92 DAY', 'SELL 40 STP 49.11 DAY']);
  });

  it('A5, I2: sold short by hand: adopted, its exits buy', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 50.6]] } });
    s.at('09:32:00', () => s.byHand('SELL', 40));
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:32:00 operator  SELL 40 ACME by hand
      09:32:00 exchange  fills SELL 40 ACME @ 49.99 (client 0)
      09:32:00 exit-manager  target BUY 40 ACME LMT 49.1 DAY (X-1)
      09:32:00 exit-manager  disaster-stop BUY 40 ACME STP 50.9 DAY (X-2)
      09:32:00 exit-manager  info POSITION_ADOPTED: -40 ACME appeared that Holdfast did not buy.
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled BUY LMT 0/40 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled BUY STP 0/40 of ACME (X-2)
      09:33:03 exit-manager  exit BUY 40 ACME MKT IOC (X-3)
      09:33:03 exchange  fills BUY 40 ACME @ 50.61 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
    expect(s.position()).toBe(0);
  });

  it('A5, A7: added to what is held, and a part of it sold: the exits follow both times', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => s.byHand('BUY', 50));
    s.at('09:33:00', () => s.byHand('SELL', 100));
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 operator  BUY 50 ACME by hand
      09:32:00 exchange  fills BUY 50 ACME @ 50.01 (client 0)
      09:32:00 exit-manager  target SELL 149 ACME LMT 50.92 DAY (X-1)
      09:32:00 exit-manager  disaster-stop SELL 149 ACME STP 49.11 DAY (X-2)
      09:33:00 operator  SELL 100 ACME by hand
      09:33:00 exchange  fills SELL 100 ACME @ 49.99 (client 0)
      09:33:01 exit-manager  target SELL 49 ACME LMT 50.92 DAY (X-1)
      09:33:01 exit-manager  disaster-stop SELL 49 ACME STP 49.11 DAY (X-2)
    `);
    expect(s.resting().map(line => line.slice(0, 11))).toEqual(['SELL 49 LMT', 'SELL 49 STP']);
  });

  it('A7, I1: the operator sells into a sale of ours that waits for buyers: both fill, and what overshot is bought back at once', () => {
    const s = onDesk({
      market: { ACME: [...FALLS, ['09:33:01', 'no bid'], ['09:36:00', 49.2]] },
      follows: ['ACME'],
    });
    s.at('09:34:30', () => s.byHand('SELL', 60));
    s.runTo('09:40:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  Cancelled SELL MKT 0/99 of ACME (X-3): the rest of an immediate order
      09:33:04 exit-manager  exit SELL 99 ACME MKT IOC (X-4)
      09:33:04 exchange  Cancelled SELL MKT 0/99 of ACME (X-4): the rest of an immediate order
      09:33:05 exit-manager  exit SELL 99 ACME MKT DAY (X-5)
      09:34:30 operator  SELL 60 ACME by hand
      09:36:00 exchange  fills SELL 99 ACME @ 49.19 (X-5)
      09:36:00 exchange  fills SELL 60 ACME @ 49.19 (client 0)
      09:36:00 exit-manager  closes ACME: stop
      09:36:00 exit-manager  exit BUY 60 ACME MKT IOC (X-6)
      09:36:00 exchange  fills BUY 60 ACME @ 49.21 (X-6)
      09:36:00 exit-manager  closes ACME: overshoot
    `);
    expect(s.position()).toBe(0);
  });

  it('I12: an order of the operator’s own rests in the book, through adoption, stop and end: nobody touches it', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:30:30', () => s.ordersByHand('BUY', 10, { limit: 40 }));
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:30:30 operator  rests BUY 10 ACME LMT 40 by hand
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
    `);
    expect(s.resting()).toEqual(['BUY 10 LMT 40.00 DAY']);
  });

  it('A7, I1: a part is sold by hand while the cancel before our sale is on its way: only the rest is sold', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.gateway.faults.slowCancel = { odds: [1, 1], lowMs: 1_500, highMs: 1_500 };
    });
    s.at('09:33:04', () => s.byHand('SELL', 60));
    s.gateway.faults.slowCancel = null;
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 fault  slow cancel: X-1
      09:33:04 operator  SELL 60 ACME by hand
      09:33:04 exchange  fills SELL 60 ACME @ 49.39 (client 0)
      09:33:05 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:05 exit-manager  cancels X-2
      09:33:05 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:05 exit-manager  exit SELL 39 ACME MKT IOC (X-3)
      09:33:05 exchange  fills SELL 39 ACME @ 49.39 (X-3)
      09:33:05 exit-manager  closes ACME: manual
    `);
    expect(s.sold()).toBe(39);
  });

  it('A7, I1, I12: the operator rests a sale of his own in our position: only the rest is ours to protect and to sell, his is not touched', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['10:30:00', 49.4]] }, follows: ['ACME'] });
    s.at('09:32:00', () => s.ordersByHand('SELL', 40, { limit: 55 }));
    s.runTo('10:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 operator  rests SELL 40 ACME LMT 55 by hand
      09:47:50 exit-manager  target SELL 59 ACME LMT 50.92 DAY (X-1)
      09:47:50 exit-manager  disaster-stop SELL 59 ACME STP 49.11 DAY (X-2)
      10:30:03 exit-manager  cancels X-1
      10:30:03 exchange  Cancelled SELL LMT 0/59 of ACME (X-1)
      10:30:03 exit-manager  cancels X-2
      10:30:03 exchange  Cancelled SELL STP 0/59 of ACME (X-2)
      10:30:03 exit-manager  exit SELL 59 ACME MKT IOC (X-3)
      10:30:03 exchange  fills SELL 59 ACME @ 49.39 (X-3)
    `);
    expect([s.position(), s.resting()]).toEqual([40, ['SELL 40 LMT 55.00 DAY']]);
  });

  it.each(['guarded', 'resting'] as const)(
    'I2, I12: the operator’s sale fills in part, and the next answer tells its whole size: what it has sold is not counted twice (%s, seed 16000897)',
    protection => {
      const s = onDesk({
        protection,
        market: { ACME: [...CALM, ['09:50:03', { price: 50.3, size: 20 }], ['09:50:04', 50.2]] },
        follows: ['ACME'],
      });
      s.at('09:32:00', () => s.ordersByHand('SELL', 60, { limit: 50.25 }));
      s.runTo('09:50:20');
      const [stop] = s.resting().filter(line => line.includes('STP'));
      expect([s.position(), s.resting()[0]]).toEqual([59, 'SELL 20 LMT 50.25 DAY']);
      expect(stop).toMatch(/^SELL 39 STP/);
      s.kill('exit-manager');
      s.run(3_000);
      expect(s.resting(), s.told('ACME')).toEqual(['SELL 20 LMT 50.25 DAY', 'SELL 39 LMT 50.92 DAY', stop]);
    },
  );

  it('I4, I12: what the account held before the desk came is never entered, never sold, whatever is traded in it by hand', () => {
    const s = onDesk({
      market: { ACME: FALLS },
      follows: ['ACME'],
      holdings: [{ conId: 101, quantity: 200, averageCost: micros(45_000_000) }],
    });
    s.at('09:32:00', () => s.byHand('SELL', 50));
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:32:00 operator  SELL 50 ACME by hand
      09:32:00 exchange  fills SELL 50 ACME @ 49.99 (client 0)
    `);
    expect([s.position(), s.resting()]).toEqual([150, []]);
  });
});

describe('by command', () => {
  it('A14, I8: the kill switch before the signal: no entry, until a person resumes', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:30:30', () => s.killSwitch(true));
    s.at('09:32:30', () => s.killSwitch(false));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'operator')).toMatchInlineSnapshot(`
      09:30:30 operator  kill switch
      09:32:30 operator  resume
      09:33:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:33:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:33:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:33:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
  });

  it('A14, I8: the kill switch while an entry rests: it is withdrawn, and no other follows', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:31:00', 50.3]] }, follows: ['ACME'], entries: { limitBufferBps: 0 } });
    s.at('09:31:05', () => s.killSwitch(true));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'operator')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.02 GTD (D-1)
      09:31:05 operator  kill switch
      09:31:05 day-trader  cancels D-1
      09:31:05 exchange  Cancelled BUY LMT 0/99 of ACME (D-1)
      09:31:05 day-trader  gives the claim of ACME back: entry cancelled: kill switch
    `);
  });

  it('A5, A10, I4: flatten: sold at once, and blocked for the day', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => s.command('flatten', { symbol: 'ACME' }));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'operator')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 operator  flatten ACME
      09:32:00 exit-manager  cancels X-1
      09:32:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:32:00 exit-manager  cancels X-2
      09:32:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:32:00 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:32:00 exchange  fills SELL 99 ACME @ 49.99 (X-3)
      09:32:00 exit-manager  closes ACME: manual
    `);
  });
});
