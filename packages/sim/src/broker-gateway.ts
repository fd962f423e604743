import type { EventBody } from '@holdfast/core/events';
import type { BrokerListener, BrokerSend } from '@holdfast/core/ports';
import { CLIENT_ID_IN_USE } from '@holdfast/core/redial';
import { type Micros, type MonoMs, monoMs } from '@holdfast/core/units';
import type { SimBroker } from './broker.js';
import { Answers, type HistoryOf } from './broker-answers.js';
import { GatewayClient, type GatewayDoor } from './broker-client.js';
import { type FaultKind, type GatewayFaults, noGatewayFaults, type OnFault } from './broker-faults.js';
import { Feed } from './broker-feed.js';
import { Holdings } from './broker-holdings.js';
import { OrderWindow, type Ownership } from './broker-orders.js';
import { Relay } from './broker-relay.js';
import { Requests } from './broker-requests.js';
import type { ExchangePort } from './exchange-types.js';
import { createRandom, type Random } from './random.js';

export interface SimGatewayParts {
  readonly exchange: ExchangePort;
  /** Luck of the faults; a source of its own, so that nothing else is shifted by them. */
  readonly random?: Random;
  readonly onFault?: OnFault;
  /** Default `own-only`, as the broker documents it. */
  readonly ownership?: Ownership;
  /** Bars of the past; without it every history is empty. */
  readonly history?: HistoryOf;
  /** Length of real-time bars in ms, a divisor of 30 s and at least 5 s; default 30 s: one message per bar a worker decides on. */
  readonly barMs?: number;
  /** No live data: quotes are delayed, real-time bars refused. */
  readonly isDelayed?: boolean;
}

/** How a gateway restarts. All figures in ms; machine time but for `lostLastMs`, which is exchange time. */
export interface RestartWords {
  /** Where nobody has advanced the gateway to the present yet. */
  readonly now?: MonoMs;
  readonly downMs: number;
  /** Orders that it took within this before it went, and of which nothing has filled, are lost. */
  readonly lostLastMs?: number;
  /** The next order id it tells is so many lower than it was. */
  readonly rollBackIds?: number;
  /** After it is back, for so long the account is not ready and answers lack a part. */
  readonly unsettledMs?: number;
}

/** The gateway in one process: every client of the world connects to it, and what befalls it befalls all of them. */
export interface SimGateway {
  /** A process's connection, not dialled yet. Every new process takes a new one; the old one is closed, or hangs and keeps its id. */
  client(parts: { readonly clientId: number; readonly onEvent: BrokerListener }): SimBroker;
  /** Time has passed: call it after each `exchange.advanceTo`. Cheap when nothing is due. */
  advance(now: MonoMs): void;
  /** Its own next appointment in machine time (a slow cancel, the end of a restart); null for none. */
  nextDueAt(): MonoMs | null;
  readonly faults: GatewayFaults;
  /** Every switched fault off. A restart under way and a lost line take their own time or word. */
  calm(): void;
  /** 1100: the gateway's line to the broker. Sockets stay; nothing of what is sent arrives, nothing that happens is told. */
  loseBroker(): void;
  /** 1102 when the subscriptions were kept, 1101 when they are lost. What happened meanwhile is told only when asked for. */
  restoreBroker(data: 'kept' | 'lost'): void;
  restart(words: RestartWords): void;
  /** Every socket at once. */
  cutAll(reason: string): void;
  /** The broker corrects an execution, or busts it (0 shares), and tells the client that placed its order. False when no such one stands. */
  correct(execId: string, words: { readonly price?: Micros; readonly shares?: 0 }): boolean;
  readonly isUp: boolean;
  readonly isBrokerLost: boolean;
  /** False for a while after a restart. */
  readonly isSettled: boolean;
}

export const createSimGateway = (parts: SimGatewayParts): SimGateway => new Gateway(parts);

const DEFAULT_BAR_MS = 30_000;
const CONNECT_REFUSED = 502;
const LOST_TEXT = 'Connectivity between IBKR and Trader Workstation has been lost.';
const RESTORED_TEXT = 'Connectivity between IBKR and Trader Workstation has been restored';

class Gateway implements SimGateway, GatewayDoor {
  readonly faults = noGatewayFaults();
  now: MonoMs = monoMs(0);
  isBrokerLost = false;
  private readonly exchange: ExchangePort;
  private readonly random: Random;
  private readonly onFault: OnFault;
  private readonly feed: Feed;
  private readonly answers: Answers;
  private readonly orders: OrderWindow;
  private readonly relay: Relay;
  private readonly requests: Requests;
  private connected: readonly GatewayClient[] = [];
  /** Client ids whose dead socket the gateway has not noticed yet, and until when. */
  private readonly lingering = new Map<number, number>();
  private backAt: number | null = null;
  private settledAt: number | null = null;
  private unsettledMs = 0;
  private rolledBack = 0;

  constructor(parts: SimGatewayParts) {
    const { exchange } = parts;
    this.exchange = exchange;
    this.random = parts.random ?? createRandom(0, 'gateway');
    this.onFault = parts.onFault ?? (() => undefined);
    this.feed = new Feed({
      exchange,
      barMs: parts.barMs ?? DEFAULT_BAR_MS,
      isDelayed: parts.isDelayed ?? false,
      clients: () => this.connected,
      tellAccount: client => this.answers.account(client),
      tellPortfolio: client => this.answers.portfolio(client),
    });
    const holdings = new Holdings(exchange);
    this.answers = new Answers({
      exchange,
      feed: this.feed,
      random: this.random,
      history: parts.history ?? (() => []),
      onFault: this.onFault,
      isUnsettled: () => !this.isSettled,
      faults: this.faults,
      holdings,
      now: () => this.now,
    });
    this.orders = new OrderWindow({
      exchange,
      ownership: parts.ownership ?? 'own-only',
      random: this.random,
      faults: this.faults,
      onFault: this.onFault,
      now: () => this.now,
    });
    const { feed, answers, orders, onFault } = this;
    this.relay = new Relay({ exchange, feed, answers, onFault, clients: () => this.connected });
    this.requests = new Requests({ feed, answers, orders, onFault });
    exchange.subscribe(event => {
      if (event.kind === 'position') holdings.changed(event.position, this.now);
      if (this.connected.length === 0) return;
      if (this.isBrokerLost) this.relay.miss(event);
      else this.relay.hear(event);
    });
  }

  get isUp(): boolean {
    return this.backAt === null;
  }
  get isSettled(): boolean {
    return this.settledAt === null;
  }

  client({ clientId, onEvent }: { readonly clientId: number; readonly onEvent: BrokerListener }): SimBroker {
    return new GatewayClient({ door: this, clientId, onEvent, random: this.random, onFault: this.onFault });
  }

  calm(): void {
    Object.assign(this.faults, noGatewayFaults());
  }

  // ---- time ----

  tick(now: MonoMs): void {
    if (now > this.now) this.now = now;
  }

  advance(now: MonoMs): void {
    this.tick(now);
    if (this.backAt !== null && now >= this.backAt) this.comeBack();
    if (this.settledAt !== null && now >= this.settledAt) this.settle();
    this.orders.advance(now, this.isBrokerLost);
    if (!this.isBrokerLost && this.connected.length > 0) this.feed.advance();
  }

  second(): void {
    this.feed.second();
  }

  nextDueAt(): MonoMs | null {
    const next = Math.min(this.backAt ?? Number.POSITIVE_INFINITY, this.settledAt ?? Number.POSITIVE_INFINITY, this.orders.nextDueAt());
    return Number.isFinite(next) ? monoMs(next) : null;
  }

  // ---- connections ----

  dial(client: GatewayClient): ReturnType<GatewayDoor['dial']> {
    const { clientId } = client;
    if (!this.isUp) {
      this.bit('connect refused', clientId);
      return { ok: false, code: CONNECT_REFUSED, reason: 'the port refuses connections' };
    }
    const isHeld = this.connected.some(other => other.clientId === clientId) || (this.lingering.get(clientId) ?? 0) > this.now;
    if (isHeld) {
      this.bit('326 client id in use', clientId);
      return {
        ok: false,
        code: CLIENT_ID_IN_USE,
        reason: 'Unable to connect as the client id is already in use. Retry with a unique client id.',
      };
    }
    this.lingering.delete(clientId);
    this.connected = [...this.connected, client];
    const highest = this.exchange.highestOrderId(clientId);
    const nextOrderId = Math.max(1, highest + 1 - this.rolledBack);
    if (nextOrderId <= highest) this.bit('order id rolled back', clientId);
    return { ok: true, nextOrderId };
  }

  /** The account's own stream, as every connection gets it at once: values, and one row per holding. */
  greet(client: GatewayClient, session: number): void {
    const { exchange } = this;
    const { clientId, streams } = client;
    const nextOrderId = Math.max(1, exchange.highestOrderId(clientId) + 1 - this.rolledBack);
    streams.positions = true;
    streams.account = true;
    client.say({ kind: 'connected', nextOrderId, accounts: [exchange.accountId], session });
    if (this.isBrokerLost) client.say({ kind: 'connectivity', state: 'lost', text: LOST_TEXT });
    this.answers.account(client);
    this.answers.portfolio(client);
  }

  hangUp(client: GatewayClient, lingerMs: number): void {
    if (!this.connected.includes(client)) return;
    this.connected = this.connected.filter(other => other !== client);
    if (lingerMs > 0) this.lingering.set(client.clientId, this.now + lingerMs);
  }

  perform(client: GatewayClient, send: BrokerSend): void {
    if (this.isBrokerLost) this.requests.swallow(client, send);
    else this.requests.perform(client, send);
  }

  cutAll(reason: string): void {
    for (const client of this.connected) client.cut(reason);
  }

  // ---- what befalls the gateway ----

  loseBroker(): void {
    if (this.isBrokerLost) return;
    this.isBrokerLost = true;
    this.tellAll('1100 broker lost', { kind: 'connectivity', state: 'lost', text: LOST_TEXT });
  }

  restoreBroker(data: 'kept' | 'lost'): void {
    if (!this.isBrokerLost) return;
    this.isBrokerLost = false;
    if (data === 'lost') {
      for (const { streams } of this.connected) {
        streams.clear();
        streams.positions = false;
      }
      this.tellAll('1101 data lost', { kind: 'connectivity', state: 'restored-data-lost', text: `${RESTORED_TEXT} - data lost.` });
    } else this.tellAll('1102 data kept', { kind: 'connectivity', state: 'restored', text: `${RESTORED_TEXT} - data maintained.` });
  }

  restart({ now, downMs, lostLastMs = 0, rollBackIds = 0, unsettledMs = 0 }: RestartWords): void {
    if (now !== undefined) this.tick(now);
    this.backAt = this.now + downMs;
    this.unsettledMs = unsettledMs;
    this.rolledBack = rollBackIds;
    this.isBrokerLost = false;
    for (const client of this.connected) {
      this.bit('gateway restart', client.clientId);
      client.end('the gateway restarts');
    }
    this.lingering.clear();
    this.orders.clear();
    if (lostLastMs <= 0) return;
    const since = this.exchange.now - lostLastMs;
    for (const { request, acceptedAt } of this.exchange.openOrders()) {
      const { clientId, orderId, orderRef = null } = request;
      if (acceptedAt < since || clientId === 0 || !this.exchange.lose(clientId, orderId)) continue;
      this.onFault('order lost by gateway', { clientId, orderId, orderRef });
    }
  }

  private comeBack(): void {
    this.backAt = null;
    this.settledAt = this.unsettledMs > 0 ? this.now + this.unsettledMs : null;
  }

  /** From here on answers are whole; who is connected hears that the account is ready, and what it holds. */
  private settle(): void {
    this.settledAt = null;
    for (const client of this.connected) {
      this.answers.account(client);
      this.answers.portfolio(client);
    }
  }

  correct(execId: string, words: { readonly price?: Micros; readonly shares?: 0 }): boolean {
    return this.exchange.correct(execId, words) !== undefined;
  }

  private tellAll(kind: FaultKind, body: EventBody): void {
    for (const client of this.connected) {
      this.bit(kind, client.clientId);
      client.say(body);
    }
  }

  private bit(kind: FaultKind, clientId: number): void {
    this.onFault(kind, { clientId, orderId: null, orderRef: null });
  }
}
