import { tradeDateOf } from '@holdfast/core/calendar';
import { readRoundTrips } from '@holdfast/store/reports';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** What the broker says comes late, twice, in another order or never, and fills race cancels; told by the whole desk. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];
const ALWAYS = [1, 1] as const;

describe('late words', () => {
  it('A8, B6: executions come four seconds late: the position push is enough to protect, the fill is booked once', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:30:59', () => {
      s.line.faults.delay = { lanes: ['execution'], odds: ALWAYS, lowMs: 4_000, highMs: 4_000 };
      s.lineOf('day-trader').faults.delay = { lanes: ['execution', 'order'], odds: ALWAYS, lowMs: 4_000, highMs: 4_000 };
    });
    s.at('09:31:30', () => {
      s.line.calm();
      s.lineOf('day-trader').calm();
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'late exec')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:04 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:04 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
  });

  it('B6, I6: everything is said twice: one trade, its result counted once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:30:59', () => {
      s.line.faults.repeat = ALWAYS;
      s.lineOf('day-trader').faults.repeat = ALWAYS;
    });
    s.runTo('09:36:00');
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
    `);
    expect(s.sold()).toBe(99);
  });

  it('B1, I6: status before the order, execution after the status, fill after Cancelled: the end is the same', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:30:59', () => {
      s.line.faults.reorder = ALWAYS;
      s.lineOf('day-trader').faults.reorder = ALWAYS;
    });
    s.runTo('09:38:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 fault  status before open-order: D-1
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 fault  status before open-order: D-1
      09:31:01 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:01 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:31:01 fault  status before open-order: X-1
      09:31:01 fault  status before open-order: X-2
      09:33:02 fault  status before open-order: X-1
      09:33:02 fault  status before open-order: X-2
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 fault  status before open-order: X-1
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 fault  status before open-order: X-2
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 fault  status before open-order: X-3
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 fault  status before open-order: X-3
      09:33:05 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('B1, I2: echoes and statuses of new orders never come: what is not known to work is asked about, and nothing is doubled', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:30:59', () => {
      s.line.faults.drop = ALWAYS;
      s.lineOf('day-trader').faults.drop = ALWAYS;
    });
    s.at('09:34:30', () => {
      s.line.calm();
      s.lineOf('day-trader').calm();
    });
    s.runTo('09:38:00');
    expect(s.told('ACME', 'missing')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 fault  missing status
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 fault  missing status
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:31:00 fault  missing status
      09:33:02 fault  missing status
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 fault  missing status
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 fault  missing status
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 fault  missing status
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 fault  missing status
      09:33:03 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });
});

describe('races', () => {
  it('A7, I1: the cancel of the target takes five seconds, and the target fills meanwhile: it was the sale, nothing else is sold', () => {
    const s = onDesk({ market: { ACME: [...FALLS, ['09:33:05', 51]] }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.gateway.faults.slowCancel = { odds: ALWAYS, lowMs: 5_000, highMs: 5_000 };
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'cancel')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 fault  slow cancel: X-1
      09:33:05 exchange  fills SELL 99 ACME @ 50.99 (X-1)
      09:33:05 exchange  Cancelled SELL STP 0/99 of ACME (X-2): another member of its OCA group filled
      09:33:05 exit-manager  closes ACME: target
      09:33:08 fault  cancel 10148
    `);
    expect(s.sold()).toBe(99);
  });

  it('A7, I1, I6: a part of the target fills while it is cancelled, and its execution comes four seconds after Cancelled: only the rest is sold', () => {
    const s = onDesk({ market: { ACME: [...FALLS, ['09:33:05', { price: 51, size: 30 }], ['09:33:06', 49.4]] }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.gateway.faults.slowCancel = { odds: ALWAYS, lowMs: 1_900, highMs: 1_900 };
      s.line.faults.delay = { lanes: ['execution'], odds: ALWAYS, lowMs: 4_000, highMs: 4_000 };
    });
    s.at('09:33:20', () => {
      s.gateway.calm();
      s.line.calm();
    });
    // A commission that overtook its execution is asked for when the trade is closed, and not with the minute's comparison.
    s.runTo('09:33:19');
    const paid = s.world.exchange.executions().reduce((sum, { commission }) => sum + commission, 0);
    expect(readRoundTrips(s.world.operator, tradeDateOf(s.world.time.exchange()))).toMatchObject([{ symbol: 'ACME', commission: paid }]);
    s.runTo('10:00:00');
    expect(s.told('ACME', 'cancel', 'late')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 fault  slow cancel: X-1
      09:33:05 exchange  fills SELL 30 ACME @ 50.99 (X-1)
      09:33:05 exchange  Cancelled SELL LMT 60/99 of ACME (X-1)
      09:33:05 exit-manager  cancels X-2
      09:33:05 fault  slow cancel: X-2
      09:33:07 exchange  Cancelled SELL STP 0/39 of ACME (X-2)
      09:33:09 exit-manager  exit SELL 39 ACME MKT IOC (X-3)
      09:33:09 exchange  fills SELL 39 ACME @ 49.39 (X-3)
      09:33:15 exit-manager  closes ACME: target
    `);
    expect([s.sold(), s.world.counts.faults['fill after Cancelled']]).toEqual([99, expect.any(Number)]);
  });

  it('A5, I2: the entry fills in parts: each part is protected as it comes, by the same two orders', () => {
    const s = onDesk({
      market: { ACME: [...CALM, ['09:30:50', { price: 50, size: 30 }], ['09:32:10', 50]] },
      follows: ['ACME'],
    });
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 30 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 30 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 30 ACME STP 49.11 DAY (X-2)
      09:31:10 exchange  fills BUY 30 ACME @ 50.02 (D-1)
      09:31:10 exit-manager  target SELL 60 ACME LMT 50.92 DAY (X-1)
      09:31:10 exit-manager  disaster-stop SELL 60 ACME STP 49.12 DAY (X-2)
      09:31:10 exit-manager  target SELL 90 ACME LMT 50.92 DAY (X-1)
      09:31:10 exit-manager  disaster-stop SELL 90 ACME STP 49.12 DAY (X-2)
      09:31:20 exchange  fills BUY 9 ACME @ 50.01 (D-1)
      09:31:20 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:20 exit-manager  disaster-stop SELL 99 ACME STP 49.12 DAY (X-2)
    `);
    expect(s.resting()).toHaveLength(2);
  });
});
