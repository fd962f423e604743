import type { ExchangePort, ExchangePosition } from './exchange-types.js';

/** Nobody asks for older holdings than this, in ms of machine time. */
const KEPT_MS = 20_000;

/**
 * The account's holdings, now and some seconds ago: the broker's answers about positions may lag behind its fills (reference §4,
 * reqPositions), its pushes and executions don't.
 */
export class Holdings {
  private readonly latest = new Map<number, ExchangePosition>();
  /** What stood before each change, oldest first. */
  private changes: { readonly at: number; readonly before: ExchangePosition }[] = [];

  constructor(private readonly exchange: ExchangePort) {
    for (const position of exchange.positions()) this.latest.set(position.conId, position);
  }

  changed(position: ExchangePosition, now: number): void {
    const before = this.latest.get(position.conId) ?? { ...position, quantity: 0 };
    this.latest.set(position.conId, position);
    this.changes = this.changes.filter(({ at }) => at > now - KEPT_MS);
    this.changes.push({ at: now, before });
  }

  now(): readonly ExchangePosition[] {
    return this.exchange.positions().filter(({ quantity }) => quantity !== 0);
  }

  /** As of `time`; the same list as `now()` when nothing has changed since. */
  asOf(time: number): readonly ExchangePosition[] {
    const held = new Map(this.exchange.positions().map(position => [position.conId, position]));
    for (const { at, before } of this.changes.toReversed()) if (at > time) held.set(before.conId, before);
    return [...held.values()].filter(({ quantity }) => quantity !== 0);
  }

  hasChangedSince(time: number): boolean {
    return this.changes.some(({ at }) => at > time);
  }
}
