import { createServer, type Server, type Socket } from 'node:net';
import { atTime } from '@holdfast/core/calendar';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import { epochMs } from '@holdfast/core/units';
import type { ExchangeEvent, ExchangeOrder, ExchangePort, Instrument, MarketSource, OrderSide } from '../exchange-types.js';
import { AccountDesk } from './account-desk.js';
import { ContractDesk } from './contract-desk.js';
import { startControl } from './control.js';
import { EventLog, type LogEntry } from './event-log.js';
import type { Client, Floor } from './floor.js';
import { machineNow } from './machine-time.js';
import { OrderDesk } from './order-desk.js';
import { OrderRelay } from './order-relay.js';
import { Pace, type PaceReport } from './pace.js';
import { PnlDesk } from './pnl-desk.js';
import { type Routes, route } from './router.js';
import { routesTo } from './routes.js';
import { Session } from './session.js';
import type { Field } from './wire.js';
import { wireTime } from './wire-time.js';

export interface GatewayOptions {
  readonly exchange: ExchangePort;
  /** Behind the exchange: its name and date for screens, its bars for history requests. */
  readonly source: Pick<MarketSource, 'name' | 'date' | 'history'>;
  /** 0 takes any free port. */
  readonly port: number;
  /** 0 takes any free port; absent: no control port. */
  readonly controlPort?: number;
  /** Exchange seconds per machine second, default 1. */
  readonly speed?: number;
  /** New York clock time `HH:MM` of the source's date to start at; default where the exchange stands. */
  readonly start?: string;
  /** Client ids exchange time waits for (see `pace.ts`). */
  readonly waitFor?: readonly number[];
  /** Whether the account is subscribed to live market data, default true. */
  readonly liveData?: boolean;
  /** One line per connect, close and fault, for people. */
  readonly log?: (line: string) => void;
  /** Every event of the exchange, quotes too, as it happens. */
  readonly onExchangeEvent?: (event: ExchangeEvent, machineAt: MonoMs) => void;
  readonly onClient?: (change: { readonly clientId: number; readonly connected: boolean; readonly machineNow: MonoMs }) => void;
  /** Every message of running sessions, both ways, for benches. */
  readonly onMessage?: (message: WireMessage) => void;
}

export interface WireMessage {
  readonly direction: 'in' | 'out';
  readonly clientId: number;
  readonly fields: readonly Field[];
  readonly machineAt: MonoMs;
}

/** What is true at the exchange, whatever any client believes. Money in micro-dollars, times in exchange milliseconds. */
export interface Truth {
  readonly source: string;
  readonly date: string;
  readonly exchangeTime: EpochMs;
  readonly account: ReturnType<ExchangePort['account']>;
  readonly positions: ReturnType<ExchangePort['positions']>;
  readonly openOrders: readonly ExchangeOrder[];
  readonly completedOrders: readonly ExchangeOrder[];
  readonly executions: ReturnType<ExchangePort['executions']>;
  readonly clients: readonly number[];
  readonly accepting: boolean;
  readonly pace: PaceReport;
  readonly lastEvent: number;
}

/** A running gateway: its ports, the truth behind it, and the faults it can be given. */
export interface RunningGateway {
  readonly port: number;
  readonly controlPort: number | undefined;
  readonly exchange: ExchangePort;
  truth(): Truth;
  events(since: number): readonly LogEntry[];
  manualTrade(symbol: string, side: OrderSide, quantity: number): ExchangeOrder;
  /** Cuts the sockets of one client, or of all. Returns whose. */
  drop(clientId?: number): readonly number[];
  /** Cuts all sockets and refuses connections for `ms` of machine time, while the exchange goes on. */
  outage(ms: number): void;
  /** An outage after which the last `rollbackIds` order ids of each client are issued again. */
  restart(ms: number, rollbackIds: number): void;
  /** Delays orders and cancels by `ms` of machine time before they reach the exchange; 0 ends it. */
  holdOrders(ms: number): void;
  setSpeed(speed: number): void;
  close(): Promise<void>;
  /** Resolves when the gateway has been closed, by whomever. */
  readonly closed: Promise<void>;
}

const CLIENTS_MAX = 32;
const LOOP_MS = 1;
/** Exchange time moves in steps no longer than this, so that samples and seconds fall where they belong. */
const STEP_MS = 250;
const RELISTEN_MS = 50;

/** Starts the gateway. Rejects when a port is taken, saying which. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = new Gateway(options);
  await gateway.open();
  return gateway;
}

class Gateway implements RunningGateway, Floor {
  readonly exchange: ExchangePort;
  readonly source: GatewayOptions['source'];
  readonly account: string;
  readonly hasLiveData: boolean;
  readonly closed: Promise<void>;
  readonly #options: GatewayOptions;
  readonly #sessions = new Map<number, Session>();
  readonly #sockets = new Set<Socket>();
  readonly #instruments: ReadonlyMap<number, Instrument>;
  readonly #pace: Pace;
  readonly #log = new EventLog();
  readonly #orders: OrderDesk;
  readonly #relay: OrderRelay;
  readonly #accounts: AccountDesk;
  readonly #pnl: PnlDesk;
  readonly #routes: Routes;
  #server: Server | undefined;
  #port = 0;
  #control: { readonly port: number; close(): Promise<void> } | undefined;
  #loop: NodeJS.Timeout | undefined;
  #woken = false;
  #second: number;
  #depth = 0;
  #caused: ExchangeEvent[] = [];
  #stopping = false;
  #markClosed: () => void = () => undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.exchange = options.exchange;
    this.source = options.source;
    this.account = options.exchange.accountId;
    this.hasLiveData = options.liveData ?? true;
    this.closed = new Promise(resolve => {
      this.#markClosed = resolve;
    });
    this.#instruments = new Map(options.exchange.instruments.map(instrument => [instrument.conId, instrument]));
    // The day so far happens before the desks open: their counts and cadences begin at the start.
    if (options.start !== undefined) this.#startAt(options.start);
    this.exchange.subscribe(event => this.#heard(event));
    this.#relay = new OrderRelay(this);
    this.#orders = new OrderDesk(this);
    this.#accounts = new AccountDesk(this);
    this.#pnl = new PnlDesk(this);
    this.#second = Math.floor(this.exchange.now / 1000);
    this.#pace = new Pace({ speed: options.speed ?? 1, waitFor: options.waitFor ?? [] }, machineNow());
    const desks = { orders: this.#orders, account: this.#accounts, pnl: this.#pnl, contracts: new ContractDesk(this) };
    this.#routes = routesTo(desks, client => this.#currentTime(client));
  }

  get port(): number {
    return this.#port;
  }

  get controlPort(): number | undefined {
    return this.#control?.port;
  }

  async open(): Promise<void> {
    this.#port = await this.#listen(this.#options.port);
    if (this.#options.controlPort !== undefined) this.#control = await startControl(this, this.#options.controlPort);
    this.#turn();
  }

  // ---- Floor: what the desks ask for ----

  clients(): Iterable<Client> {
    return this.#sessions.values();
  }

  client(clientId: number): Client | undefined {
    return this.#sessions.get(clientId);
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

  #heard(event: ExchangeEvent): void {
    const at = machineNow();
    this.#options.onExchangeEvent?.(event, at);
    if (event.kind === 'quote') return;
    this.#log.add(event, at);
    this.#caused.push(event);
  }

  #passOn(): void {
    if (this.#caused.length === 0) return;
    const events = this.#caused;
    this.#caused = [];
    this.#relay.relay(events);
    for (const event of events) if (event.kind === 'position') this.#accounts.positionChanged(event.position);
    if (events.some(event => event.kind === 'execution')) this.#accounts.accountChanged();
  }

  // ---- exchange time ----

  #startAt(clock: string): void {
    const at = atTime(this.source.date, clock);
    if (at < this.exchange.now) throw new Error(`the exchange's day has begun already: start at ${clock} is before it`);
    this.exchange.advanceTo(at);
  }

  /** A turn now, without waiting for the timer: an acknowledgement may have let exchange time go. */
  #wake(): void {
    if (this.#woken || this.#stopping) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      this.#advance();
    });
  }

  #turn(): void {
    this.#advance();
    if (!this.#stopping) this.#loop = setTimeout(() => this.#turn(), LOOP_MS);
  }

  #advance(): void {
    if (this.#stopping) return;
    const inFlight = this.#orders.held + this.#relay.pendingOrders;
    const target = this.#pace.target(this.exchange.now, machineNow(), inFlight);
    while (this.exchange.now < target) {
      const boundary = (Math.floor(this.exchange.now / STEP_MS) + 1) * STEP_MS;
      const to = epochMs(Math.min(target, boundary));
      this.act(() => this.exchange.advanceTo(to));
      this.#timeMoved(to);
    }
  }

  #timeMoved(now: EpochMs): void {
    this.#accounts.tick(now);
    this.#pnl.tick(now);
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    if (!this.#pace.pushes) return;
    for (const client of this.#sessions.values()) {
      client.send([49, 1, second]);
      this.#pace.pushed(client.clientId, second);
    }
  }

  #currentTime(client: Client): void {
    if (this.#pace.acknowledge(client.clientId)) this.#wake();
    else client.send([49, 1, Math.floor(this.exchange.now / 1000)]);
  }

  // ---- sockets ----

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer(socket => this.#accept(socket));
      server.once('error', problem => reject(new Error(portProblem(problem, port, 'gateway'))));
      server.listen(port, '127.0.0.1', () => {
        this.#server = server;
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
    });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const { onMessage } = this.#options;
    new Session(socket, {
      connectionTime: () => wireTime(this.exchange.now, 193),
      started: session => this.#admit(session),
      message: (session, fields) => this.#received(session, fields),
      closed: session => this.#closedSession(session),
      log: line => this.#options.log?.(line),
      ...(onMessage && {
        sent: (session, fields) => onMessage({ direction: 'out', clientId: session.clientId, fields, machineAt: machineNow() }),
      }),
    });
  }

  #admit(session: Session): boolean {
    if (this.#sessions.has(session.clientId)) {
      session.error(-1, 326, 'Unable to connect as the client id is already in use. Retry with a unique client id.');
      session.end(`client id ${session.clientId} is in use`);
      return false;
    }
    if (this.#sessions.size >= CLIENTS_MAX) {
      session.end(`${CLIENTS_MAX} clients are connected, more are refused`);
      return false;
    }
    this.#sessions.set(session.clientId, session);
    this.#pace.connected(session.clientId);
    this.#clientChanged(session.clientId, true);
    this.#options.log?.(`client ${session.clientId}: connected, server version ${session.version}`);
    this.#accounts.sendAccounts(session);
    this.#orders.sendNextValidId(session);
    session.error(-1, 2104, 'Market data farm connection is OK:usfarm');
    session.error(-1, 2106, 'HMDS data farm connection is OK:ushmds');
    session.error(-1, 2158, 'Sec-def data farm connection is OK:secdefnj');
    return true;
  }

  #received(session: Session, fields: readonly string[]): void {
    const at = machineNow();
    this.#options.onMessage?.({ direction: 'in', clientId: session.clientId, fields, machineAt: at });
    const messageId = Number(fields[0]);
    if (messageId === 3 || messageId === 4 || messageId === 58) {
      const orderId = messageId === 58 ? 0 : Number(fields[messageId === 4 && session.version < 192 ? 2 : 1]);
      this.#log.add({ kind: 'request', at: this.exchange.now, clientId: session.clientId, messageId, orderId }, at);
    }
    route(this.#routes, session, fields);
  }

  #closedSession(session: Session): void {
    if (this.#sessions.get(session.clientId) !== session) return;
    this.#sessions.delete(session.clientId);
    for (const desk of [this.#accounts, this.#pnl]) desk.forget(session);
    this.#pace.disconnected(session.clientId);
    this.#clientChanged(session.clientId, false);
  }

  #clientChanged(clientId: number, connected: boolean): void {
    const now = machineNow();
    this.#log.add({ kind: 'client', at: this.exchange.now, clientId, connected }, now);
    this.#options.onClient?.({ clientId, connected, machineNow: now });
  }

  // ---- truth and faults ----

  truth(): Truth {
    const { exchange } = this;
    return {
      source: this.source.name,
      date: this.source.date,
      exchangeTime: exchange.now,
      account: exchange.account(),
      positions: exchange.positions(),
      openOrders: exchange.openOrders(),
      completedOrders: exchange.completedOrders(),
      executions: exchange.executions(),
      clients: [...this.#sessions.keys()].sort((left, right) => left - right),
      accepting: this.#server?.listening === true,
      pace: this.#pace.report(),
      lastEvent: this.#log.last,
    };
  }

  events(since: number): readonly LogEntry[] {
    return this.#log.since(since);
  }

  manualTrade(symbol: string, side: OrderSide, quantity: number): ExchangeOrder {
    const instrument = this.exchange.instruments.find(one => one.symbol === symbol.toUpperCase());
    if (!instrument) throw new Error(`no instrument ${symbol}; there are ${this.exchange.instruments.map(one => one.symbol).join(', ')}`);
    this.#fault(`manual trade: ${side} ${quantity} ${instrument.symbol}`);
    return this.act(() => this.exchange.manualTrade(instrument.conId, side, quantity));
  }

  drop(clientId?: number): readonly number[] {
    const cut = [...this.#sessions.values()].filter(session => clientId === undefined || session.clientId === clientId);
    this.#fault(`connections cut: ${cut.map(session => session.clientId).join(', ') || 'none'}`);
    for (const session of cut) session.cut('the line was dropped on purpose');
    return cut.map(session => session.clientId);
  }

  outage(ms: number): void {
    this.#fault(`outage of ${ms} ms`);
    const server = this.#server;
    server?.close();
    for (const socket of this.#sockets) socket.destroy();
    setTimeout(() => this.#relisten(), ms);
  }

  restart(ms: number, rollbackIds: number): void {
    this.#fault(`restart, ${rollbackIds} order ids roll back`);
    this.#orders.rollBackIds(rollbackIds);
    this.outage(ms);
  }

  holdOrders(ms: number): void {
    this.#fault(`orders reach the exchange ${ms} ms late`);
    this.#orders.holdMs = ms;
  }

  setSpeed(speed: number): void {
    this.#fault(`speed ${speed}`);
    this.#pace.speed = speed;
  }

  async close(): Promise<void> {
    if (this.#stopping) return this.closed;
    this.#stopping = true;
    clearTimeout(this.#loop);
    const server = this.#server;
    for (const socket of this.#sockets) socket.destroy();
    if (server?.listening) await new Promise(resolve => server.close(resolve));
    await this.#control?.close();
    this.#markClosed();
  }

  /** Back on the same port; when something holds it for a moment, again a little later. */
  #relisten(): void {
    if (this.#stopping || this.#server?.listening) return;
    this.#listen(this.#port).then(
      () => this.#fault('accepting connections again'),
      () => setTimeout(() => this.#relisten(), RELISTEN_MS),
    );
  }

  #fault(fault: string): void {
    this.#log.add({ kind: 'fault', at: this.exchange.now, fault }, machineNow());
    this.#options.log?.(fault);
  }
}

/** What happened and what to do, for a port that can't be had. */
export const portProblem = (problem: NodeJS.ErrnoException, port: number, whose: string): string =>
  problem.code === 'EADDRINUSE'
    ? `port ${port} for the ${whose} is in use: stop what listens there, or choose another port`
    : `port ${port} for the ${whose} can't be opened (${problem.message}): choose another one`;
