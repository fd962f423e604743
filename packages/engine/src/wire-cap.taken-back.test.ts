import { describe, expect, it } from 'vitest';
import { capHolding, echo, exit, filled, hear, send } from './testing/wire-words.js';

describe('I1, I2: a sale is taken back, and no word ever said that its order was over', () => {
  it('what filled whole is over: the shares that came back may be sold (seed 1795197419656)', () => {
    const cap = capHolding(100);
    const sale = exit(60);
    expect(send(cap, sale)).toBe('ok');
    hear(cap, { kind: 'open-order', order: echo(sale, { status: 'PreSubmitted' }) });
    hear(cap, filled(sale, 40, 's.1.1.01'));
    hear(cap, filled(sale, 20, 's.2.1.01'));
    hear(cap, filled(sale, 0, 's.1.1.02'));
    expect(send(cap, exit(81))).toBe('WIRE_CAP_QUANTITY');
    expect(send(cap, exit(80))).toBe('ok');
  });

  it('told again as working by an answer of before, it is over all the same', () => {
    const cap = capHolding(100);
    const sale = exit(100);
    expect(send(cap, sale)).toBe('ok');
    hear(cap, filled(sale, 100, 's.1.1.01'));
    hear(cap, { kind: 'open-order', order: echo(sale) });
    hear(cap, filled(sale, 0, 's.1.1.02'));
    expect(send(cap, exit(100))).toBe('ok');
  });

  it.each([
    ['a part of it had filled', 100, 99],
    ['the change that makes it larger is not confirmed', 60, 60],
  ])('where %s, its rest may still be sold: it counts', (_, quantity, sold) => {
    const cap = capHolding(100);
    const sale = exit(quantity);
    expect(send(cap, sale)).toBe('ok');
    if (sold === quantity) expect(send(cap, { ...sale, quantity: exit(100).quantity })).toBe('ok');
    hear(cap, filled(sale, sold, 's.1.1.01'));
    hear(cap, filled(sale, 0, 's.1.1.02'));
    expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  });
});
