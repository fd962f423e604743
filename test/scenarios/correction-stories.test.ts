import { tradeDate } from '@holdfast/core/calendar';
import { fromDollars } from '@holdfast/core/units';
import { readRoundTrips } from '@holdfast/store/reports';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM, type Happening } from './desk-market.js';
import { type DeskStage, endStages, onDesk } from './desk-stage.js';

/** The broker corrects or busts what it had told: while the trade lives, after its end, and while nobody listened. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

const tripsOn = (s: DeskStage, date: string) => readRoundTrips(s.world.operator, tradeDate(date));

/** The newest execution of an order of ours is booked anew. */
function corrected(s: DeskStage, words: { readonly price?: number; readonly shares?: 0 }): void {
  const last = s.world.exchange.executions().findLast(({ clientId }) => clientId !== 0);
  if (words.shares === 0) s.gateway.correct(last?.execId ?? '', { shares: 0 });
  else s.gateway.correct(last?.execId ?? '', { price: fromDollars(words.price ?? 0) });
}

describe('a correction', () => {
  it('B6, A5: the price of the entry is corrected while the position is open: target and stop move with it', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => corrected(s, { price: 49.9 }));
    s.runTo('09:35:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 exchange  corrects of ACME to 99 @ 49.9 (7326ea49.00000001.01.02)
      09:32:00 fault  correction: D-1
      09:32:00 exit-manager  target SELL 99 ACME LMT 50.8 DAY (X-1)
      09:32:00 exit-manager  disaster-stop SELL 99 ACME STP 49.01 DAY (X-2)
    `);
  });

  it('B6, I6: the price of the sale is corrected after the end: the result follows to the cent', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:35:00', () => corrected(s, { price: 49.3 }));
    s.runTo('09:38:00');
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
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
      09:35:00 exchange  corrects of ACME to 99 @ 49.3 (7326ea49.00000002.01.02)
      09:35:00 fault  correction: X-3
      09:35:00 exit-manager  closes ACME: stop
    `);
  });

  it('B6, I6, A8: corrected while the exit manager is dead: learned at the start', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:35:00', () => {
      s.kill('exit-manager');
      corrected(s, { price: 49.3 });
    });
    s.runTo('09:38:00');
    expect(s.told('ACME', 'story', 'exit-manager  is')).toMatchInlineSnapshot(`
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
      09:35:00 story  kill −9 of the exit-manager
      09:35:00 exchange  corrects of ACME to 99 @ 49.3 (7326ea49.00000002.01.02)
      09:35:00 exit-manager  is RECONCILING (session 1)
      09:35:00 exit-manager  closes ACME: stop
      09:35:00 exit-manager  info RECONCILED: The broker's answer differed from the store in 1 point(s): SELL 99 ACME at 49.3 (X-3) replaces: 99 shares.
      09:35:00 exit-manager  is READY (0 in care)
    `);
  });
});

describe('a bust', () => {
  it('B6, I1: the entry is busted while its exits rest: they go, the trade ends without a share', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => corrected(s, { shares: 0 }));
    s.runTo('09:35:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 exchange  corrects of ACME to 0 @ 50.01 (7326ea49.00000001.01.02)
      09:32:00 fault  bust: D-1
      09:32:00 exit-manager  cancels X-1
      09:32:00 exit-manager  cancels X-2
      09:32:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:32:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:32:00 exit-manager  closes ACME: unknown
      09:32:00 day-trader  gives the claim of ACME back: entry cancelled: by the broker
    `);
    expect(s.position()).toBe(0);
  });

  it.each([
    ['its stop, which rests, and sells', 'resting', 49.4, '09:33:25'],
    ['its target', 'guarded', 51, '09:33:15'],
    ['a sale that waits for buyers', 'monitored', 49.4, '09:33:15'],
  ] as const)(
    'B6, I1: a part of the entry was sold by %s when the entry is busted: what still works goes, and is never made larger; what is short is bought back',
    (_title, protection, price, clock) => {
      const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', { price, size: 20 }]] }, follows: ['ACME'], protection });
      s.runTo(clock);
      const sold = s.sold();
      expect(sold, s.told('ACME')).toBeGreaterThan(0);
      expect(sold, s.told('ACME')).toBeLessThan(99);
      s.gateway.correct(s.world.exchange.executions()[0]?.execId ?? '', { shares: 0 });
      s.run(500);
      expect(
        s.resting().filter(line => line.startsWith('SELL')),
        s.told('ACME'),
      ).toEqual([]);
      s.runTo('09:36:00');
      expect(s.sold(), s.told('ACME')).toBe(sold);
      expect(s.position(), s.told('ACME')).toBe(0);
    },
  );

  it('B6, I2, A10: the sale is busted after the end: the position is open again, protected or sold anew, and stays blocked', () => {
    const s = onDesk({ market: { ACME: [...FALLS, ['09:34:00', 50]] }, follows: ['ACME'] });
    s.at('09:35:00', () => corrected(s, { shares: 0 }));
    s.runTo('09:38:00');
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
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
      09:35:00 exchange  corrects of ACME to 0 @ 49.39 (7326ea49.00000002.01.02)
      09:35:00 fault  bust: X-3
      09:35:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-4)
      09:35:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-5)
    `);
  });

  it('B6, I1, A8: sold by hand, and the entry is busted while the exit manager hangs: the day trader books it first, the successor buys back at once', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => s.byHand('SELL', 99));
    s.at('09:33:00', () => {
      s.stop('exit-manager');
      s.gateway.correct(s.world.exchange.executions()[0]?.execId ?? '', { shares: 0 });
    });
    s.run(7_500);
    expect(s.position(), s.told('ACME')).toBe(0);
    expect(s.told('POSITION_ADOPTED')).toBe('');
    s.runTo('09:36:00');
  });

  it('B6, I2, A8: the sale is busted while the exit manager is dead: found at the start, protected or sold anew', () => {
    const s = onDesk({ market: { ACME: [...FALLS, ['09:34:00', 50]] }, follows: ['ACME'] });
    s.at('09:35:00', () => {
      s.kill('exit-manager');
      corrected(s, { shares: 0 });
    });
    s.runTo('09:38:00');
    expect(s.told('ACME', 'story', 'exit-manager  is')).toMatchInlineSnapshot(`
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
      09:35:00 story  kill −9 of the exit-manager
      09:35:00 exchange  corrects of ACME to 0 @ 49.39 (7326ea49.00000002.01.02)
      09:35:00 exit-manager  is RECONCILING (session 1)
      09:35:00 exit-manager  is READY (1 in care)
      09:35:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-4)
      09:35:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-5)
      09:35:00 exit-manager  info RECONCILED: The broker's answer differed from the store in 2 point(s): SELL 0 ACME at 49.39 (X-3) replaces: 99 shares; X-3: FILLED is CANCELLED.
    `);
  });

  it('B6, I3, A8: carried over a night, sold, and the sale is busted while the exit manager is dead: the same trade again, with its own levels', () => {
    const nights: readonly (readonly [string, Happening])[] = [...CALM, ['15:30:00', 'no bid']];
    const s = onDesk({ days: { '2026-03-09': { ACME: nights }, '2026-03-10': { ACME: [['07:00:00', 49.9]] } }, follows: ['ACME'] });
    s.runTo('16:05:00');
    expect(s.position()).toBe(99);
    s.nextDay();
    s.runTo('09:40:00');
    expect(s.position()).toBe(0);
    s.at('09:45:00', () => {
      s.kill('exit-manager');
      corrected(s, { shares: 0 });
    });
    s.runTo('09:48:00');
    expect(s.told('POSITION_ADOPTED')).toBe('');
    expect(s.resting(), s.told('ACME')).toEqual(['SELL 99 LMT 50.92 DAY', 'SELL 99 STP 49.11 DAY']);
  });

  it.each([true, false])(
    'B6, I2, I6, A8: a sale of the day before is busted, the exit manager restarted in the night (%s): the same trade again',
    dies => {
      const days = { '2026-03-09': { ACME: FALLS }, '2026-03-10': { ACME: [['07:00:00', 49.9] as const, ['09:50:00', 49.4] as const] } };
      const s = onDesk({ days });
      s.at('09:32:00', () => s.byHand('BUY', 40));
      s.runTo('16:05:00');
      const sale = s.world.exchange.executions().at(-1)?.execId ?? '';
      const [sold] = tripsOn(s, '2026-03-09');
      s.nextDay();
      if (dies) s.at('09:20:00', () => s.kill('exit-manager'));
      s.at('09:35:00', () => s.gateway.correct(sale, { shares: 0 }));
      s.runTo('09:36:00');
      expect(
        s.resting().map(line => line.slice(0, 11)),
        s.told('ACME'),
      ).toEqual(['SELL 40 LMT', 'SELL 40 STP']);
      s.runTo('10:00:00');
      expect([tripsOn(s, '2026-03-09'), tripsOn(s, '2026-03-10')]).toMatchObject([
        [],
        [{ tradeId: sold?.tradeId, entryPrice: sold?.entryPrice, quantity: 40, exitReason: 'stop' }],
      ]);
    },
  );

  it('I1, I2, A8: shares of an ended trade came back into a short and were sold, the exit manager restarts, and that sale is busted too: it is sold again, nothing is bought (seed 6100953)', () => {
    const s = onDesk({ market: { ACME: FALLS } });
    s.at('09:32:00', () => s.byHand('BUY', 40));
    s.at('09:34:00', () => s.byHand('SELL', 30));
    s.at('09:35:00', () => corrected(s, { shares: 0 }));
    s.runTo('09:36:00');
    expect(s.position()).toBe(0);
    s.kill('exit-manager');
    s.at('09:37:00', () => corrected(s, { shares: 0 }));
    s.runTo('09:40:00');
    expect(s.told('ACME', 'story')).toMatchInlineSnapshot(`
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
      09:34:00 operator  SELL 30 ACME by hand
      09:34:00 exchange  fills SELL 30 ACME @ 49.39 (client 0)
      09:34:00 exit-manager  target BUY 30 ACME LMT 48.51 DAY (X-4)
      09:34:00 exit-manager  disaster-stop BUY 30 ACME STP 50.28 DAY (X-5)
      09:34:00 exit-manager  info POSITION_ADOPTED: -30 ACME appeared that Holdfast did not buy.
      09:35:00 exchange  corrects of ACME to 0 @ 49.39 (7326ea49.00000002.01.02)
      09:35:00 fault  bust: X-3
      09:35:00 exit-manager  closes ACME: stop
      09:35:00 exit-manager  cancels X-4
      09:35:00 exit-manager  cancels X-5
      09:35:00 exchange  Cancelled BUY LMT 0/30 of ACME (X-4)
      09:35:00 exchange  Cancelled BUY STP 0/30 of ACME (X-5)
      09:35:00 exit-manager  shares-came-back {"symbol":"ACME","shares":40,"from":"adopted-101-2026-03-09-2-3","to":"adopted-101-2026-03-09-2-5"}
      09:35:00 exit-manager  exit SELL 10 ACME MKT IOC (X-6)
      09:35:00 exchange  fills SELL 10 ACME @ 49.39 (X-6)
      09:35:00 exit-manager  closes ACME: overshoot
      09:36:00 story  kill −9 of the exit-manager
      09:36:00 exit-manager  closes ACME: stop
      09:37:00 exchange  corrects of ACME to 0 @ 49.39 (7326ea49.00000004.01.02)
      09:37:00 fault  bust: X-6
      09:37:00 exit-manager  exit SELL 10 ACME MKT IOC (X-7)
      09:37:00 exchange  fills SELL 10 ACME @ 49.39 (X-7)
      09:37:00 exit-manager  closes ACME: overshoot
    `);
    expect(s.position()).toBe(0);
  });
});
