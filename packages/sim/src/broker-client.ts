import type { BrokerPosition, EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerSend } from '@holdfast/core/ports';
import { redialWaitMs } from '@holdfast/core/redial';
import { type EpochMs, type Micros, type MonoMs, monoMs } from '@holdfast/core/units';
import type { SimBroker } from './broker.js';
import type { FaultKind, OnFault } from './broker-faults.js';
import { type Line, MessageLine } from './line.js';
import type { Random } from './random.js';

/** The gateway as one of its clients sees it. */
export interface GatewayDoor {
  readonly now: MonoMs;
  /** Opens a connection under the client's id, or says why not. */
  dial(client: GatewayClient): { readonly ok: true; readonly nextOrderId: number } | { readonly ok: false; code: number; reason: string };
  /** The connection stands: what every new one is told at once. */
  greet(client: GatewayClient, session: number): void;
  /** Its socket is closed: the client id is free at once, or after so many milliseconds when nobody told the gateway. */
  hangUp(client: GatewayClient, lingerMs: number): void;
  perform(client: GatewayClient, send: BrokerSend): void;
  second(): void;
  tick(now: MonoMs): void;
}

export interface ClientParts {
  readonly door: GatewayDoor;
  readonly clientId: number;
  readonly onEvent: BrokerListener;
  readonly random: Random;
  readonly onFault: OnFault;
}

/** The watch over a silent socket, as the live adapter has it (`brokers/ib/watchdog.ts`). */
const SILENT_MS_MAX = 6_000;
/** A process that stood still for longer than this listens for a full time again before it gives anybody up. */
const OWN_PAUSE_MS_MAX = 3_000;

/** What a client has asked to be told on this connection. Gone with it, and with 1101. */
export class Subscriptions {
  readonly quotes = new Set<number>();
  readonly bars = new Set<number>();
  /** The mark told last; 0 = none yet. */
  readonly pnl = new Map<number, Micros>();
  /** P&L streams whose value may have changed since the last second. */
  readonly moved = new Set<number>();
  scan: { readonly requestId: number; readonly code: string; nextAt: EpochMs } | null = null;
  positions = true;
  account = true;

  clear(): void {
    for (const streams of [this.quotes, this.bars, this.pnl, this.moved]) streams.clear();
    this.scan = null;
  }
}

/** One process's connection: dials, gives up dead sockets, sends, and hands over what its line lets through. */
export class GatewayClient implements SimBroker {
  readonly clientId: number;
  readonly streams = new Subscriptions();
  readonly messages: MessageLine;
  readonly line: Line;
  isDead = false;
  refuse: ((order: Order) => { readonly code: number; readonly text: string } | null) | null = null;
  distort: ((position: BrokerPosition) => BrokerPosition) | null = null;
  omits: SimBroker['omits'] = null;
  onSend: ((send: BrokerSend) => boolean) | null = null;
  #isUp = false;
  #isWanted = false;
  #session = 0;
  /** Counts connections begun and ended: a batch that is being handed over stops when it changes. */
  #epoch = 0;
  #failures = 0;
  #retryAt: number | null = null;
  #heardAt = 0;
  #turnAt = 0;
  #isMuteTold = false;
  /** Half-open: neither direction works, and the gateway will notice so much later. */
  #lingerMs: number | null = null;
  #heardLeft: number | null = null;
  #sentLeft: number | null = null;

  constructor(private readonly parts: ClientParts) {
    this.clientId = parts.clientId;
    this.messages = new MessageLine({ clientId: parts.clientId, random: parts.random, onFault: parts.onFault });
    this.line = {
      faults: this.messages.faults,
      calm: () => this.#calm(),
      cutAfter: ({ heard, sent }) => {
        if (heard !== undefined) this.#heardLeft = heard;
        if (sent !== undefined) this.#sentLeft = sent;
      },
      breakOff: lingerMs => {
        if (this.#isUp) this.#lingerMs = lingerMs;
      },
    };
  }

  /** A socket that is dead stays dead: only the client's giving it up helps. */
  #calm(): void {
    this.messages.calm();
    this.#isMuteTold = false;
    this.#heardLeft = null;
    this.#sentLeft = null;
  }

  get isUp(): boolean {
    return this.#isUp;
  }
  get session(): number {
    return this.#session;
  }
  get isDeaf(): boolean {
    return this.messages.faults.isDeaf;
  }
  set isDeaf(value: boolean) {
    this.messages.faults.isDeaf = value;
  }
  get isMute(): boolean {
    return this.messages.faults.isMute;
  }
  set isMute(value: boolean) {
    this.messages.faults.isMute = value;
    if (!value) this.#isMuteTold = false;
  }
  get waiting(): number {
    return this.isSilent ? 0 : this.messages.waiting;
  }

  nextDueAt(): MonoMs | null {
    const dues = [this.messages.nextDueAt(), this.#retryAt, this.#isUp && this.isSilent ? this.#heardAt + SILENT_MS_MAX : null];
    const next = dues.reduce<number>((least, due) => Math.min(least, due ?? least), Number.POSITIVE_INFINITY);
    return Number.isFinite(next) ? monoMs(next) : null;
  }

  // ---- the connection ----

  connect(): void {
    if (this.#isUp) return;
    this.#isWanted = true;
    this.#failures = 0;
    this.#dial();
  }

  close(): void {
    this.#isWanted = false;
    this.#retryAt = null;
    if (this.#isUp) this.#end('closed by us');
  }

  cut(reason: string): void {
    if (!this.#isUp) return;
    this.#bit('cut');
    this.end(reason);
  }

  /** The socket is gone; the adapter dials again. Also the gateway's to call. */
  end(reason: string): void {
    if (!this.#isUp) return;
    this.#end(reason);
    this.#failures = 0;
    this.#retryLater(null);
  }

  #dial(): void {
    const { door } = this.parts;
    this.#retryAt = null;
    const answer = door.dial(this);
    if (!answer.ok) {
      this.messages.push({ kind: 'connect-failed', code: answer.code, reason: answer.reason });
      this.#retryLater(answer.code);
      return;
    }
    this.#session += 1;
    this.#isUp = true;
    this.#failures = 0;
    this.#heardAt = door.now;
    this.#turnAt = door.now;
    door.greet(this, this.#session);
  }

  #retryLater(code: number | null): void {
    if (!this.#isWanted) return;
    this.#retryAt = this.parts.door.now + redialWaitMs(this.#failures, code);
    this.#failures += 1;
  }

  /** Nothing of this connection is heard any more, and the next begins with a socket in good order. */
  #end(reason: string): void {
    const lingerMs = this.#lingerMs;
    this.#isUp = false;
    this.#epoch += 1;
    this.#lingerMs = null;
    this.#heardLeft = null;
    this.#sentLeft = null;
    this.streams.clear();
    this.messages.clear();
    this.messages.push({ kind: 'disconnected', reason });
    this.parts.door.hangUp(this, lingerMs ?? 0);
  }

  get isSilent(): boolean {
    return this.#isUp && (this.#lingerMs !== null || this.messages.faults.isMute);
  }

  /** Dials when it is time, and gives up a socket from which nothing came for too long. */
  #keepAlive(now: MonoMs): void {
    if (this.#retryAt !== null && now >= this.#retryAt) this.#dial();
    if (!this.#isUp) return;
    const isDoubtful = this.isSilent || this.messages.faults.isDeaf;
    if (!isDoubtful || now - this.#turnAt > OWN_PAUSE_MS_MAX) this.#heardAt = now;
    this.#turnAt = now;
    if (now - this.#heardAt < SILENT_MS_MAX) return;
    this.#bit('given up for dead');
    // Whatever ailed the old socket, the next one is another.
    this.messages.faults.isDeaf = false;
    this.isMute = false;
    this.end(`no sign of life from the gateway for ${Math.round(now - this.#heardAt)} ms`);
  }

  // ---- both directions ----

  send(send: BrokerSend): boolean {
    if (!this.#isUp || this.isDead) return false;
    if (this.#lingerMs !== null) {
      this.#bitBy('half-open', send);
      return true;
    }
    const isLast = this.#sentLeft !== null && --this.#sentLeft <= 0;
    // The last one before a cut is on its way: it may arrive or not.
    const isOnItsWay = isLast && this.parts.random.chance(1, 2);
    if (this.messages.faults.isDeaf) this.#bitBy('deaf', send);
    else if (!isOnItsWay && (this.onSend?.(send) ?? true)) this.parts.door.perform(this, send);
    if (isLast) this.cut('the line broke while sending');
    return true;
  }

  acknowledgeTime(): void {}

  /** The gateway says something to this client. */
  say(body: EventBody): void {
    if (!this.#isUp) return;
    if (this.#lingerMs !== null) this.#bit('half-open');
    else this.messages.say(body, this.parts.door.now);
  }

  inject(body: EventBody): void {
    this.messages.push(body);
  }

  deliver(now?: MonoMs): number {
    const { door, onEvent } = this.parts;
    if (now !== undefined) {
      door.tick(now);
      this.#keepAlive(now);
    }
    if (this.isSilent) {
      if (this.messages.waiting > 0 && !this.#isMuteTold && this.messages.faults.isMute) {
        this.#isMuteTold = true;
        this.#bit('mute');
      }
      return 0;
    }
    const batch = this.messages.take(door.now);
    if (batch.length === 0) return 0;
    this.#heardAt = door.now;
    const epoch = this.#epoch;
    let count = 0;
    for (const body of batch) {
      count += 1;
      onEvent(body);
      if (this.#heardLeft !== null && --this.#heardLeft <= 0) this.cut('the line broke');
      if (this.#epoch === epoch) continue;
      this.messages.lose(batch.slice(count));
      break;
    }
    return count;
  }

  second(): void {
    this.parts.door.second();
  }

  #bit(kind: FaultKind): void {
    this.parts.onFault(kind, { clientId: this.clientId, orderId: null, orderRef: null });
  }

  #bitBy(kind: FaultKind, send: BrokerSend): void {
    const { clientId } = this;
    if (send.do === 'place') this.parts.onFault(kind, { clientId, orderId: send.order.orderId, orderRef: send.order.orderRef });
    else if (send.do === 'cancel') this.parts.onFault(kind, { clientId, orderId: send.orderId, orderRef: send.orderRef });
    else this.#bit(kind);
  }
}
