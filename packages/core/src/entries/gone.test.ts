import { describe, expect, test } from 'vitest';
import { claimOf, clock, command, quote, TraderBench, tale, told, working } from './testing/trader-bench.js';

/**
 * Right after a gateway start an all-orders answer may be empty or hold only part of the orders (reference/ibkr-behaviour.md §7). One such
 * answer must not end an entry that still works: its claim would be given back, and a second entry could be made beside the first.
 */
const REF = 'HFD-20260309-7-1';

/** The day trader died while this entry was good till 10:01:00; a new one starts. */
function reborn(at = '10:00:10', status: 'INTENT' | 'SUBMITTED' | 'CANCELLING' | 'INACTIVE' = 'SUBMITTED') {
  const before = new TraderBench().ready();
  before.bar30(50.1);
  const order = { ...before.entry, status };
  return { order, b: new TraderBench({ at, lease: 8, view: { orders: [order], positions: [claimOf(order)] } }) };
}

describe('H6: a lost entry gives its claim back a minute after its good-till time, however fast the exchange runs', () => {
  /** Killed before its send, started anew: never heard of. Seeds 7007 and 9107 under storm. */
  function lost() {
    const { b, order } = reborn('10:00:10', 'INTENT');
    expect(tale(b.connect())).toContain('order LOST 0/498');
    b.analyse();
    return { b, order };
  }

  test('the barrier is asked for when the time is over, not with the next look of the minute', () => {
    const { b } = lost();
    expect(tale(b.pass(500, 109_000))).toEqual([]);
    expect(tale(b.pass(500, 1_000))).toEqual(['request-snapshot']);
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('a start after its time was over: the first answer asks no second look (seed 19400249)', () => {
    const { b } = reborn('10:02:05', 'INTENT');
    expect(tale(b.connect()).filter(line => line.startsWith('order') || line.startsWith('release'))).toEqual([
      'order CANCELLED 0/498',
      'release ACME',
    ]);
  });

  test('an answer that was asked for too early is followed by another; one that lists it settles nothing and is not repeated', () => {
    const { b, order } = lost();
    b.pass(500, 109_000);
    b.hear({ kind: 'connectivity', state: 'restored', text: '1102' });
    b.waits(1_000);
    expect(tale(b.answerSnapshot())).not.toContain('release ACME');
    expect(tale(b.pass(100))).toEqual(['request-snapshot']);
    b.answerSnapshot({ openOrders: [told(order)] });
    expect(tale(b.pass(4_000, 4_000))).toEqual([]);
  });
});

describe('H6: an entry the broker worked is gone after two answers, not after one', () => {
  test.each(['SUBMITTED', 'CANCELLING', 'INACTIVE'] as const)('I4, I5: %s and not listed once: it works, and its claim is kept', status => {
    const { b, order } = reborn('10:00:10', status);
    expect(tale(b.connect()).filter(line => line.startsWith('release') || line.startsWith('order CANCELLED'))).toEqual([]);
    expect(b.statusOf(order)).toBe(status);
    b.analyse();
    // A paced gateway may run: the second answer is a matter of machine time.
    expect(b.isSettled).toBe(true);
  });

  test('I4: meanwhile its symbol is not entered', () => {
    const { b } = reborn('10:00:00');
    b.ready();
    b.bar30(50.1);
    expect(b.decisions.at(-1)?.code).toBe('ALREADY_ACTIVE');
  });

  test('the second answer is asked for on purpose after 10 s of machine time, and settles it', () => {
    const { b } = reborn();
    b.connect();
    b.analyse();
    expect(tale(b.pass(9_900))).toEqual([]);
    expect(tale(b.pass(100))).toEqual(['request-snapshot']);
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('another answer before that is no second one', () => {
    const { b, order } = reborn();
    b.connect();
    b.pass(5_000);
    b.hear({ kind: 'connectivity', state: 'restored', text: '1102' });
    expect(tale(b.answerSnapshot())).toEqual(['phase READY']);
    expect(b.statusOf(order)).toBe('SUBMITTED');
    expect(tale(b.pass(5_000))).toEqual(['request-snapshot']);
  });

  test('nor is the first answer of another session', () => {
    const { b, order } = reborn();
    b.connect();
    b.pass(12_000);
    b.hear({ kind: 'disconnected', reason: 'story' });
    b.connect();
    expect(b.statusOf(order)).toBe('SUBMITTED');
    b.pass(10_000);
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('the second answer lists it: it worked all along', () => {
    const { b, order } = reborn();
    b.connect();
    b.pass(10_000);
    // The row learns its permId, and nothing else.
    expect(tale(b.answerSnapshot({ openOrders: [told(order)] }))).toEqual(['order SUBMITTED 0/498']);
    expect(b.statusOf(order)).toBe('SUBMITTED');
    expect(tale(b.pass(20_000))).toEqual([]);
  });

  test('heard of or filled between the two: the first answer proves nothing any more', () => {
    const { b, order } = reborn();
    b.connect();
    b.pass(5_000);
    b.fill(order, 100);
    expect(tale(b.pass(5_000))).toEqual([]);
    expect(b.statusOf(order)).toBe('SUBMITTED');
  });

  test('executions that make it full are an answer: filled at once', () => {
    const { b, order } = reborn();
    b.connect({ executions: [b.execution(order, 498)] });
    expect(b.statusOf(order)).toBe('FILLED');
  });

  test('more than a minute over its good-till time it needs no second answer; at less it does', () => {
    const over = reborn('10:02:00');
    expect(tale(over.b.connect())).toContain('release ACME');
    const hardly = reborn('10:01:59');
    expect(tale(hardly.b.connect())).not.toContain('release ACME');
  });

  test('in the session it was sent on, too', () => {
    const b = working(new TraderBench({ rules: { reconcileEveryMs: 60_000, ttlSeconds: 600 } }));
    b.pass(60_000);
    expect(tale(b.answerSnapshot())).toEqual([]);
    expect([b.statusOf(b.entry), b.isSettled]).toEqual(['SUBMITTED', true]);
    expect(tale(b.pass(10_000))).toEqual(['request-snapshot']);
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('its cancel is asked again; "unknown" from the same young gateway waits for the second answer too', () => {
    const { b, order } = reborn('10:00:10', 'CANCELLING');
    expect(tale(b.connect())).toContain(`cancel ${REF}`);
    b.hear({ kind: 'order-notice', orderId: order.orderId, code: 10147, meaning: 'unknown-order', text: 'not found' });
    b.hear({ kind: 'executions-end', id: b.state.link.executionsAsked?.id ?? -1 });
    b.analyse();
    expect([b.statusOf(order), b.isSettled]).toEqual(['CANCELLING', true]);
    b.pass(5_000);
    // Two cancels without an answer are a reason for a new connection, but not while the answer is on its way.
    expect(tale(b.pass(5_000))).toEqual(['request-snapshot']);
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('an exit waits for it: its withdrawal is answered when it has had its last word', () => {
    const { b } = reborn();
    b.connect();
    b.analyse();
    expect(tale(b.hear({ kind: 'command', command: command(5, 'withdraw-entry', { tradeId: REF }) }))).toEqual([
      'order CANCELLING 0/498',
      `cancel ${REF}`,
    ]);
    b.pass(10_000);
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME', 'answer 5 done']);
  });
});

describe('an entry that counted as gone and works', () => {
  /** Gone by the broker's own word, its claim given back. */
  function ended() {
    const b = working();
    b.goTo('10:00:10');
    b.status(b.entry, 'Cancelled');
    return { b, order: b.entry };
  }

  test('I4: it comes back to life, is withdrawn, and its symbol is not entered beside it', () => {
    const { b, order } = ended();
    expect(tale(b.hear({ kind: 'open-order', order: told(order) }))).toEqual([
      'order SUBMITTED 0/498',
      'order CANCELLING 0/498',
      `cancel ${REF}`,
    ]);
    b.hear({ kind: 'quote', conId: 1, quote: quote(50.1, 50.12) });
    b.bar30(50.1);
    expect(b.decisions.at(-1)?.code).toBe('ALREADY_ACTIVE');
    expect(b.placed).toHaveLength(1);
  });

  test('found in a complete answer, after a restart: the same; its claim is not given back a second time', () => {
    const { order } = ended();
    const row = { ...order, status: 'CANCELLED' as const };
    const b = new TraderBench({ at: '10:00:20', lease: 8, view: { orders: [row] } });
    expect(tale(b.connect({ openOrders: [told(row)] }))).toContain(`cancel ${REF}`);
    expect(b.statusOf(row)).toBe('CANCELLING');
    expect(tale(b.status(row, 'Cancelled'))).toEqual(['order CANCELLED 0/498']);
  });

  test('its cancels start anew, and are asked twice before the connection is made anew', () => {
    const b = working();
    b.goTo('10:01:05');
    b.pass(5_000);
    b.status(b.entry, 'Cancelled');
    expect(tale(b.hear({ kind: 'open-order', order: told(b.entry) }))).toContain(`cancel ${REF}`);
    expect(tale(b.pass(5_000))).toContain(`cancel ${REF}`);
    expect(tale(b.pass(5_000))).toContain('reconnect');
  });

  test('a full one stays filled', () => {
    const b = working();
    b.fill(b.entry, 498);
    expect(tale(b.hear({ kind: 'open-order', order: told(b.entry) }))).toEqual([]);
    expect(b.statusOf(b.entry)).toBe('FILLED');
    expect(b.at).toBeLessThan(clock('10:01:00'));
  });
});
