import type { MonoMs } from '@holdfast/core/units';
import type { ExchangeEvent } from '../exchange-types.js';

/**
 * What happened at the exchange and at its door, numbered, with machine time: the record that tests and referees read over the control
 * port. Quotes are left out (hundreds of thousands a day); in-process referees get them through `onExchangeEvent`.
 */
export type LoggedEvent =
  | Exclude<ExchangeEvent, { kind: 'quote' }>
  | { readonly kind: 'client'; readonly at: number; readonly clientId: number; readonly connected: boolean }
  | { readonly kind: 'request'; readonly at: number; readonly clientId: number; readonly messageId: number; readonly orderId: number }
  | { readonly kind: 'fault'; readonly at: number; readonly fault: string };

export interface LogEntry {
  readonly seq: number;
  readonly machineAt: MonoMs;
  readonly event: LoggedEvent;
}

export class EventLog {
  readonly #entries: LogEntry[] = [];

  add(event: LoggedEvent, machineAt: MonoMs): void {
    this.#entries.push({ seq: this.#entries.length + 1, machineAt, event });
  }

  /** Entries with a sequence number above `seq`. */
  since(seq: number): readonly LogEntry[] {
    return this.#entries.slice(Math.max(0, seq));
  }

  get last(): number {
    return this.#entries.length;
  }
}
