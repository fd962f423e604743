import { describe, expect, it } from 'vitest';
import { backOffMs, transientReason } from './rejections.js';

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
