import { createServer, type Server, type Socket } from 'node:net';

/**
 * A gateway that does exactly what a test says, byte by byte if need be: for what a well-behaved one never does. It knows the frame format and
 * the greeting, nothing else.
 */

type Field = string | number;
export type Fields = readonly Field[];

/** What the peer does with each message a client sends. `hello` is the greeting, `start` is startApi. */
export type Script = (message: { readonly kind: 'hello' | 'start' | 'request'; readonly fields: readonly string[] }, peer: Peer) => void;

export interface Peer {
  readonly connection: number;
  send(...messages: readonly Fields[]): void;
  raw(bytes: Buffer): void;
  cut(): void;
}

export const frame = (fields: Fields): Buffer => {
  const payload = Buffer.from(fields.map(field => `${field}\0`).join(''));
  const header = Buffer.alloc(4);
  header.writeInt32BE(payload.length);
  return Buffer.concat([header, payload]);
};

export const ACCOUNT = 'DU1';
const VERSION = 193;
export const greeting = (peer: Peer): void => peer.send([VERSION, '20260309 09:30:00 US/Eastern']);
/** Managed accounts and the next order id, as after a login. */
export const login = (peer: Peer, nextOrderId = 1): void => peer.send([15, 1, ACCOUNT], [9, 1, nextOrderId]);

/** Greets and logs in; hands every later request to `then`. */
export const wellBehaved =
  (then: Script = () => undefined): Script =>
  (message, peer) => {
    if (message.kind === 'hello') greeting(peer);
    else if (message.kind === 'start') login(peer);
    else then(message, peer);
  };

export class ScriptedGateway {
  /** Every request received after startApi, with the number of its connection. */
  readonly requests: { readonly connection: number; readonly fields: readonly string[] }[] = [];
  /** The script may be changed while running. */
  script: Script;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  private constructor(script: Script) {
    this.script = script;
    this.#server = createServer(socket => this.#accept(socket));
  }

  static async open(script: Script): Promise<ScriptedGateway> {
    const gateway = new ScriptedGateway(script);
    await new Promise<void>(resolve => gateway.#server.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get connections(): number {
    return this.#connections;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A client that is cut off resets the connection: nothing to do about it here.
    socket.on('error', () => socket.destroy());
    const peer: Peer = {
      connection: this.#connections,
      send: (...messages) => socket.write(Buffer.concat(messages.map(frame))),
      raw: bytes => socket.write(bytes),
      cut: () => socket.destroy(),
    };
    let pending = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('data', bytes => {
      pending = Buffer.concat([pending, bytes]);
      for (;;) {
        const start = isGreeted ? 0 : 'API\0'.length;
        if (pending.length < start + 4) return;
        const end = start + 4 + pending.readInt32BE(start);
        if (pending.length < end) return;
        const fields = pending
          .toString('utf8', start + 4, end)
          .split('\0')
          .filter((field, at, all) => at < all.length - 1 || field !== '');
        pending = pending.subarray(end);
        const kind = isGreeted ? (fields[0] === '71' ? 'start' : 'request') : 'hello';
        isGreeted = true;
        if (kind === 'request') this.requests.push({ connection: peer.connection, fields });
        this.script({ kind, fields }, peer);
      }
    });
  }
}
