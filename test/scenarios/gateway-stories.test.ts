import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** What befalls the gateway and the lines to it, told by the whole desk. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

describe('the gateway', () => {
  it('A8, I2: 1100 and 1102: the broker is away for half a minute; what rests goes on resting, and nothing is sent twice', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:32:00', () => s.gateway.loseBroker());
    s.at('09:32:30', () => s.gateway.restoreBroker('kept'));
    s.runTo('09:34:00');
    expect(s.told('ACME', '1100', '1102')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 fault  1100 broker lost
      09:32:30 fault  1102 data kept
    `);
    expect(s.resting()).toEqual(['SELL 99 LMT 50.92 DAY', 'SELL 99 STP 49.11 DAY']);
  });

  it('A8, I3: the stop is touched between 1100 and 1101: the data is asked for anew, and the sale follows', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:50', () => s.gateway.loseBroker());
    s.at('09:33:40', () => s.gateway.restoreBroker('lost'));
    s.runTo('09:35:00');
    expect(s.told('ACME', '1100', '1101')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:50 fault  1100 broker lost
      09:33:40 fault  1101 data lost
      09:33:53 exit-manager  cancels X-1
      09:33:53 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:53 exit-manager  cancels X-2
      09:33:53 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:53 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:53 exchange  fills SELL 99 ACME @ 49.4 (X-3)
      09:33:53 exit-manager  closes ACME: stop
    `);
    expect(s.position()).toBe(0);
  });

  it('A8, B1, I1: the nightly restart gives order ids a second time and has lost the orders it took last: asked about, placed anew, once', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:31:00', () => s.run(500));
    s.gateway.restart({ downMs: 20_000, lostLastMs: 2_000, rollBackIds: 3, unsettledMs: 4_000 });
    s.runTo('09:34:00');
    expect(s.told('ACME', 'gateway', 'exit-manager  is', 'id ')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:31:00 fault  gateway restart
      09:31:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1): lost by the gateway
      09:31:00 fault  order lost by gateway: X-1
      09:31:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2): lost by the gateway
      09:31:00 fault  order lost by gateway: X-2
      09:31:00 exit-manager  is CONNECTING (the gateway restarts)
      09:31:00 day-trader  is CONNECTING (the gateway restarts)
      09:31:15 exit-manager  warning MARK_NOT_LIVE: No mark of ACME could be shown to be live for 15 s.
      09:31:22 fault  order id rolled back
      09:31:22 exit-manager  is RECONCILING (session 2)
      09:31:22 fault  order id rolled back
      09:31:22 exit-manager  is READY (1 in care)
      09:31:22 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
      09:31:32 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-3)
      09:31:32 exit-manager  info RECONCILED: The broker's answer differed from the store in 1 point(s): X-1: SUBMITTED is LOST.
      09:31:32 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-4)
      09:31:32 exit-manager  exit-rejected {"orderRef":"X-3","symbol":"ACME","reason":"103 Duplicate order id"}
      09:31:40 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
    expect(s.resting()).toEqual(['SELL 99 LMT 50.92 DAY', 'SELL 99 STP 49.11 DAY']);
  });

  it('A8, I2: the same, and the exit manager is killed while it reconciles: its successor misses the lost exits after 10 s, not with the minute', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'], protection: 'resting', forgives: ['I2'] });
    // `resting` allows 6 s without a stop; two answers that must lie 10 s apart take longer (DESIGN §3).
    s.at('09:31:00', () => s.ambush({ worker: 'exit-manager', kind: 'send', side: 'after', act: 'kill' }));
    s.run(300);
    s.gateway.restart({ downMs: 4_000, lostLastMs: 2_000, rollBackIds: 3, unsettledMs: 4_000 });
    s.runTo('09:31:25');
    expect(s.told('exit-manager  is READY', 'exit-manager  disaster-stop', 'kill after')).toMatchInlineSnapshot(`
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
      09:31:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2): lost by the gateway
      09:31:00 fault  order lost by gateway: X-2
      09:31:06 fault  kill after send: exit-manager after send of request-snapshot
      09:31:07 exit-manager  is READY (1 in care)
      09:31:18 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-4)
      09:31:18 exit-manager  info RECONCILED: The broker's answer differed from the store in 2 point(s): X-1: SUBMITTED is LOST; X-2: SUBMITTED is LOST.
    `);
    expect(s.resting()).toEqual(['SELL 99 LMT 50.92 DAY', 'SELL 99 STP 49.56 DAY']);
  });

  it('A8, I2: the answer after a start lags behind the executions it comes with: asked again within seconds, not after ten (seed 11500557)', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'], protection: 'resting' });
    s.at('09:30:55', () => s.ambush({ worker: 'exit-manager', kind: 'send', side: 'before', act: 'kill' }));
    s.gateway.faults.stalePositions = { odds: [1, 1], lowMs: 2_500, highMs: 2_500 };
    s.runTo('09:31:20');
    expect(s.told('kill before', 'exit-manager  is READY', 'exit-manager  disaster-stop', 'stale')).toMatchInlineSnapshot(`
      09:31:00 fault  kill before send: exit-manager before send of request-executions
      09:31:00 fault  stale position answer
      09:31:00 exit-manager  is READY (1 in care)
      09:31:01 fault  stale position answer
      09:31:04 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
    `);
    expect(s.resting()).toEqual(['SELL 99 LMT 50.92 DAY', 'SELL 99 STP 49.56 DAY']);
  });

  it('A8, I2: an answer asked for before those 10 s were over, and told after them, agrees with nothing: asked once more at once', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'], protection: 'resting', forgives: ['I2'] });
    s.at('09:31:00', () => s.run(500));
    s.gateway.restart({ downMs: 4_000, lostLastMs: 2_000, rollBackIds: 0, unsettledMs: 0 });
    // READY since 09:31:06: the first answer leaves the exits out. It stands still, and reconciles at 09:31:14 with an answer that takes 3 s.
    s.runTo('09:31:11');
    const guard = s.stop('exit-manager');
    s.run(3_000);
    s.line.faults.delay = { lanes: ['answer'], odds: [1, 1], lowMs: 3_000, highMs: 3_000 };
    s.resume(guard);
    s.run(1_000);
    s.line.faults.delay = null;
    s.runTo('09:31:25');
    expect(s.told('exit-manager  is READY', 'exit-manager  is RECONCILING', 'exit-manager  disaster-stop')).toMatchInlineSnapshot(`
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-2)
      09:31:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2): lost by the gateway
      09:31:00 fault  order lost by gateway: X-2
      09:31:07 exit-manager  is RECONCILING (session 2)
      09:31:07 exit-manager  is READY (1 in care)
      09:31:14 exit-manager  is RECONCILING (paused 3500 ms)
      09:31:17 exit-manager  is READY (1 in care)
      09:31:18 exit-manager  disaster-stop SELL 99 ACME STP 49.56 DAY (X-4)
      09:31:18 exit-manager  info RECONCILED: The broker's answer differed from the store in 2 point(s): X-1: SUBMITTED is LOST; X-2: SUBMITTED is LOST.
    `);
    expect(s.resting()).toEqual(['SELL 99 LMT 50.92 DAY', 'SELL 99 STP 49.56 DAY']);
  });

  it('A8, I6: the target fills during an outage: learned at the reconnect, and the books agree', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 51.3]] }, follows: ['ACME'] });
    s.at('09:32:55', () => s.gateway.restart({ downMs: 30_000 }));
    s.runTo('09:35:00');
    expect(s.told('ACME', 'gateway restart', 'exit-manager  is')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:55 fault  gateway restart
      09:32:55 exit-manager  is CONNECTING (the gateway restarts)
      09:32:55 day-trader  is CONNECTING (the gateway restarts)
      09:33:00 exchange  fills SELL 99 ACME @ 51.29 (X-1)
      09:33:00 exchange  Cancelled SELL STP 0/99 of ACME (X-2): another member of its OCA group filled
      09:33:26 exit-manager  is RECONCILING (session 2)
      09:33:26 exit-manager  info RECONCILED: The broker's answer differed from the store in 3 point(s): SELL 99 ACME at 51.29 (X-1); X-1: SUBMITTED is FILLED; X-2: SUBMITTED is LOST.
      09:33:26 exit-manager  is READY (1 in care)
      09:33:27 exit-manager  cancels X-2
      09:33:27 exit-manager  closes ACME: target
    `);
  });

  it('A8, I5, I6: the line drops after any one of the messages around an entry: bought once, protected, sold once', () => {
    for (let heard = 1; heard <= 24; heard += 1) {
      const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
      s.at('09:30:59', () => {
        s.lineOf(heard % 2 === 0 ? 'exit-manager' : 'day-trader').cutAfter({ heard: Math.ceil(heard / 2) });
      });
      s.runTo('09:36:00');
      expect([heard, s.position(), s.sold()], s.told()).toEqual([heard, 0, 99]);
    }
  }, 120_000);
});
