import { createServer, type Server, type Socket } from 'node:net';

const RETRY_MS = 50;

/** What happened and what to do, for a port that can't be had. */
export const portProblem = (problem: NodeJS.ErrnoException, port: number, whose: string): string =>
  problem.code === 'EADDRINUSE'
    ? `port ${port} for the ${whose} is in use: stop what listens there, or choose another port`
    : `port ${port} for the ${whose} can't be opened (${problem.message}): choose another one`;

/** A listening port on loopback that can refuse connections for a while and comes back on the same port. */
export class LoopbackListener {
  readonly #onSocket: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #back: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(onSocket: (socket: Socket) => void) {
    this.#onSocket = onSocket;
  }

  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server?.listening === true;
  }

  /** Rejects when the port can't be had. 0 takes any free one. */
  async open(port: number): Promise<void> {
    this.#port = await this.#listen(port);
  }

  /** Cuts every socket and refuses new ones for `ms` of machine time. A second suspension replaces the first one's end. */
  suspend(ms: number, onBack: () => void): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    clearTimeout(this.#back);
    this.#back = setTimeout(() => this.#comeBack(onBack), ms);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#back);
    const server = this.#server;
    for (const socket of this.#sockets) socket.destroy();
    if (server?.listening) await new Promise(resolve => server.close(resolve));
  }

  /** When something else holds the port for a moment, again a little later. */
  #comeBack(onBack: () => void): void {
    this.#listen(this.#port).then(onBack, () => {
      if (!this.#closed) this.#back = setTimeout(() => this.#comeBack(onBack), RETRY_MS);
    });
  }

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer(socket => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        this.#onSocket(socket);
      });
      server.once('error', problem => reject(new Error(portProblem(problem, port, 'gateway'))));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        this.#server = server;
        if (this.#closed) server.close();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
    });
  }
}
