import { shares } from '@holdfast/core/units';
import { usd } from '@holdfast/store/testing/desk';
import { describe, expect, it } from 'vitest';
import { capHolding, exit, hear, LIMITS, send, status } from './testing/wire-words.js';

describe('I1: an exit that is made smaller', () => {
  const target = (quantity = 100) => exit(quantity, { role: 'target', type: 'LMT', limitPrice: usd(60) });

  it('is no order of the minute: however often its sibling sells a part, it never stays above what is held (focused seed 16001436)', () => {
    const cap = capHolding(200);
    const resting = target();
    expect(send(cap, resting)).toBe('ok');
    for (let quantity = 99; quantity > 0; quantity -= 1) expect(send(cap, { ...resting, quantity: shares(quantity) })).toBe('ok');
    // And nothing of the minute was used for it: the other nine of the targets', and what is the stops'.
    for (let sent = 1; sent < LIMITS.ordersPerMinute / 3; sent += 1) expect(send(cap, target(1))).toBe('ok');
    expect(send(cap, target(1))).toBe('WIRE_CAP_RATE');
    expect(send(cap, exit(1, { role: 'disaster-stop' }))).toBe('ok');
  });

  it('the same again, made larger, or over already: that counts', () => {
    const cap = capHolding(100);
    const resting = target();
    const changedTo = (quantity: number) => send(cap, { ...resting, quantity: shares(quantity) });
    for (let sent = 0; sent < LIMITS.ordersPerMinute / 3; sent += 1) expect(changedTo(50)).toBe('ok');
    expect([changedTo(50), changedTo(51), changedTo(49)]).toEqual(['WIRE_CAP_RATE', 'WIRE_CAP_RATE', 'ok']);
    hear(cap, status(resting, 'Cancelled'));
    expect(changedTo(10)).toBe('WIRE_CAP_RATE');
  });
});
