import { describe, expect, it } from 'vitest';
import { epochMs } from '../units.js';
import { backOffMs, transientReason } from './rejections.js';
import { ExitBench } from './testing/exit-bench.js';

describe('A7: which refusals are worth another try', () => {
  it.each<[number | null, string, 'transient' | 'final']>([
    [100, '100 Max rate of messages per second has been exceeded', 'transient'],
    [161, '161 Cancel attempted when order is not in a cancellable state', 'transient'],
    [201, '201 Order rejected - reason:The exchange is closed.', 'transient'],
    [201, '201 Order rejected - reason:Only 20 working orders are allowed on a side of a contract.', 'transient'],
    [201, '201 Order rejected - reason:System temporarily unavailable, please try again later', 'transient'],
    [201, '201 Order rejected - reason:Your available funds are not sufficient to cover the margin for this order.', 'final'],
    [201, '201 Order rejected - reason:The contract is not available for short sale.', 'final'],
    [201, '201 Order rejected - reason: no', 'final'],
    [110, '110 The price does not conform to the minimum price variation for this contract.', 'final'],
    [200, '200 No security definition has been found for the request', 'final'],
    [321, "321 Error validating request.-'bX' : cause - The API interface is currently in Read-Only mode.", 'final'],
    [460, '460 No trading permission', 'final'],
    [2102, '2102 Unable to modify this order as it is still being processed.', 'transient'],
    [null, 'WIRE_CAP_RATE: 30 orders for ACME within a minute, allowed 30', 'transient'],
    [null, 'WIRE_CAP_QUANTITY: more than was bought', 'final'],
  ])('%s %s: %s', (code, reason, expected) => {
    expect(transientReason({ code, reason }) === null ? 'final' : 'transient').toBe(expected);
  });

  it('pauses grow, and the last one repeats', () => {
    expect([0, 1, 2, 3, 9].map(tries => backOffMs(tries, [250, 500, 1_000]))).toEqual([250, 500, 1_000, 1_000, 1_000]);
    expect(backOffMs(3, [])).toBe(0);
  });
});

describe('I2: what is to rest is refused for minutes', () => {
  it('it is asked for again at least every fifteen seconds, however often it was refused (seed 12300422)', () => {
    const bench = new ExitBench({ at: epochMs(Date.UTC(2026, 2, 9, 15, 0)), rules: { protection: 'guarded' } });
    bench.deliver();
    bench.refuses = { code: 201, text: 'Order rejected - reason: no' };
    bench.byHand(100, 50);
    bench.run(1_000);
    bench.mark(50);
    const asked: number[] = [];
    for (let second = 0; second < 300; second += 1) {
      const before = bench.effects.length;
      bench.run(1_000);
      if (bench.effects.slice(before).some(effect => effect.do === 'place' && effect.order.role === 'disaster-stop')) asked.push(second);
    }
    const gaps = asked.slice(1).map((second, index) => second - (asked[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(16);
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(14);
    bench.refuses = null;
    bench.run(16_000);
    expect(bench.working().map(({ order }) => order.role)).toContain('disaster-stop');
  });
});
