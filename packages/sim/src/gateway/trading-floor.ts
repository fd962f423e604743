import { atTime } from '@holdfast/core/calendar';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { ExchangeEvent, ExchangePort, Instrument } from '../exchange-types.js';
import { AccountDesk } from './account-desk.js';
import { ContractDesk } from './contract-desk.js';
import type { EventLog } from './event-log.js';
import type { Client, Floor } from './floor.js';
import { HistoryDesk } from './history-desk.js';
import { machineNow } from './machine-time.js';
import { OrderDesk } from './order-desk.js';
import { OrderRelay } from './order-relay.js';
import { PnlDesk } from './pnl-desk.js';
import { QuoteDesk } from './quote-desk.js';
import { RealTimeBarDesk } from './real-time-bar-desk.js';
import { type Routes, route } from './router.js';
import { routesTo } from './routes.js';
import { ScannerDesk } from './scanner-desk.js';

export interface FloorOptions {
  readonly exchange: ExchangePort;
  readonly source: Floor['source'];
  readonly hasLiveData: boolean;
  readonly cancelsAcrossClients: boolean;
  /** New York clock time to begin at; throws when the exchange stands later already. */
  readonly start?: string | undefined;
  readonly log: EventLog;
  readonly onExchangeEvent?: ((event: ExchangeEvent, machineAt: MonoMs) => void) | undefined;
  /** A client asks for the time, or says that it has kept up. */
  readonly currentTime: (client: Client) => void;
}

/** The desks behind the door and what connects them to the exchange. Knows clients, neither sockets nor the pace of time. */
export class TradingFloor implements Floor {
  readonly exchange: ExchangePort;
  readonly source: Floor['source'];
  readonly account: string;
  readonly hasLiveData: boolean;
  readonly cancelsAcrossClients: boolean;
  readonly orders: OrderDesk;
  readonly #options: FloorOptions;
  readonly #clients = new Map<number, Client>();
  readonly #instruments: ReadonlyMap<number, Instrument>;
  readonly #relay: OrderRelay;
  readonly #accounts: AccountDesk;
  readonly #quotes: QuoteDesk;
  readonly #bars: RealTimeBarDesk;
  /** Every desk that sends something because time has moved, in the order they speak. */
  readonly #streams: readonly { tick(now: EpochMs): void; forget(client: Client): void }[];
  readonly #routes: Routes;
  #depth = 0;
  #caused: ExchangeEvent[] = [];

  constructor(options: FloorOptions) {
    this.#options = options;
    const { exchange } = options;
    this.exchange = exchange;
    this.source = options.source;
    this.account = exchange.accountId;
    this.hasLiveData = options.hasLiveData;
    this.cancelsAcrossClients = options.cancelsAcrossClients;
    this.#instruments = new Map(exchange.instruments.map(instrument => [instrument.conId, instrument]));
    this.#relay = new OrderRelay(this);
    this.orders = new OrderDesk(this);
    this.#quotes = new QuoteDesk(this);
    this.#bars = new RealTimeBarDesk(this);
    exchange.subscribe(event => this.#heard(event));
    // The day so far happens before the other desks open: their counts and cadences begin at the start.
    if (options.start !== undefined) this.#startAt(options.start);
    this.#accounts = new AccountDesk(this);
    const pnl = new PnlDesk(this);
    const history = new HistoryDesk(this);
    const scanner = new ScannerDesk(this);
    this.#streams = [this.#accounts, pnl, this.#quotes, this.#bars, history, scanner];
    const contracts = new ContractDesk(this);
    const desks = {
      orders: this.orders,
      account: this.#accounts,
      pnl,
      contracts,
      quotes: this.#quotes,
      bars: this.#bars,
      history,
      scanner,
    };
    this.#routes = routesTo(desks, options.currentTime);
  }

  /** Orders and cancels on their way, and orders the exchange has not decided: time runs at 1× for them. */
  get inFlight(): number {
    return this.orders.held + this.#relay.pendingOrders;
  }

  client(clientId: number): Client | undefined {
    return this.#clients.get(clientId);
  }

  instrument(conId: number): Instrument {
    const instrument = this.#instruments.get(conId);
    if (!instrument) throw new Error(`the exchange speaks of conId ${conId}, which it does not list`);
    return instrument;
  }

  act<T>(change: () => T): T {
    this.#depth += 1;
    try {
      return change();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#passOn();
    }
  }

  /** A client has logged in: who it trades for, its next id, and the farms, in the captured order. */
  join(client: Client): void {
    this.#clients.set(client.clientId, client);
    this.#accounts.sendAccounts(client);
    this.orders.sendNextValidId(client);
    client.error(-1, 2104, 'Market data farm connection is OK:usfarm');
    client.error(-1, 2106, 'HMDS data farm connection is OK:ushmds');
    client.error(-1, 2158, 'Sec-def data farm connection is OK:secdefnj');
  }

  leave(client: Client): void {
    this.#clients.delete(client.clientId);
    for (const desk of this.#streams) desk.forget(client);
  }

  received(client: Client, fields: readonly string[]): void {
    route(this.#routes, client, fields);
  }

  advanceTo(to: EpochMs): void {
    this.act(() => this.exchange.advanceTo(to));
    for (const desk of this.#streams) desk.tick(to);
  }

  #startAt(clock: string): void {
    const at = atTime(this.source.date, clock);
    if (at < this.exchange.now) throw new Error(`the exchange's day begins after ${clock}: choose a later start`);
    this.act(() => this.exchange.advanceTo(at));
  }

  #heard(event: ExchangeEvent): void {
    const at = machineNow();
    this.#options.onExchangeEvent?.(event, at);
    if (event.kind === 'quote') {
      this.#quotes.heard(event.quote);
      this.#bars.heard(event.update);
      return;
    }
    this.#options.log.add(event, at);
    this.#caused.push(event);
    // Somebody in this process used the exchange directly: pass it on all the same.
    if (this.#depth === 0) queueMicrotask(() => this.#passOn());
  }

  #passOn(): void {
    if (this.#caused.length === 0) return;
    const events = this.#caused;
    this.#caused = [];
    this.#relay.relay(events);
    for (const event of events) if (event.kind === 'position') this.#accounts.positionChanged(event.position);
    if (events.some(event => event.kind === 'execution')) this.#accounts.accountChanged();
  }
}
