import { describe, expect, test } from 'vitest';
import type { Order } from '../orders/order.js';
import { claimOf, TraderBench, tale, told } from './testing/trader-bench.js';

/** An entry of a day trader that died at 10:00:00, good till 10:01:00. */
function entryBefore(status: Order['status']): Order {
  const before = new TraderBench().ready();
  before.bar30(50.1);
  return { ...before.entry, status };
}

/**
 * The store was lost; the copy in its place knew nothing of an entry when a new day trader read it. Then the exit manager comes to merge what it had
 * kept: the order's row and the claim.
 */
describe('rows that come after the start', () => {
  function started(at = '10:00:10') {
    const b = new TraderBench({ at, lease: 8, rules: { reconcileEveryMs: 60_000 } });
    b.connect();
    b.analyse();
    return b;
  }
  const merged = (order: Order) => ({ orders: [order], positions: [claimOf(order)] });

  test('I6, I4: a lost entry is taken up, and its claim given back when it cannot reach the exchange any more (seed 16001716)', () => {
    const [b, order] = [started(), entryBefore('LOST')];
    expect(tale(b.storeTells(merged(order)))).toEqual([]);
    expect(b.statusOf(order)).toBe('LOST');
    b.goTo('10:01:59');
    expect(tale(b.answerSnapshot())).toEqual([]);
    b.goTo('10:02:59');
    expect(tale(b.answerSnapshot())).toEqual(['order CANCELLED 0/498', 'release ACME']);
  });

  test('I5: one that was never answered is asked about, not sent again', () => {
    const [b, order] = [started(), entryBefore('INTENT')];
    b.storeTells(merged(order));
    b.goTo('10:01:10');
    expect(tale(b.answerSnapshot())).toEqual(['order LOST 0/498']);
    expect(b.effects.some(effect => effect.do === 'place' || effect.do === 'enter')).toBe(false);
  });

  test('one that ended without a share: its claim goes at once; the next id is above its own', () => {
    const [b, order] = [started(), { ...entryBefore('CANCELLED'), orderId: 40 }];
    expect(tale(b.storeTells(merged(order)))).toEqual(['release ACME']);
    expect(b.state.nextOrderId).toBe(41);
  });

  test('with fills it is the exit manager’s position', () => {
    const [b, order] = [started(), entryBefore('LOST')];
    const executions = [{ ...b.execution(order, 498), tradeId: order.tradeId }];
    expect(tale(b.storeTells({ ...merged(order), executions }))).toEqual([]);
    expect(b.statusOf(order)).toBe('FILLED');
  });

  test('I6: found at the broker, withdrawn and released before its claim came back: released once more, with its last word', () => {
    const [b, order] = [started(), entryBefore('SUBMITTED')];
    b.hear({ kind: 'open-order', order: told(order) });
    expect(tale(b.status(order, 'Cancelled'))).toEqual(['order CANCELLED 0/498', 'release ACME']);
    expect(tale(b.storeTells(merged(order)))).toEqual(['order CANCELLED 0/498', 'release ACME']);
    expect(tale(b.storeTells({ positions: [] }))).toEqual([]);
  });

  test('what this process claims itself is no news', () => {
    const b = new TraderBench().ready();
    b.bar30(50.1);
    expect(tale(b.storeTells(merged(b.entry)))).toEqual([]);
    expect(b.state.entries.get(b.entry.orderRef)?.session).toBe(b.session);
  });
});
