import type { Effect, Write } from '../effects.js';
import type { Care } from './care.js';
import type { Draft } from './desk.js';

/**
 * What must stand before an exit leaves, and what may follow it. The rows of positions are known last; the store checks an exit's intent
 * against them where a position is new or its unexplained base changed, and a plan that begins must outlive a kill: those go before the first
 * intent. Everything else that no send depends on (decisions, alerts, rows that count attempts) is written right after the sends.
 */
export function inOrder(d: Draft, { before, decided }: { before: ReadonlyMap<number, Care>; decided: number }): readonly Effect[] {
  const { effects } = d;
  if (!effects.some(({ do: what }) => what === 'place' || what === 'cancel')) return effects;
  const rows = effects.slice(decided);
  const mayFollow = (row: Effect): row is RowWrite => {
    if (row.do !== 'write-position') return false;
    const known = before.get(row.position.contract.conId);
    return (
      known !== undefined &&
      known.status !== 'CLAIMED' &&
      known.base === row.position.metadata.base &&
      (known.exit !== null) === (row.position.metadata.exit !== null)
    );
  };
  const first = effects.findIndex(({ do: what }) => what === 'write-intent');
  const cut = first < 0 ? decided : first;
  const reordered = [...effects.slice(0, cut), ...rows.filter(row => !mayFollow(row)), ...effects.slice(cut, decided)];
  const afterwards = [...effects.slice(0, decided).filter(isBookkeeping), ...rows.filter(mayFollow)];
  return [...reordered.filter(effect => !isBookkeeping(effect)), ...afterwards.map(write => ({ do: 'later', write }) as const)];
}

type RowWrite = Extract<Write, { do: 'write-position' }>;
type Bookkeeping = Extract<Write, { do: 'write-decision' | 'write-alert' | 'write-equity' }>;
const isBookkeeping = (effect: Effect): effect is Bookkeeping =>
  effect.do === 'write-decision' || effect.do === 'write-alert' || effect.do === 'write-equity';
