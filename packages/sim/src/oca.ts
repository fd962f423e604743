import type { LiveOrder } from './live-order.js';

/** What a fill takes from another member of its one-cancels-all group. */
export interface OcaShrink {
  readonly order: LiveOrder;
  /** Shares less; at or below what is filled the order ends. */
  readonly by: number;
  readonly why: string;
  /** Without block (type 3) the others learn of it only after the market step: both may fill in it. */
  readonly delayed: boolean;
}

/** IB reports 3 when a client gives a group and no type (reference §1.5). */
const DEFAULT_TYPE = 3;

/** One-cancels-all groups, known by their names. A finished one stays finished: who joins it later is cancelled at once. */
export class OcaGroups {
  private readonly finished = new Set<string>();

  constructor(private readonly acrossClients: boolean) {}

  isFinished(order: LiveOrder): boolean {
    return order.request.ocaGroup !== undefined && this.finished.has(this.keyOf(order));
  }

  othersOf(order: LiveOrder, working: readonly LiveOrder[]): readonly LiveOrder[] {
    if (!order.request.ocaGroup) return [];
    const key = this.keyOf(order);
    return working.filter(other => other !== order && other.request.ocaGroup && this.keyOf(other) === key);
  }

  /**
   * Consequences of a fill of `shares` for the other members (reference §3, "ocaType"). Type 1: any fill cancels them. Types 2 and 3: they
   * shrink in proportion to their own size, rounded so that never too much is left; a completed member cancels them.
   * Worked: a 100-share target fills 40; the 100-share stop shrinks by 40, a 50-share one by 20.
   */
  afterFill(filled: LiveOrder, shares: number, working: readonly LiveOrder[]): readonly OcaShrink[] {
    if (!filled.request.ocaGroup) return [];
    if (filled.status === 'Filled') this.finished.add(this.keyOf(filled));
    const type = filled.request.ocaType ?? DEFAULT_TYPE;
    const cancelsAll = type === 1 || filled.status === 'Filled';
    // Over all fills so far, so that a hundred fills of one share do not round up a hundred times.
    const part = (sold: number, order: LiveOrder) => Math.ceil((sold * order.sentQuantity) / filled.sentQuantity);
    return this.othersOf(filled, working).map(order => ({
      order,
      by: cancelsAll ? order.request.quantity : part(filled.filled, order) - part(filled.filled - shares, order),
      why: 'another member of its OCA group filled',
      delayed: type === 3,
    }));
  }

  private keyOf({ request: { ocaGroup, clientId } }: LiveOrder): string {
    return this.acrossClients ? `${ocaGroup}` : `${clientId}/${ocaGroup}`;
  }
}
