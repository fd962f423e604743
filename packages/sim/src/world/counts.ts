import type { Effect } from '@holdfast/core/effects';
import { isFinal, type OrderStatus } from '@holdfast/core/orders/order';

/** What a run of one seed amounts to, in numbers; campaigns add them up. */
export class Counts {
  readonly faults: Record<string, number> = {};
  /** fault kind → state of an order that was alive when it bit → how often. */
  readonly cells: Record<string, Record<string, number>> = {};
  crashes = 0;
  /** Entries that a worker decided, and trades it closed because their stop was touched: each once, however often its result is written anew. */
  entries = 0;
  readonly #stopped = new Set<string>();
  readonly #alive = new Map<string, readonly string[]>();

  get stops(): number {
    return this.#stopped.size;
  }

  /** A fault has bitten: something was killed, delayed, refused, told wrong. Merely being switched on is no bite. */
  bit(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    const row = this.cells[kind] ?? {};
    this.cells[kind] = row;
    if (this.#alive.size === 0) row.none = (row.none ?? 0) + 1;
    const states = new Set<string>();
    for (const all of this.#alive.values()) for (const state of all) states.add(state);
    for (const state of states) row[state] = (row[state] ?? 0) + 1;
  }

  /** Follows the orders by what the workers decide about them. */
  follow(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'enter') this.entries += 1;
      if (effect.do === 'close-position' && effect.trade.exitReason.includes('stop')) this.#stopped.add(effect.trade.tradeId);
      if (effect.do === 'enter' || effect.do === 'write-intent' || effect.do === 'write-order') {
        const { orderRef, role, status } = effect.order;
        if (isFinal(effect.order)) this.#alive.delete(orderRef);
        else this.#alive.set(orderRef, statesOf(role === 'entry' ? 'entry' : 'exit', status, effect.order.filled > 0));
      } else if (effect.do === 'release-claim') this.#alive.delete(effect.tradeId);
    }
  }
}

/** An order that is filled in part is in two columns: by its status, and as filled in part. */
const statesOf = (side: 'entry' | 'exit', status: OrderStatus, isPartlyFilled: boolean): readonly string[] =>
  isPartlyFilled ? [`${side} ${status}`, `${side} part filled`] : [`${side} ${status}`];
