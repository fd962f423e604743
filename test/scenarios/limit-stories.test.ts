import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** Risk limits as the exchange sees them, and one exit authority at a time; told by the whole desk. */

afterEach(endStages);
const THREE = { ACME: CALM, BOLT: [['09:00:00', 80] as const], CORE: [['09:00:00', 20] as const] };

describe('limits', () => {
  it('I9, A10: three signals with the same bar, room for two positions: two are bought', () => {
    const s = onDesk({ market: THREE, follows: ['ACME', 'BOLT', 'CORE'], entries: { maxPositions: 2 } });
    s.runTo('09:36:00');
    expect(s.told('enters', 'fills')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 day-trader  enters BUY 62 BOLT LMT 80.11 GTD (D-2)
      09:31:00 exchange  fills BUY 62 BOLT @ 80.01 (D-2)
    `);
    expect(s.world.exchange.positions().filter(({ quantity }) => quantity !== 0)).toHaveLength(2);
  });

  it('I9, I5: the day trader dies after its first order of three and forgets what it was about: still two', () => {
    const s = onDesk({ market: THREE, follows: ['ACME', 'BOLT', 'CORE'], entries: { maxPositions: 2 } });
    s.at('09:30:59', () => s.ambush({ worker: 'day-trader', kind: 'send', side: 'after', act: 'kill', what: 'place' }));
    s.runTo('09:40:00');
    expect(s.told('enters', 'fills', 'kill')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 fault  kill after send: day-trader after send of place
      09:32:00 day-trader  enters BUY 62 BOLT LMT 80.11 GTD (D-2)
      09:32:00 exchange  fills BUY 62 BOLT @ 80.01 (D-2)
    `);
    expect(s.world.exchange.positions().filter(({ quantity }) => quantity !== 0)).toHaveLength(2);
  });
});
