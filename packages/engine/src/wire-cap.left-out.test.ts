import { expect, it } from 'vitest';
import { capHolding, exit, filled, hear, send, status } from './testing/wire-words.js';

it('I2, I3: an order that a partial answer left out and that is changed all the same is one order: what it fills counts once (seed 8200181)', () => {
  const cap = capHolding(438);
  const [target, stop] = [exit(438, { ocaGroup: 'g1' }), exit(438, { ocaGroup: 'g1' })];
  expect([send(cap, target), send(cap, stop)]).toEqual(['ok', 'ok']);
  hear(cap, status(target, 'Submitted'));
  hear(cap, status(stop, 'PreSubmitted'));
  cap.snapshotRequested(1);
  hear(cap, { kind: 'snapshot', id: 1, session: 2, openOrders: [], executions: [], positions: [] });
  expect(send(cap, stop)).toBe('ok');
  expect(send(cap, exit(1))).toBe('WIRE_CAP_QUANTITY');
  hear(cap, filled(stop, 127));
  hear(cap, status(target, 'Cancelled'));
  hear(cap, status(stop, 'Cancelled', 127));
  expect(send(cap, exit(312))).toBe('WIRE_CAP_QUANTITY');
  expect(send(cap, exit(311))).toBe('ok');
});
