import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { type DeskStage, endStages, onDesk } from './desk-stage.js';

/** The broker refuses an order, a change or a cancel, told by the whole desk. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];
const ALWAYS = [1, 1] as const;

/** The exchange ends the target by itself while the broker is away, so that nobody hears of it. */
function withdrawnUnheard(s: DeskStage): void {
  const target = s.world.exchange.openOrders().find(({ request }) => request.type === 'LMT');
  s.gateway.loseBroker();
  s.world.exchange.withdraw(target?.permId ?? 0, 'withdrawn by the exchange');
  s.runTo('09:33:04');
  s.gateway.restoreBroker('kept');
}

describe('refusals', () => {
  it('A7, I5: 201 on the entry: the claim is given back, and the next signal buys', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:30:59', () => {
      s.gateway.faults.reject = { odds: ALWAYS, codes: [201] };
    });
    s.at('09:31:10', () => {
      s.gateway.faults.reject = null;
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'rejected')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 fault  rejected 201: D-1
      09:31:00 day-trader  gives the claim of ACME back: entry rejected: 201 Order rejected - reason:The exchange did not take it.
      09:31:00 day-trader  entry-rejected {"orderRef":"D-1","symbol":"ACME","reason":"201 Order rejected - reason:The exchange did not take it."}
      09:32:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-2)
      09:32:00 exchange  fills BUY 99 ACME @ 50.01 (D-2)
      09:32:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:32:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
    `);
    expect(s.position()).toBe(99);
  });

  it('A7, I2: 201 on everything that protects, for five seconds: tried again with pauses until both rest', () => {
    const s = onDesk({ market: { ACME: CALM } });
    s.at('09:31:59', () => {
      s.gateway.faults.reject = { odds: ALWAYS, codes: [201] };
    });
    s.byHand('BUY', 100);
    s.run(6_000);
    s.gateway.faults.reject = null;
    s.runTo('09:36:00');
    expect(s.told('ACME', 'rejected')).toMatchInlineSnapshot(`
      09:31:59 operator  BUY 100 ACME by hand
      09:31:59 exchange  fills BUY 100 ACME @ 50.02 (client 0)
      09:31:59 exit-manager  target SELL 100 ACME LMT 50.92 DAY (X-1)
      09:31:59 exit-manager  disaster-stop SELL 100 ACME STP 49.11 DAY (X-2)
      09:31:59 exit-manager  info POSITION_ADOPTED: 100 ACME appeared that Holdfast did not buy.
      09:31:59 fault  rejected 201: X-1
      09:31:59 fault  rejected 201: X-2
      09:31:59 exit-manager  exit-rejected {"orderRef":"X-1","symbol":"ACME","reason":"201 Order rejected - reason:The exchange did not take it."}
      09:31:59 exit-manager  exit-rejected {"orderRef":"X-2","symbol":"ACME","reason":"201 Order rejected - reason:The exchange did not take it."}
      09:32:01 exit-manager  target SELL 100 ACME LMT 50.92 DAY (X-3)
      09:32:01 exit-manager  disaster-stop SELL 100 ACME STP 49.11 DAY (X-4)
      09:32:01 fault  rejected 201: X-3
      09:32:01 fault  rejected 201: X-4
      09:32:01 exit-manager  critical SYMBOL_QUARANTINED: 3 exit orders for ACME were rejected; the last: 201 Order rejected - reason:The exchange did not take it.
      09:32:01 exit-manager  exit-rejected {"orderRef":"X-3","symbol":"ACME","reason":"201 Order rejected - reason:The exchange did not take it."}
      09:32:01 exit-manager  exit-rejected {"orderRef":"X-4","symbol":"ACME","reason":"201 Order rejected - reason:The exchange did not take it."}
      09:32:10 exit-manager  target SELL 100 ACME LMT 50.92 DAY (X-5)
      09:32:10 exit-manager  disaster-stop SELL 100 ACME STP 49.56 DAY (X-6)
    `);
    expect(s.resting()).toHaveLength(2);
  });

  it('A7, I3: 110 on the sale of a touched stop: refused for its price, a market order has none; tried again, sold once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.gateway.faults.reject = { odds: ALWAYS, codes: [110] };
    });
    s.at('09:33:06', () => {
      s.gateway.faults.reject = null;
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'rejected')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 fault  rejected 110: X-3
      09:33:03 exit-manager  exit-rejected {"orderRef":"X-3","symbol":"ACME","reason":"110 The price does not conform to the minimum price variation for this contract."}
      09:33:04 exit-manager  exit SELL 99 ACME MKT IOC (X-4)
      09:33:04 fault  rejected 110: X-4
      09:33:04 exit-manager  exit-rejected {"orderRef":"X-4","symbol":"ACME","reason":"110 The price does not conform to the minimum price variation for this contract."}
      09:33:06 exit-manager  exit SELL 99 ACME MKT IOC (X-5)
      09:33:06 exchange  fills SELL 99 ACME @ 49.39 (X-5)
      09:33:06 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('B1, I1: 103, the order id is in use: another id, one order', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.at('09:30:59', () => {
      s.gateway.faults.reject = { odds: [1, 2], codes: [103] };
    });
    s.at('09:32:30', () => {
      s.gateway.faults.reject = null;
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'rejected')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 fault  rejected 103: D-1
      09:31:00 day-trader  gives the claim of ACME back: entry rejected: 103 Duplicate order id
      09:31:00 day-trader  entry-rejected {"orderRef":"D-1","symbol":"ACME","reason":"103 Duplicate order id"}
      09:32:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-2)
      09:32:00 exchange  fills BUY 99 ACME @ 50.01 (D-2)
      09:32:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:32:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 fault  rejected 103: X-1
      09:32:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-3)
      09:32:00 exit-manager  exit-rejected {"orderRef":"X-1","symbol":"ACME","reason":"103 Duplicate order id"}
    `);
    expect(s.resting()).toHaveLength(2);
  });

  it('A7, I1: 10148, the order that is to be cancelled has ended already: it is no more, the sale follows at once', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:58', () => withdrawnUnheard(s));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'cancel', '110')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:58 fault  1100 broker lost
      09:32:58 exchange  Cancelled SELL LMT 0/99 of ACME (X-1): withdrawn by the exchange
      09:32:58 fault  unheard in 1100: X-1
      09:33:04 fault  1102 data kept
      09:33:13 exit-manager  cancels X-1
      09:33:13 fault  cancel 10148
      09:33:13 exit-manager  cancels X-2
      09:33:13 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:13 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:13 exchange  fills SELL 99 ACME @ 49.4 (X-3)
      09:33:13 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A7, I1: 10147, the order that is to be cancelled is not even known any more: the same', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.gateway.faults.purge = ALWAYS;
    s.at('09:32:58', () => withdrawnUnheard(s));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'cancel')).toContain('fault  cancel 10147');
    expect([s.position(), s.sold()]).toEqual([0, 99]);
  });

  it('A7, I3: 161, not cancellable now: asked again until it is, then sold', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.gateway.faults.refuseCancel = ALWAYS;
    });
    s.at('09:33:05', () => {
      s.gateway.faults.refuseCancel = null;
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'cancel')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 fault  cancel 161: X-1
      09:33:03 exit-manager  not-cancellable {"orderRef":"X-1","reason":"161 Cancel attempted when order is not in a cancellable state. Order permId = 1284610002"}
      09:33:03 exit-manager  cancels X-1
      09:33:03 fault  cancel 161: X-1
      09:33:04 exit-manager  not-cancellable {"orderRef":"X-1","reason":"161 Cancel attempted when order is not in a cancellable state. Order permId = 1284610002"}
      09:33:04 exit-manager  cancels X-1
      09:33:04 fault  cancel 161: X-1
      09:33:04 exit-manager  not-cancellable {"orderRef":"X-1","reason":"161 Cancel attempted when order is not in a cancellable state. Order permId = 1284610002"}
      09:33:05 exit-manager  cancel-unanswered {"symbol":"ACME","orderRef":"X-1","waitedMs":2098}
      09:33:05 exit-manager  cancels X-1
      09:33:05 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:05 exit-manager  cancels X-2
      09:33:05 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:05 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:05 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:05 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });
});
