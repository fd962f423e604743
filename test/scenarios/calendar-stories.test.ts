import { afterEach, describe, expect, it } from 'vitest';
import { CALM, type SymbolDay } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** Days: short ones, changed clocks, several in a row with the reset between them, and what stands over a night. */

afterEach(endStages);

describe('one day', () => {
  it('I7: a half day closes at one: flat from a quarter to one, and no entry after that', () => {
    const s = onDesk({
      days: {
        '2026-11-27': {
          ACME: CALM,
          BOLT: [
            ['09:00:00', 80],
            ['12:46:00', 80.3],
          ],
        },
      },
      follows: ['ACME'],
    });
    s.runTo('13:05:00');
    expect(s.told('ACME', 'BOLT')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      12:45:00 exit-manager  cancels X-1
      12:45:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      12:45:00 exit-manager  cancels X-2
      12:45:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      12:45:00 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      12:45:00 exchange  fills SELL 99 ACME @ 49.99 (X-3)
      12:45:00 exit-manager  closes ACME: end-of-day
    `);
    expect(s.position()).toBe(0);
  });

  it('I7: nobody buys before the close: carried under a stop that outlives the day, sold at the next open', () => {
    const s = onDesk({
      days: {
        '2026-03-09': { ACME: [...CALM, ['15:40:00', 'no bid']] },
        '2026-03-10': { ACME: [['09:00:00', 50.1]] },
      },
      follows: ['ACME'],
    });
    s.runTo('16:10:00');
    expect(s.resting()).toEqual(['SELL 99 STP 49.56 GTC']);
    s.nextDay();
    s.runTo('10:00:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      15:45:00 exit-manager  cancels X-1
      15:45:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      15:45:00 exit-manager  cancels X-2
      15:45:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      15:45:00 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      15:45:00 exchange  Cancelled SELL MKT 0/99 of ACME (X-3): the rest of an immediate order
      15:45:01 exit-manager  exit SELL 99 ACME MKT IOC (X-4)
      15:45:01 exchange  Cancelled SELL MKT 0/99 of ACME (X-4): the rest of an immediate order
      15:45:02 exit-manager  exit SELL 99 ACME MKT DAY (X-5)
      16:00:00 exchange  Cancelled SELL MKT 0/99 of ACME (X-5): DAY expired
      16:00:00 exit-manager  cancels X-5
      16:00:00 exit-manager  disaster-stop SELL 99 ACME STP 49.56 GTC (X-6)
      16:01:00 exit-manager  critical CARRIED_OVERNIGHT: Not flat after the close: 99 ACME.
      09:30:00 exit-manager  cancels X-6
      09:30:00 exchange  Cancelled SELL STP 0/99 of ACME (X-6)
      09:30:00 exit-manager  exit SELL 99 ACME MKT DAY (X-7)
      09:30:00 exchange  fills SELL 99 ACME @ 50.09 (X-7)
      09:30:00 exit-manager  closes ACME: end-of-day
    `);
    expect(s.sold()).toBe(99);
  });

  it('A8, I3: somebody sets the machine’s clock two hours back and four forward: nothing depends on it', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 49.4]] }, follows: ['ACME'] });
    s.at('09:30:30', () => {
      s.world.time.wallStepMs = -7_200_000;
    });
    s.at('09:32:00', () => {
      s.world.time.wallStepMs = 14_400_000;
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'supervisor')).toMatchInlineSnapshot(`
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
  });

  it('A8, I3: the machine is suspended for a minute while the stop is touched: whoever wakes up compares before it acts, and sells once', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 49.4]] }, follows: ['ACME'] });
    s.at('09:32:50', () => suspended(s.world, 60_000));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'suspend', 'PAUSED', 'paused')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:50 story  suspended for 60 s
      09:33:53 exit-manager  cancels X-1
      09:33:53 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:53 exit-manager  cancels X-2
      09:33:53 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:53 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:53 exchange  fills SELL 99 ACME @ 49.4 (X-3)
      09:33:53 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });
});

describe('days in a row', () => {
  const day = (stopAt: string): SymbolDay => [...CALM, [stopAt, 49.4]];

  it.each([
    ['2026-03-06', '2026-03-09', 'forward'],
    ['2026-10-30', '2026-11-02', 'back'],
  ])('A5, I7: between %s and %s the clocks go %s: New York’s hours hold on both days', (first, second) => {
    const s = onDesk({ days: { [first]: { ACME: CALM }, [second]: { ACME: CALM } }, follows: ['ACME'] });
    s.runTo('16:10:00');
    s.nextDay();
    s.runTo('16:10:00');
    expect(s.told('enters', 'closes ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      15:45:00 exit-manager  closes ACME: end-of-day
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-2)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-2)
      15:45:00 exit-manager  closes ACME: end-of-day
    `);
  });

  it('A10, I4: three days in a row: a symbol that was stopped out is blocked for its day, and bought again on the next', () => {
    const s = onDesk({
      days: { '2026-03-09': { ACME: day('09:33:00') }, '2026-03-10': { ACME: day('09:34:00') }, '2026-03-11': { ACME: CALM } },
      follows: ['ACME'],
    });
    s.runTo('16:10:00');
    s.nextDay();
    s.runTo('16:10:00');
    s.nextDay();
    s.runTo('10:00:00');
    expect(s.told('enters', 'closes ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:33:03 exit-manager  closes ACME: stop
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-2)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-2)
      09:34:03 exit-manager  closes ACME: stop
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-3)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-3)
    `);
  });
});

describe('a night', () => {
  it('I1, I7: a split over the night in which a position is carried: the quantity follows the broker, the stop the new price, a person is told', () => {
    const s = onDesk({
      days: {
        '2026-03-09': { ACME: [...CALM, ['15:40:00', 'no bid']] },
        '2026-03-10': { ACME: [['09:00:00', 25]] },
      },
      follows: ['ACME'],
      splits: { '2026-03-10': [{ symbol: 'ACME', numerator: 2, denominator: 1 }] },
    });
    s.runTo('16:10:00');
    s.nextDay();
    s.runTo('10:00:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      15:45:00 exit-manager  cancels X-1
      15:45:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      15:45:00 exit-manager  cancels X-2
      15:45:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      15:45:00 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      15:45:00 exchange  Cancelled SELL MKT 0/99 of ACME (X-3): the rest of an immediate order
      15:45:01 exit-manager  exit SELL 99 ACME MKT IOC (X-4)
      15:45:01 exchange  Cancelled SELL MKT 0/99 of ACME (X-4): the rest of an immediate order
      15:45:02 exit-manager  exit SELL 99 ACME MKT DAY (X-5)
      16:00:00 exchange  Cancelled SELL MKT 0/99 of ACME (X-5): DAY expired
      16:00:00 exit-manager  cancels X-5
      16:00:00 exit-manager  disaster-stop SELL 99 ACME STP 49.56 GTC (X-6)
      16:01:00 exit-manager  critical CARRIED_OVERNIGHT: Not flat after the close: 99 ACME.
      04:00:00 exchange  Cancelled SELL STP 0/99 of ACME (X-6): corporate action
      04:00:00 exit-manager  disaster-stop SELL 99 ACME STP 49.56 GTC (X-7)
      04:00:10 exit-manager  disaster-stop SELL 198 ACME STP 24.78 GTC (X-7)
      04:00:10 exit-manager  warning QUANTITY_CORRECTED: The broker twice reported 198 ACME where executions say 99, and no execution explains it.
      09:30:00 exit-manager  cancels X-7
      09:30:00 exchange  Cancelled SELL STP 0/198 of ACME (X-7)
      09:30:00 exit-manager  exit SELL 198 ACME MKT DAY (X-8)
      09:30:00 exchange  fills SELL 198 ACME @ 24.99 (X-8)
      09:30:00 exit-manager  closes ACME: end-of-day
    `);
  });
});

/** Of its monotonic clock no time passes, of the exchange's some. */
function suspended(world: ReturnType<typeof onDesk>['world'], ms: number): void {
  world.say('story', `suspended for ${ms / 1_000} s`);
  world.tell({ fact: 'machine', awake: false });
  world.time.passExchange(ms);
  world.exchange.advanceTo(world.time.exchange());
  world.tell({ fact: 'machine', awake: true });
}
