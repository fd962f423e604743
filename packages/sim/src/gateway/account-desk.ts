import type { EpochMs } from '@holdfast/core/units';
import type { ExchangePosition } from '../exchange-types.js';
import { accountValueMessage, accountValues, portfolioMessage, positionMessage } from './account-messages.js';
import type { Client, Floor } from './floor.js';
import type { RequestFields } from './request-fields.js';
import { wireClock } from './wire-time.js';

/** Account values and portfolio are repeated every three minutes of exchange time, and at once when a position changes. */
const REFRESH_MS = 180_000;
/** The broker allows two summaries at a time. */
const SUMMARIES_MAX = 2;

interface Subscription {
  portfolio: boolean;
  positions: boolean;
  readonly summaries: Map<number, { readonly tags: readonly string[]; readonly sent: Map<string, string> }>;
  /** What the client was told last, so that a fill repeats only what it changed. */
  readonly told: Map<string, string>;
}

/** Account updates, account summary and positions. All clients see the same account. */
export class AccountDesk {
  readonly #floor: Floor;
  readonly #subscriptions = new Map<Client, Subscription>();
  #refreshedAt: EpochMs;

  constructor(floor: Floor) {
    this.#floor = floor;
    this.#refreshedAt = floor.exchange.now;
  }

  forget(client: Client): void {
    this.#subscriptions.delete(client);
  }

  sendAccounts(client: Client): void {
    client.send([15, 1, this.#floor.account]);
  }

  /** `2 subscribe account`. */
  accountUpdates(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const subscribes = fields.flag();
    const account = fields.text();
    if (account !== '' && account !== this.#floor.account) {
      client.error(-1, 321, `Error validating request.-'b8' : cause - Invalid account code: ${account}`);
      return;
    }
    const subscription = this.#of(client);
    subscription.portfolio = subscribes;
    if (!subscribes) return;
    subscription.told.clear();
    this.#sendAccount(client, subscription, { everything: true });
    client.send([54, 1, this.#floor.account]);
  }

  /** `1 reqId group tags`. */
  summary(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    const group = fields.text();
    const tags = fields.text().split(',').filter(Boolean);
    const { summaries } = this.#of(client);
    if (group !== 'All') {
      client.error(requestId, 321, `Error validating request.-'b9' : cause - Group name is invalid: ${group}`);
      return;
    }
    if (summaries.size >= SUMMARIES_MAX) {
      client.error(requestId, 322, "Error processing request.-'cd' : cause - Maximum number of account summary requests exceeded");
      return;
    }
    summaries.set(requestId, { tags, sent: new Map() });
    this.#sendSummary(client, requestId);
    client.send([64, 1, requestId]);
  }

  cancelSummary(client: Client, fields: RequestFields): void {
    fields.skip(1);
    this.#of(client).summaries.delete(fields.integer());
  }

  positions(client: Client): void {
    this.#of(client).positions = true;
    for (const position of this.#floor.exchange.positions()) client.send(this.#position(position));
    client.send([62, 1]);
  }

  cancelPositions(client: Client): void {
    this.#of(client).positions = false;
  }

  /** A position changed: all subscribers hear it, whoever traded. */
  positionChanged(position: ExchangePosition): void {
    for (const [client, subscription] of this.#subscriptions) if (subscription.positions) client.send(this.#position(position));
  }

  /** After fills: the changed values and rows at once. */
  accountChanged(): void {
    for (const [client, subscription] of this.#subscriptions) {
      if (subscription.portfolio) this.#sendAccount(client, subscription, { everything: false });
    }
  }

  /** Called whenever exchange time has moved. */
  tick(now: EpochMs): void {
    if (now - this.#refreshedAt < REFRESH_MS) return;
    this.#refreshedAt = now;
    for (const [client, subscription] of this.#subscriptions) {
      if (subscription.portfolio) this.#sendAccount(client, subscription, { everything: true });
      for (const requestId of subscription.summaries.keys()) this.#sendSummary(client, requestId);
    }
  }

  #of(client: Client): Subscription {
    const known = this.#subscriptions.get(client);
    if (known) return known;
    const fresh: Subscription = { portfolio: false, positions: false, summaries: new Map(), told: new Map() };
    this.#subscriptions.set(client, fresh);
    return fresh;
  }

  #position(position: ExchangePosition): ReturnType<typeof positionMessage> {
    return positionMessage(this.#floor.account, position, this.#floor.instrument(position.conId));
  }

  #sendAccount(client: Client, { told }: Subscription, { everything }: { readonly everything: boolean }): void {
    const { exchange, account } = this.#floor;
    for (const entry of accountValues(exchange.account())) {
      const [key, value, currency] = entry;
      if (!everything && told.get(`${key}/${currency}`) === value) continue;
      told.set(`${key}/${currency}`, value);
      client.send(accountValueMessage(account, entry));
    }
    for (const position of exchange.positions()) {
      const row = `${position.quantity} ${position.averageCost} ${position.realizedToday}`;
      if (!everything && told.get(`row ${position.conId}`) === row) continue;
      told.set(`row ${position.conId}`, row);
      client.send(portfolioMessage(account, position, this.#floor.instrument(position.conId)));
    }
    client.send([8, 1, wireClock(exchange.now).slice(0, 5)]);
  }

  #sendSummary(client: Client, requestId: number): void {
    const summary = this.#of(client).summaries.get(requestId);
    if (!summary) return;
    const wantsLedger = summary.tags.some(tag => tag.startsWith('$LEDGER'));
    for (const [key, value, currency] of accountValues(this.#floor.exchange.account())) {
      const wanted = summary.tags.includes(key) || (wantsLedger && currency !== '');
      if (!wanted || summary.sent.get(`${key}/${currency}`) === value) continue;
      summary.sent.set(`${key}/${currency}`, value);
      client.send([63, 1, requestId, this.#floor.account, key, value, currency]);
    }
  }
}
