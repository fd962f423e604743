import type { Socket } from 'node:net';
import type { Client } from './floor.js';
import { encodeFrame, type Field, FrameReader } from './wire.js';

/** Our own version, and the oldest whose layouts we write. */
export const SERVER_VERSION = 193;
export const SERVER_VERSION_MIN = 157;
/** A client that reads nothing for this long a backlog is cut, as the real gateway cuts slow consumers. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;
/** How long a refused peer may take to close its side before the socket goes. */
const GOODBYE_MS = 1_000;

export interface SessionEvents {
  /** `20260824 09:30:00 US/Eastern`, for the hello's answer. */
  connectionTime(): string;
  /** startApi came. Returns whether the client may stay. */
  started(session: Session): boolean;
  message(session: Session, fields: readonly string[]): void;
  closed(session: Session): void;
  log(line: string): void;
  sent?(session: Session, fields: readonly Field[]): void;
}

/** One socket from hello to close. Whatever a peer sends, the worst that happens is that its own socket is closed. */
export class Session implements Client {
  clientId = -1;
  version = 0;
  #phase: 'hello' | 'start' | 'running' | 'closed' = 'hello';
  readonly #reader = new FrameReader();
  readonly #socket: Socket;
  readonly #events: SessionEvents;
  #corked = false;

  constructor(socket: Socket, events: SessionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', bytes => this.#receive(bytes));
    socket.on('close', () => this.#ended());
    socket.on('error', error => events.log(`${this.#name()}: socket error ${error.message}; the session ends`));
  }

  get running(): boolean {
    return this.#phase === 'running';
  }

  /** Frames of one turn of the loop leave in one write. */
  send(fields: readonly Field[]): void {
    if (this.#phase === 'closed' || this.#socket.destroyed) return;
    this.#events.sent?.(this, fields);
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(encodeFrame(fields));
    if (this.#socket.writableLength > BACKLOG_BYTES_MAX) this.cut('it does not read what it asked for');
  }

  error(id: number, code: number, text: string): void {
    this.send([4, 2, id, code, text, ...(this.version >= 166 ? [''] : [])]);
  }

  /** Closes after what was sent has left; not at once, since a reset would take the last message along. */
  end(why: string): void {
    this.#events.log(`${this.#name()}: closed, ${why}`);
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), GOODBYE_MS).unref();
  }

  /** Closes now, as a broken line does. */
  cut(why: string): void {
    this.#events.log(`${this.#name()}: cut, ${why}`);
    this.#socket.destroy();
  }

  #name(): string {
    return this.clientId >= 0 ? `client ${this.clientId}` : `peer ${this.#socket.remotePort ?? 'unknown'}`;
  }

  #receive(bytes: Buffer): void {
    if (this.#phase === 'closed') return;
    for (const reading of this.#reader.feed(bytes)) {
      if (this.#socket.destroyed || this.#socket.writableEnded) return;
      if (reading.kind === 'garbage') {
        this.#refuseGarbage(reading.detail);
        return;
      }
      if (reading.kind === 'hello') this.#greet(reading.maxVersion);
      else if (this.#phase === 'start') this.#start(reading.fields);
      else this.#events.message(this, reading.fields);
    }
  }

  #refuseGarbage(detail: string): void {
    if (this.#phase === 'running') this.error(-1, 320, `Error reading request. ${detail}`);
    this.end(`it sent no TWS protocol: ${detail}`);
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
  }

  #greet(maxVersion: number): void {
    this.version = Math.min(SERVER_VERSION, maxVersion);
    if (this.version < SERVER_VERSION_MIN) {
      this.end(`it speaks server versions up to ${maxVersion}; ${SERVER_VERSION_MIN} is the oldest known here, use a newer client`);
      return;
    }
    this.#phase = 'start';
    this.send([this.version, this.#events.connectionTime()]);
  }

  /** `71 2 clientId capabilities`. */
  #start(fields: readonly string[]): void {
    const clientId = Number(fields[2]);
    if (fields[0] !== '71' || !Number.isInteger(clientId) || clientId < 0) {
      this.end(`its first message must be startApi (71) with a client id of 0 or more, got ${fields.slice(0, 3).join(' ')}`);
      return;
    }
    this.clientId = clientId;
    if (this.#events.started(this)) this.#phase = 'running';
  }

  #ended(): void {
    const wasRunning = this.#phase === 'running';
    this.#phase = 'closed';
    if (wasRunning) this.#events.log(`${this.#name()}: gone`);
    this.#events.closed(this);
  }
}
