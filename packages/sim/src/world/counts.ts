import type { Effect } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { isFinal, type OrderStatus, type WorkerName } from '@holdfast/core/orders/order';

/** What a run of one seed amounts to, in numbers; campaigns add them up. */
export class Counts {
  readonly faults: Record<string, number> = {};
  /** fault kind → state of an order that was alive when it bit → how often. */
  readonly cells: Record<string, Record<string, number>> = {};
  crashes = 0;
  /** Entries that a worker decided, and trades it closed because their stop was touched: each once, however often its result is written anew. */
  entries = 0;
  readonly #stopped = new Set<string>();
  readonly #alive = new Map<string, Alive>();

  get stops(): number {
    return this.#stopped.size;
  }

  /** A fault has bitten: something was killed, delayed, refused, told wrong. Merely being switched on is no bite. */
  bit(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    const row = this.cells[kind] ?? {};
    this.cells[kind] = row;
    if (this.#alive.size === 0) row.none = (row.none ?? 0) + 1;
    const states = new Set<OrderState>();
    for (const { states: all } of this.#alive.values()) for (const state of all) states.add(state);
    for (const state of states) row[state] = (row[state] ?? 0) + 1;
  }

  /** Whether an order in that state lives now. */
  hasAlive(state: OrderState): boolean {
    for (const { states } of this.#alive.values()) if (states.includes(state)) return true;
    return false;
  }

  /** Follows the orders by what the workers decide about them, and by what their store refused. */
  follow(event: Event, effects: readonly Effect[]): void {
    if (event.kind === 'exit-refused') this.#alive.delete(event.orderRef);
    if (event.kind === 'entry-refused')
      for (const [orderRef, { tradeId, isEntry }] of this.#alive) if (isEntry && tradeId === event.tradeId) this.#alive.delete(orderRef);
    for (const effect of effects) {
      if (effect.do === 'enter') this.entries += 1;
      if (effect.do === 'close-position' && effect.trade.exitReason.includes('stop')) this.#stopped.add(effect.trade.tradeId);
      if (effect.do === 'enter' || effect.do === 'write-intent' || effect.do === 'write-order') {
        const { orderRef, tradeId, worker, role, status } = effect.order;
        const isEntry = role === 'entry';
        const states = statesOf(isEntry ? 'entry' : 'exit', status, effect.order.filled > 0);
        if (isFinal(effect.order)) this.#alive.delete(orderRef);
        else this.#alive.set(orderRef, { worker, tradeId, isEntry, states });
      } else if (effect.do === 'release-claim')
        for (const [orderRef, { tradeId, isEntry }] of this.#alive) if (isEntry && tradeId === effect.tradeId) this.#alive.delete(orderRef);
    }
  }

  /** A process is gone, and what it decided without getting it on record was never an order. */
  forget(worker: WorkerName, isKnown: (orderRef: string) => boolean): void {
    for (const [orderRef, alive] of this.#alive)
      if (alive.worker === worker && alive.states[0]?.endsWith('INTENT') && !isKnown(orderRef)) this.#alive.delete(orderRef);
  }
}

interface Alive {
  readonly worker: WorkerName;
  readonly tradeId: string;
  readonly isEntry: boolean;
  readonly states: readonly OrderState[];
}

export type OrderState = `${'entry' | 'exit'} ${OrderStatus | 'part filled'}`;

/** An order that is filled in part is in two columns: by its status, and as filled in part. */
const statesOf = (side: 'entry' | 'exit', status: OrderStatus, isPartlyFilled: boolean): readonly OrderState[] =>
  isPartlyFilled ? [`${side} ${status}`, `${side} part filled`] : [`${side} ${status}`];
