import type { Socket } from 'node:net';
import { type EpochMs, epochMs, type MonoMs } from '@holdfast/core/units';
import type { ExchangeEvent, ExchangeOrder, ExchangePort, MarketSource, OrderSide } from '../exchange-types.js';
import { type ControlPort, startControl } from './control.js';
import { EventLog, type LogEntry } from './event-log.js';
import type { Client } from './floor.js';
import { LoopbackListener } from './loopback-listener.js';
import { machineNow } from './machine-time.js';
import { Pace, type PaceReport } from './pace.js';
import { Session } from './session.js';
import { TradingFloor } from './trading-floor.js';
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
  /** Whether a client may cancel another one's orders, which IB's documentation denies; default false. */
  readonly cancelsAcrossClients?: boolean;
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
  /** Throws for a symbol the exchange does not list. */
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

/** Starts the gateway. Rejects when a port is taken, saying which and what to do. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = new Gateway(options);
  await gateway.open();
  return gateway;
}

class Gateway implements RunningGateway {
  readonly exchange: ExchangePort;
  readonly closed: Promise<void>;
  readonly #options: GatewayOptions;
  readonly #log = new EventLog();
  readonly #floor: TradingFloor;
  readonly #pace: Pace;
  readonly #listener: LoopbackListener;
  readonly #sessions = new Map<number, Session>();
  #control: ControlPort | undefined;
  #loop: NodeJS.Timeout | undefined;
  #woken = false;
  #stopping = false;
  #second: number;
  #markClosed: () => void = () => undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.exchange = options.exchange;
    this.closed = new Promise(resolve => {
      this.#markClosed = resolve;
    });
    this.#floor = new TradingFloor({
      exchange: options.exchange,
      source: options.source,
      hasLiveData: options.liveData ?? true,
      cancelsAcrossClients: options.cancelsAcrossClients ?? false,
      start: options.start,
      log: this.#log,
      onExchangeEvent: options.onExchangeEvent,
      currentTime: client => this.#currentTime(client),
    });
    this.#second = Math.floor(this.exchange.now / 1000);
    this.#pace = new Pace({ speed: options.speed ?? 1, waitFor: options.waitFor ?? [] }, machineNow());
    this.#listener = new LoopbackListener(socket => this.#accept(socket));
  }

  get port(): number {
    return this.#listener.port;
  }

  get controlPort(): number | undefined {
    return this.#control?.port;
  }

  async open(): Promise<void> {
    await this.#listener.open(this.#options.port);
    try {
      if (this.#options.controlPort !== undefined) this.#control = await startControl(this, this.#options.controlPort);
    } catch (problem) {
      await this.close();
      throw problem;
    }
    this.#turn();
  }

  // ---- exchange time ----

  #turn(): void {
    this.#advance();
    if (!this.#stopping) this.#loop = setTimeout(() => this.#turn(), LOOP_MS);
  }

  /** A turn without waiting for the timer, after the bytes at hand: an acknowledgement may have let exchange time go. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      this.#advance();
    });
  }

  #advance(): void {
    if (this.#stopping) return;
    const target = this.#pace.target(this.exchange.now, machineNow(), this.#floor.inFlight);
    while (this.exchange.now < target) {
      const boundary = (Math.floor(this.exchange.now / STEP_MS) + 1) * STEP_MS;
      this.#floor.advanceTo(epochMs(Math.min(target, boundary)));
      this.#pushSecond();
    }
  }

  /** Tells every client the second that has passed, behind everything that happened in it. */
  #pushSecond(): void {
    const second = Math.floor(this.exchange.now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    if (!this.#pace.pushes) return;
    for (const session of this.#sessions.values()) {
      session.send([49, 1, second]);
      this.#pace.pushed(session.clientId, second);
    }
  }

  #currentTime(client: Client): void {
    if (this.#pace.acknowledge(client.clientId)) this.#wake();
    else client.send([49, 1, Math.floor(this.exchange.now / 1000)]);
  }

  // ---- sockets ----

  #accept(socket: Socket): void {
    const { onMessage } = this.#options;
    new Session(socket, {
      connectionTime: () => wireTime(this.exchange.now, 193),
      started: session => this.#admit(session),
      message: (session, fields) => this.#received(session, fields),
      closed: session => this.#left(session),
      log: line => this.#options.log?.(line),
      ...(onMessage && {
        sent: (session, fields) => onMessage({ direction: 'out', clientId: session.clientId, fields, machineAt: machineNow() }),
      }),
    });
  }

  #admit(session: Session): boolean {
    const { clientId } = session;
    if (this.#sessions.has(clientId)) {
      session.error(-1, 326, 'Unable to connect as the client id is already in use. Retry with a unique client id.');
      session.end(`client id ${clientId} is in use`);
      return false;
    }
    if (this.#sessions.size >= CLIENTS_MAX) {
      session.end(`${CLIENTS_MAX} clients are connected, more are refused`);
      return false;
    }
    this.#sessions.set(clientId, session);
    this.#pace.connected(clientId);
    this.#options.log?.(`client ${clientId}: connected, server version ${session.version}`);
    this.#clientChanged(clientId, true);
    this.#floor.join(session);
    return true;
  }

  #received(session: Session, fields: readonly string[]): void {
    const at = machineNow();
    const { clientId, version } = session;
    this.#options.onMessage?.({ direction: 'in', clientId, fields, machineAt: at });
    const messageId = Number(fields[0]);
    if (messageId === 3 || messageId === 4 || messageId === 58) {
      const orderId = messageId === 58 ? 0 : Number(fields[messageId === 4 && version < 192 ? 2 : 1]);
      this.#log.add({ kind: 'request', at: this.exchange.now, clientId, messageId, orderId }, at);
    }
    this.#floor.received(session, fields);
  }

  #left(session: Session): void {
    if (this.#sessions.get(session.clientId) !== session) return;
    this.#sessions.delete(session.clientId);
    this.#floor.leave(session);
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
      source: this.#options.source.name,
      date: this.#options.source.date,
      exchangeTime: exchange.now,
      account: exchange.account(),
      positions: exchange.positions(),
      openOrders: exchange.openOrders(),
      completedOrders: exchange.completedOrders(),
      executions: exchange.executions(),
      clients: [...this.#sessions.keys()].sort((left, right) => left - right),
      accepting: this.#listener.listening,
      pace: this.#pace.report(),
      lastEvent: this.#log.last,
    };
  }

  events(since: number): readonly LogEntry[] {
    return this.#log.since(since);
  }

  manualTrade(symbol: string, side: OrderSide, quantity: number): ExchangeOrder {
    const { instruments } = this.exchange;
    const instrument = instruments.find(one => one.symbol === symbol.toUpperCase());
    if (!instrument) throw new Error(`no instrument ${symbol}; there are ${instruments.map(one => one.symbol).join(', ')}`);
    this.#fault(`manual trade: ${side} ${quantity} ${instrument.symbol}`);
    return this.#floor.act(() => this.exchange.manualTrade(instrument.conId, side, quantity));
  }

  drop(clientId?: number): readonly number[] {
    const cut = [...this.#sessions.values()].filter(session => clientId === undefined || session.clientId === clientId);
    this.#fault(`connections cut: ${cut.map(session => session.clientId).join(', ') || 'none'}`);
    for (const session of cut) session.cut('the line was dropped on purpose');
    return cut.map(session => session.clientId);
  }

  outage(ms: number): void {
    this.#fault(`outage of ${ms} ms`);
    this.#listener.suspend(ms, () => this.#fault('accepting connections again'));
  }

  restart(ms: number, rollbackIds: number): void {
    this.#fault(`restart, ${rollbackIds} order ids roll back`);
    this.#floor.orders.rollBackIds(rollbackIds);
    this.outage(ms);
  }

  holdOrders(ms: number): void {
    this.#fault(`orders reach the exchange ${ms} ms late`);
    this.#floor.orders.holdMs = ms;
  }

  setSpeed(speed: number): void {
    this.#fault(`speed ${speed}`);
    this.#pace.speed = speed;
  }

  async close(): Promise<void> {
    if (this.#stopping) return this.closed;
    this.#stopping = true;
    clearTimeout(this.#loop);
    await this.#listener.close();
    await this.#control?.close();
    this.#markClosed();
  }

  #fault(fault: string): void {
    this.#log.add({ kind: 'fault', at: this.exchange.now, fault }, machineNow());
    this.#options.log?.(fault);
  }
}
