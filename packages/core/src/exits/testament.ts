import { tradeDateOf } from '../calendar.js';
import type { Write } from '../effects.js';
import type { EpochMs, MonoMs } from '../units.js';
import { rowOf } from './care.js';
import { endOf } from './close.js';
import { type Draft, type ExitManagerState, openDraft } from './desk.js';
import { averagePriceOf, executionsOf } from './learn.js';
import { heldShares } from './sellable.js';

/**
 * All that a successor must know when the store is lost, as writes that can be merged into whatever store it finds: every order of ours and
 * of the day trader's, every position and claim with its executions, the day's closed trades with their blocks, the baseline. What of it a
 * restored store has heard since stands. Executions of other trades are left out: the broker tells those of the day at the first reconcile,
 * and then their trades are rebuilt.
 */
export function testament(state: ExitManagerState, at: EpochMs, mono: MonoMs): readonly Write[] {
  const d = openDraft(state, at, mono);
  const held = new Set([...[...state.care.values()].map(({ tradeId }) => tradeId), ...state.closed.keys()]);
  return [
    ...baselineOf(state),
    ...[...state.care.values()].map((care): Write => {
      const entry = averagePriceOf(executionsOf(d, care.tradeId), care.side > 0 ? 'BUY' : 'SELL').price;
      return { do: 'write-position', position: rowOf(care, heldShares(state, care), care.origin === 'entry' ? entry : null, at) };
    }),
    ...[...state.executions.values()]
      .filter(({ tradeId }) => tradeId !== null && held.has(tradeId))
      .map(({ tradeId, ...execution }): Write => ({ do: 'write-execution', execution, tradeId, tradeDate: tradeDateOf(execution.at) })),
    ...[...state.orders.values()].map(({ order }): Write => ({ do: 'write-order', order })),
    ...[...state.entries.values()].map((order): Write => ({ do: 'write-order', order })),
    ...closedOf(d),
  ];
}

/**
 * Whole or not at all: a list that lacks an instrument makes the operator's shares look like ours (I12), and what the broker tells now may be
 * partial. The contracts came with the baseline, from the store or with the first answer.
 */
function baselineOf({ baseline, contracts, account }: ExitManagerState): readonly Write[] {
  if (baseline === null) return [];
  const holdings = [...baseline].flatMap(([conId, quantity]) => {
    const contract = contracts.get(conId);
    return contract ? [{ contract, quantity }] : [];
  });
  return holdings.length === baseline.size ? [{ do: 'write-baseline', account, holdings }] : [];
}

const closedOf = (d: Draft): readonly Write[] => [...d.s.closed.values()].map(care => ({ do: 'close-position', trade: endOf(d, care) }));
