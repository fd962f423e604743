import { type EpochMs, type Micros, micros } from '@holdfast/core/units';
import type { ExchangePosition } from '../exchange-types.js';
import { pnlMessage, pnlSingleMessage } from './account-messages.js';
import type { Client, Floor } from './floor.js';
import type { RequestFields } from './request-fields.js';
import type { Field } from './wire.js';

interface Opening {
  readonly quantity: number;
  readonly value: Micros;
}

/**
 * P&L of the account and of single positions: once per exchange second while a value changes, silence otherwise. It needs no market
 * data subscription, which is why protection can live on it.
 */
export class PnlDesk {
  readonly #floor: Floor;
  /** What was held when the day began, valued at the previous close: daily P&L counts from there. */
  readonly #openings = new Map<number, Opening>();
  readonly #singles = new Map<Client, Map<number, { readonly conId: number; told: string }>>();
  readonly #totals = new Map<Client, Map<number, { told: string }>>();
  #second: number;

  constructor(floor: Floor) {
    this.#floor = floor;
    this.#second = Math.floor(floor.exchange.now / 1000);
    for (const position of floor.exchange.positions()) {
      const { previousClose, multiplier } = floor.instrument(position.conId);
      const value = micros(Math.round(position.quantity * previousClose * multiplier));
      this.#openings.set(position.conId, { quantity: position.quantity, value });
    }
  }

  forget(client: Client): void {
    this.#singles.delete(client);
    this.#totals.delete(client);
  }

  /** `reqId account model conId`. */
  subscribeSingle(client: Client, fields: RequestFields): void {
    const requestId = fields.integer();
    if (this.#refusesAccount(client, requestId, fields.text())) return;
    fields.skip(1);
    const conId = fields.integer();
    const known = this.#floor.exchange.instruments.some(instrument => instrument.conId === conId);
    if (!known) {
      client.error(requestId, 321, `Error validating request.-'bZ' : cause - Invalid conId ${conId}`);
      return;
    }
    const requests = this.#singles.get(client) ?? new Map<number, { readonly conId: number; told: string }>();
    if (requests.has(requestId)) {
      client.error(requestId, 102, 'Duplicate ticker ID.');
      return;
    }
    requests.set(requestId, { conId, told: '' });
    this.#singles.set(client, requests);
    this.#sendSingles(client);
  }

  cancelSingle(client: Client, fields: RequestFields): void {
    const requestId = fields.integer();
    if (!this.#singles.get(client)?.delete(requestId)) client.error(requestId, 300, `Can't find EId with tickerId:${requestId}`);
  }

  /** `reqId account model`. */
  subscribeTotal(client: Client, fields: RequestFields): void {
    const requestId = fields.integer();
    if (this.#refusesAccount(client, requestId, fields.text())) return;
    const requests = this.#totals.get(client) ?? new Map<number, { told: string }>();
    requests.set(requestId, { told: '' });
    this.#totals.set(client, requests);
    this.#sendTotals(client);
  }

  cancelTotal(client: Client, fields: RequestFields): void {
    const requestId = fields.integer();
    if (!this.#totals.get(client)?.delete(requestId)) client.error(requestId, 300, `Can't find EId with tickerId:${requestId}`);
  }

  /** Called whenever exchange time has moved; speaks when a second is over. */
  tick(now: EpochMs): void {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    if (this.#singles.size === 0 && this.#totals.size === 0) return;
    for (const client of this.#singles.keys()) this.#sendSingles(client);
    for (const client of this.#totals.keys()) this.#sendTotals(client);
  }

  #refusesAccount(client: Client, requestId: number, account: string): boolean {
    if (account === this.#floor.account) return false;
    client.error(requestId, 321, `Error validating request.-'bZ' : cause - Invalid account code: ${account}`);
    return true;
  }

  #sendSingles(client: Client): void {
    const requests = this.#singles.get(client);
    if (!requests || requests.size === 0) return;
    const positions = new Map(this.#floor.exchange.positions().map(position => [position.conId, position]));
    for (const [requestId, request] of requests) {
      const position = positions.get(request.conId) ?? emptyPosition(request.conId);
      const instrument = this.#floor.instrument(request.conId);
      const message = pnlSingleMessage(requestId, position, instrument, this.#dailyOf(position));
      request.told = tellIfNew(client, message, request.told);
    }
  }

  #sendTotals(client: Client): void {
    const positions = this.#floor.exchange.positions();
    const daily = micros(positions.reduce((sum, position) => sum + this.#dailyOf(position), 0));
    for (const [requestId, request] of this.#totals.get(client) ?? []) {
      request.told = tellIfNew(client, pnlMessage(requestId, daily, this.#floor.exchange.account()), request.told);
    }
  }

  /** Value now − value at the open + what sales brought − what purchases cost, commissions included. */
  #dailyOf(position: ExchangePosition): Micros {
    const opening = this.#openings.get(position.conId) ?? { quantity: 0, value: micros(0) };
    const { multiplier } = this.#floor.instrument(position.conId);
    let cash = 0;
    for (const execution of this.#floor.exchange.executions()) {
      if (execution.conId !== position.conId) continue;
      const proceeds = execution.price * execution.shares * multiplier;
      cash += (execution.side === 'SELL' ? proceeds : -proceeds) - execution.commission;
    }
    return micros(Math.round(position.quantity * position.mark * multiplier - opening.value + cash));
  }
}

const emptyPosition = (conId: number): ExchangePosition => ({
  conId,
  symbol: '',
  quantity: 0,
  averageCost: micros(0),
  mark: micros(0),
  realizedToday: micros(0),
});

function tellIfNew(client: Client, message: readonly Field[], told: string): string {
  const text = message.join(' ');
  if (text !== told) client.send(message);
  return text;
}
