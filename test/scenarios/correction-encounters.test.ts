import { fromDollars } from '@holdfast/core/units';
import { loseStore } from '@holdfast/sim/world/store-acts';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM, type SymbolDay } from './desk-market.js';
import { type DeskStage, endStages, onDesk } from './desk-stage.js';
import { befalls, copyOfNow, headIsDamaged } from './lost-store.js';

/**
 * The broker takes back, lessens or corrects what it had told, at the worst moments: every kind of trade × what is corrected × what goes wrong in that
 * very second. After each the desk is flat or protected, its books agree, and every referee is content (`endStages`).
 */

afterEach(endStages);

const TRADES = ['an entry of ours', 'a long by hand', 'a short by hand', 'an entry that grew by hand'] as const;
type Trade = (typeof TRADES)[number];

interface Correction {
  readonly of: 'first' | 'newest';
  readonly words: (execution: { readonly price: number; readonly shares: number }) => { readonly price?: number; readonly shares?: number };
  /** New York time; at 09:33:11 a sale for the stop begins, at 09:33:25 it has sold a part, at 09:35 it is over. */
  readonly at: '09:32:00' | '09:33:11' | '09:33:25' | '09:35:00';
}
const BUST = () => ({ shares: 0 });
const LESS = ({ shares }: { readonly shares: number }) => ({ shares: Math.max(1, shares - 30) });
const DEARER = ({ price }: { readonly price: number }) => ({ price: price + 200_000 });

const CORRECTIONS: Readonly<Record<string, Correction>> = {
  'the purchase is busted while it is held': { of: 'first', words: BUST, at: '09:32:00' },
  'the purchase was smaller': { of: 'first', words: LESS, at: '09:32:00' },
  'the purchase is busted while its stop is withdrawn': { of: 'first', words: BUST, at: '09:33:11' },
  'the purchase is busted while it is sold': { of: 'first', words: BUST, at: '09:33:25' },
  'the purchase was smaller, told while it is sold': { of: 'first', words: LESS, at: '09:33:25' },
  'a part of the sale is busted while the rest is sold': { of: 'newest', words: BUST, at: '09:33:25' },
  'the purchase was smaller, told after its end': { of: 'first', words: LESS, at: '09:35:00' },
  'the purchase was dearer, told after its end': { of: 'first', words: DEARER, at: '09:35:00' },
  'the sale is busted': { of: 'newest', words: BUST, at: '09:35:00' },
  'the sale was smaller': { of: 'newest', words: LESS, at: '09:35:00' },
};

const TROUBLES: Readonly<Record<string, (s: DeskStage, putBack: () => void) => void>> = {
  'nothing else': () => undefined,
  'the exit manager is killed': s => s.kill('exit-manager'),
  'the exit manager hangs until it is killed': s => s.world.faults.lasts(8_000, resumed(s)),
  'everything is killed': s => {
    s.kill('supervisor');
    s.kill('exit-manager');
    s.kill('day-trader');
  },
  'the store is deleted': s => befalls(s, loseStore),
  'the store is damaged': headIsDamaged,
  'an older copy takes the place of the store': (_s, putBack) => putBack(),
  'an older copy takes its place, and what was known dies': (s, putBack) => {
    s.kill('exit-manager');
    putBack();
  },
  'the gateway restarts': s => s.gateway.restart({ downMs: 6_000, lostLastMs: 2_000, rollBackIds: 3, unsettledMs: 4_000 }),
  'the disk is full and the exit manager killed': s => {
    s.disk('full', 10_000);
    s.world.faults.lasts(10_000, () => undefined);
    s.kill('exit-manager');
  },
};

function resumed(s: DeskStage): () => void {
  const process = s.stop('exit-manager');
  return () => s.resume(process);
}

/** Bought at 09:31, thinly traded beyond the stop from 09:33 to 09:34, and beyond it once more at 09:50, so that whatever came back is sold too. */
function marketOf(sign: 1 | -1): SymbolDay {
  return [...CALM, ['09:33:00', { price: 50 - sign * 0.6, size: 40 }], ['09:34:00', 50], ['09:50:00', 50 - sign * 0.7]];
}

function encounter(trade: Trade, correction: Correction, trouble: (s: DeskStage, putBack: () => void) => void): DeskStage {
  const isByHand = trade.endsWith('long by hand') || trade.endsWith('short by hand');
  const isShort = trade === 'a short by hand';
  const s = onDesk({ market: { ACME: marketOf(isShort ? -1 : 1) }, follows: isByHand ? [] : ['ACME'] });
  if (isByHand) s.at('09:31:00', () => s.byHand(isShort ? 'SELL' : 'BUY', 99));
  s.runTo('09:31:20');
  const putBack = copyOfNow(s);
  if (trade === 'an entry that grew by hand') s.at('09:31:40', () => s.byHand('BUY', 40));
  // Cancels take their time, so that the sale is still under way when the word comes.
  if (correction.at === '09:33:11')
    s.at('09:32:50', () => Object.assign(s.gateway.faults, { slowCancel: { odds: [1, 1], lowMs: 1_500, highMs: 1_500 } }));
  s.at(correction.at, () => {
    const known = s.world.exchange.executions();
    const execution = correction.of === 'first' ? known[0] : known.at(-1);
    if (!execution) throw new Error('nothing was traded yet');
    const { price, shares } = correction.words(execution);
    s.world.exchange.correct(execution.execId, {
      ...(price !== undefined && { price: fromDollars(price / 1e6) }),
      ...(shares !== undefined && { shares }),
    });
    trouble(s, putBack);
  });
  s.gateway.faults.slowCancel = null;
  s.runTo('10:00:00');
  return s;
}

/** Every trouble meets every correction, the trades take turns; with `ENCOUNTERS=all` each of them meets both. */
const { ENCOUNTERS } = process.env; // allowed: all of them, by hand
const words = Object.entries(CORRECTIONS);
const troubles = Object.entries(TROUBLES);
const meetings = troubles.flatMap(([trouble], row) =>
  words.flatMap(([word], column) =>
    TRADES.filter((_, turn) => ENCOUNTERS === 'all' || turn === (row + column) % TRADES.length).map(trade => ({ trouble, word, trade })),
  ),
);

describe('B6, I1, I2, I3, I6: what was told is corrected', () => {
  it.each(meetings)('$word, $trouble: $trade', ({ trouble, word, trade }) => {
    const [correction, begin] = [CORRECTIONS[word], TROUBLES[trouble]];
    if (!correction || !begin) throw new Error('every meeting is of two');
    const s = encounter(trade, correction, begin);
    expect(s.position(), s.told('ACME')).toBe(0);
  });
});
