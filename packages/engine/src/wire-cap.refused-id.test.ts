import { describe, expect, it } from 'vitest';
import { capHolding, exit, filled, hear, send } from './testing/wire-words.js';

describe('I1, I2: 104 "Cannot modify a filled order": the id is used up', () => {
  it("an order whose id turns out to be an older one's was refused: it counts for nothing, and the next id sells (seed 462)", () => {
    const cap = capHolding(100);
    const target = exit(100);
    expect(send(cap, target)).toBe('ok');
    hear(cap, {
      kind: 'order-notice',
      orderId: target.orderId,
      code: 104,
      meaning: 'modify-refused',
      text: 'Cannot modify a filled order.',
    });
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('I2: so was its successor under that id: both are over with the executions, whatever was sent before (seed 6100758)', () => {
    const cap = capHolding(100);
    const lost = exit(100);
    const target = exit(100, { orderId: lost.orderId });
    expect([send(cap, lost), send(cap, target)]).toEqual(['ok', 'ok']);
    const { orderId } = target;
    hear(cap, { kind: 'order-notice', orderId, code: 104, meaning: 'modify-refused', text: 'Cannot modify a filled order.' });
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
    hear(cap, { kind: 'executions-end', id: 1 });
    expect(send(cap, exit(100))).toBe('ok');
  });

  it('and where it was ours that filled, what it sold counts on', () => {
    const cap = capHolding(100);
    const sale = exit(60);
    expect([send(cap, sale), send(cap, exit(50, { orderId: sale.orderId }))]).toEqual(['ok', 'ok']);
    hear(cap, { kind: 'order-notice', orderId: sale.orderId, code: 104, meaning: 'modify-refused', text: 'Cannot modify a filled order.' });
    hear(cap, filled(sale, 60));
    hear(cap, { kind: 'executions-end', id: 1 });
    expect(send(cap, exit(41))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(40))).toBe('ok');
  });
});
