import { loseStore } from '@holdfast/sim/world/store-acts';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { type DeskStage, endStages, onDesk } from './desk-stage.js';
import { befalls, copyOfNow } from './lost-store.js';

/**
 * People and faults meet a sale that is under way, at each of its stages: what a person does × where the sale is × what goes wrong half a second
 * later. After each the position is flat, the books agree, and the referees are content (`endStages`).
 */

afterEach(endStages);

/** Cancels take a second and a half, and beyond the stop there are few buyers: the sale takes from 09:33:03 to 09:34. */
const STAGES = {
  'before its first cancel': '09:33:02',
  'while the target is withdrawn': '09:33:04',
  'while the stop is withdrawn': '09:33:05',
  'between two attempts': '09:33:07',
  'while it waits for buyers': '09:33:15',
  'when it is over': '09:34:30',
} as const;

const ACTS: Readonly<Record<string, (s: DeskStage) => void>> = {
  'a part is sold by hand': s => s.byHand('SELL', Math.min(30, Math.max(1, s.position()))),
  'all of it is sold by hand': s => s.byHand('SELL', Math.max(1, s.position())),
  'more is sold by hand than is held': s => s.byHand('SELL', s.position() + 20),
  'more is bought by hand': s => s.byHand('BUY', 35),
  'a person rests a sale of a part': s => s.ordersByHand('SELL', 20, { limit: 60 }),
  'a person asks for it to be sold': s => s.command('flatten', { symbol: 'ACME' }),
  'a person asks for everything to be sold': s => s.command('liquidate-all'),
};

const TROUBLES: Readonly<Record<string, (s: DeskStage, putBack: () => void) => void>> = {
  'nothing else happens': () => undefined,
  'the exit manager is killed': s => s.kill('exit-manager'),
  'the exit manager hangs until it is killed': s => s.world.faults.lasts(8_000, resumed(s)),
  'the store is deleted': s => befalls(s, loseStore),
  'an older copy takes the place of the store': (_s, putBack) => putBack(),
  'every socket is cut': s => s.gateway.cutAll('cut'),
  'the gateway is away for twenty seconds': s => s.gateway.restart({ downMs: 20_000 }),
  'the next orders never arrive': s => forAWhile(s, { vanish: { odds: [1, 1], of: null } }),
  'the next orders are refused': s => forAWhile(s, { reject: { odds: [1, 1], codes: [201] } }),
};

function resumed(s: DeskStage): () => void {
  const process = s.stop('exit-manager');
  return () => s.resume(process);
}

function forAWhile(s: DeskStage, faults: Partial<DeskStage['gateway']['faults']>): void {
  Object.assign(s.gateway.faults, faults);
  s.world.faults.lasts(3_000, () => Object.assign(s.gateway.faults, { vanish: null, reject: null }));
}

const { ENCOUNTERS } = process.env; // allowed: all of them, by hand
const meetings = Object.keys(STAGES).flatMap((stage, row) =>
  Object.keys(ACTS).flatMap((act, column) =>
    Object.keys(TROUBLES)
      .filter((_, turn) => ENCOUNTERS === 'all' || turn % 3 === (row + column) % 3)
      .map(trouble => ({ stage: stage as keyof typeof STAGES, act, trouble })),
  ),
);

describe('A7, I1, I2, I3, I6, I12: a sale is met', () => {
  it.each(meetings)('$act $stage, and $trouble', ({ stage, act, trouble }) => {
    // Who trades into a fault of the line may be sold twice for a moment: nobody could have told. What is left of it is bought back.
    const s = onDesk({
      market: { ACME: [...CALM, ['09:33:00', { price: 49.4, size: 30 }], ['09:34:00', 49.4], ['09:50:00', 49.2], ['09:55:00', 51.5]] },
      follows: ['ACME'],
      forgives: trouble === 'nothing else happens' ? [] : ['I1'],
    });
    s.runTo('09:32:00');
    const putBack = copyOfNow(s);
    s.at('09:32:50', () => Object.assign(s.gateway.faults, { slowCancel: { odds: [1, 1], lowMs: 1_500, highMs: 1_500 } }));
    s.at(STAGES[stage], () => ACTS[act]?.(s));
    s.run(500);
    s.world.awake();
    TROUBLES[trouble]?.(s, putBack);
    s.runTo('09:34:50');
    s.gateway.faults.slowCancel = null;
    s.runTo('10:05:00');
    // What a person's own order rests for, and no more, is his to sell, once it is known: it is told with the look of the minute (DESIGN §4).
    const his = s.world.exchange.openOrders().reduce((sum, { remaining }) => sum + remaining, 0);
    expect(s.position(), s.told('ACME')).toBeGreaterThanOrEqual(0);
    expect(s.position(), s.told('ACME')).toBeLessThanOrEqual(his);
  });
});
