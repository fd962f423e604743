import { fromDollars, shares } from '@holdfast/core/units';
import { describe, expect, test } from 'vitest';
import type { GatewayFaults } from './broker-faults.js';
import { quoteOf } from './list-source.js';
import { AT_MARKET, BrokerBench } from './testing/broker-bench.js';

describe('orders the gateway does not let through', () => {
  test.each([
    [{ reject: { odds: [1, 1], codes: [201] } }, ['notice 1 201 rejected'], 'rejected 201'],
    [{ reject: { odds: [1, 1], codes: [110] } }, ['notice 1 110 rejected'], 'rejected 110'],
    [{ reject: { odds: [1, 1], codes: [103] } }, ['notice 1 103 rejected'], 'rejected 103'],
    [{ vanish: { odds: [1, 1], of: null } }, [], 'placement vanished'],
  ] as const satisfies readonly (readonly [Partial<GatewayFaults>, readonly string[], string])[])('%o', (faults, heard, kind) => {
    const b = new BrokerBench();
    const exits = b.process(10);
    Object.assign(b.gateway.faults, faults);
    exits.place(1);
    expect([exits.hear(), b.exchange.openOrders(), b.fired]).toEqual([heard, [], [kind]]);
    b.gateway.calm();
    exits.place(1);
    expect(b.exchange.openOrders()).toHaveLength(1);
  });

  test('a change that is refused leaves the order as it was', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.place(1);
    exits.hear();
    b.gateway.faults.reject = { odds: [1, 1], codes: [110] };
    exits.place(1, { quantity: shares(50) });
    expect(exits.hear()).toEqual(['notice 1 110 modify-refused']);
    expect(b.exchange.openOrders()[0]?.remaining).toBe(100);
  });

  test('a change that the exchange refuses is a refused change too', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.place(1);
    exits.hear();
    exits.place(1, { limitPrice: fromDollars(49.001) });
    expect([exits.hear(), b.exchange.openOrders().length]).toEqual([['notice 1 110 modify-refused'], 1]);
  });

  test('what the exchange itself refuses counts too', () => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.place(1, { limitPrice: fromDollars(49.001) });
    expect([exits.hear(), b.fired]).toEqual([['notice 1 110 rejected'], ['rejected 110']]);
  });
});

describe('cancels', () => {
  const resting = (faults: Partial<GatewayFaults>, later: Parameters<typeof quoteOf>[] = []) => {
    const b = new BrokerBench(later.map(words => quoteOf(...words)));
    const exits = b.process(10);
    exits.place(1);
    exits.hear();
    Object.assign(b.gateway.faults, faults);
    exits.cancel(1);
    return { b, exits };
  };

  test('a slow one: PendingCancel, a second one is told so, then Cancelled', () => {
    const { b, exits } = resting({ slowCancel: { odds: [1, 1], lowMs: 2_000, highMs: 2_000 } });
    expect(exits.hear()).toEqual(['status 1 PendingCancel 0/100']);
    expect(b.gateway.nextDueAt()).toBe(b.mono + 2_000);
    exits.cancel(1);
    expect(exits.hear()).toEqual(['notice 1 10148 advisory']);
    b.pass(1_900);
    expect(exits.hear()).toEqual([]);
    b.pass(100);
    expect(exits.hear()).toEqual(['order 1 Cancelled', 'status 1 Cancelled 0/100', 'notice 1 202 cancelled']);
    expect(b.fired).toEqual(['slow cancel']);
  });

  test('a slow one that loses the race against a fill', () => {
    const { b, exits } = resting({ slowCancel: { odds: [1, 1], lowMs: 3_000, highMs: 3_000 } }, [['10:00:02', 48.98, 49, 300]]);
    b.pass(3_000);
    expect(exits.hear().filter(line => /^execution|^notice/.test(line))).toEqual([
      'execution 1 100 @ 49.00',
      'notice 1 10148 already-final',
    ]);
    expect(b.fired).toEqual(['slow cancel', 'cancel 10148', 'fill won the race']);
  });

  test('a slow one does not survive the gateway, nor the loss of its line', () => {
    for (const befall of ['restart', 'loss'] as const) {
      const { b } = resting({ slowCancel: { odds: [1, 1], lowMs: 1_000, highMs: 1_000 } });
      if (befall === 'restart') b.gateway.restart({ now: b.now, downMs: 100 });
      else b.gateway.loseBroker();
      b.pass(2_000);
      expect(b.exchange.openOrders()).toHaveLength(1);
    }
  });

  test('161: the order lives', () => {
    const { b, exits } = resting({ refuseCancel: [1, 1] });
    expect([exits.hear(), b.exchange.openOrders().length, b.fired]).toEqual([['notice 1 161 not-cancellable'], 1, ['cancel 161']]);
  });

  test.each([
    [null, 'notice 2 10148 already-final', 'cancel 10148'],
    [[1, 1] as const, 'notice 2 10147 unknown-order', 'cancel 10147'],
  ])('an order that has ended, purged %o', (purge, heard, kind) => {
    const b = new BrokerBench();
    const exits = b.process(10);
    exits.place(2, AT_MARKET);
    exits.hear();
    b.gateway.faults.purge = purge;
    exits.cancel(2);
    expect([exits.hear(), b.fired]).toEqual([[heard], [kind]]);
  });
});
