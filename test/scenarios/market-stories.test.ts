import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** What the market does to a position: gaps, halts, and marks that are stale, frozen or crazy. */

afterEach(endStages);

describe('prices', () => {
  it('A5, I3: a gap through stop and disaster stop at once: the one that rests is there first, nothing is sold twice', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 47]] }, follows: ['ACME'] });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'gap')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:00 exchange  fills SELL 99 ACME @ 46.99 (X-2)
      09:33:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1): another member of its OCA group filled
      09:33:00 exit-manager  closes ACME: disaster-stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A5, I3: a gap through a stop that nothing rests for (monitored): sold at what the market pays', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 47]] }, follows: ['ACME'], protection: 'monitored' });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'gap')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:33:00 fault  gap through the stop
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-2)
      09:33:03 exchange  fills SELL 99 ACME @ 46.99 (X-2)
      09:33:03 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A5, I3: a crazy print far below the stop, taken back by the next: nothing is sold', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', { crazy: 5 }]] }, follows: ['ACME'] });
    s.runTo('09:36:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
    expect(s.position()).toBe(99);
  });

  it('A5, I3: crazy marks of the broker’s profit-and-loss stream, again and again: nothing is sold', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => {
      s.line.faults.crazyMark = [1, 3];
    });
    s.at('09:36:00', () => {
      s.line.faults.crazyMark = null;
    });
    s.runTo('09:40:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
    expect([s.position(), s.world.counts.faults['crazy mark']]).toEqual([99, expect.any(Number)]);
  });

  it('A5, I2: the marks are frozen while the price falls: nothing shows that they are live, so the real stop rests and sells', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:34:00', 49.3]] }, follows: ['ACME'] });
    s.at('09:32:00', () => {
      s.line.faults.frozenMarks = true;
      s.line.faults.frozenQuotes = true;
    });
    s.runTo('09:38:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:20 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
      09:33:20 exit-manager  warning MARK_NOT_LIVE: No mark of ACME could be shown to be live for 15 s.
      09:34:00 exchange  fills SELL 99 ACME @ 49.29 (X-2)
      09:34:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1): another member of its OCA group filled
      09:34:00 exit-manager  closes ACME: stop
    `);
    s.line.calm();
    s.runTo('09:40:00');
  });

  it('A5, I2: no quote and no print any more: the real stop rests, and steps back when the market speaks again', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 'silent'], ['09:36:00', 50.01]] }, follows: ['ACME'] });
    s.runTo('09:40:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:34:20 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
      09:34:20 exit-manager  warning MARK_NOT_LIVE: No mark of ACME could be shown to be live for 15 s.
      09:36:30 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
  });
});

describe('halts', () => {
  it('A5, I3: halted with the price above the stop, resumed far below it: sold as soon as it trades', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 'halt'], ['09:38:00', 'resume'], ['09:38:01', 48]] }, follows: ['ACME'] });
    s.runTo('09:42:00');
    expect(s.told('ACME')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:34:20 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
      09:34:20 exit-manager  warning MARK_NOT_LIVE: No mark of ACME could be shown to be live for 15 s.
      09:38:01 exchange  fills SELL 99 ACME @ 47.99 (X-2)
      09:38:01 exchange  Cancelled SELL LMT 0/99 of ACME (X-1): another member of its OCA group filled
      09:38:01 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A5, I3: nobody buys when the stop is touched: a market order rests for the reopening, and is not sent twice', () => {
    const s = onDesk({
      market: {
        ACME: [...CALM, ['09:33:00', 49.4], ['09:33:01', 'halt'], ['09:36:00', 'resume'], ['09:36:01', 49.2]],
      },
      follows: ['ACME'],
    });
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
      09:33:03 exchange  Cancelled SELL MKT 0/99 of ACME (X-3): an immediate order cannot wait
      09:33:04 exit-manager  exit SELL 99 ACME MKT IOC (X-4)
      09:33:04 exchange  Cancelled SELL MKT 0/99 of ACME (X-4): an immediate order cannot wait
      09:33:05 exit-manager  exit SELL 99 ACME MKT DAY (X-5)
      09:36:00 exchange  fills SELL 99 ACME @ 49.39 (X-5)
      09:36:00 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });
});
