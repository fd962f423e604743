import { connect, createServer, type Socket } from 'node:net';

/**
 * The line between a desk and its gateway: bytes pass both ways through here, so that it can go silent without closing, or break in the
 * middle of a message. What the gateway itself can do (drop, outage, restart) is done there.
 */
export interface Line {
  readonly port: number;
  /** For `ms` nothing passes, and nobody is told; what waited arrives after it. Connections of that time are accepted and hear nothing. */
  mute(ms: number): void;
  /** The next bytes in this direction pass but for the last few of them, then the connection is gone. */
  breakWithin(direction: Direction): void;
  /** Ends a silence and forgets breaks that met no bytes. */
  heal(): void;
  close(): Promise<void>;
}

export type Direction = 'to gateway' | 'to desk';

/** Rejects when no port can be had. */
export function openLine(gatewayPort: number): Promise<Line> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const breaks = new Set<Direction>();
  let silence: NodeJS.Timeout | undefined;

  const heal = (): void => {
    clearTimeout(silence);
    silence = undefined;
    breaks.clear();
    for (const pair of pairs) for (const socket of pair) socket.resume();
  };

  function pass(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (bytes: Buffer) => {
      if (!breaks.delete(direction)) return void to.write(bytes);
      // Somewhere inside the last message: frames are longer than three bytes.
      to.write(bytes.subarray(0, Math.max(0, bytes.length - 3)), () => {
        from.destroy();
        to.destroy();
      });
    });
    from.on('error', () => to.destroy()); // a reset is a way to end
    from.on('close', () => to.destroy());
  }

  const server = createServer(desk => {
    const gateway = connect(gatewayPort, '127.0.0.1');
    const pair = [desk, gateway] as const;
    pairs.add(pair);
    desk.once('close', () => pairs.delete(pair));
    for (const socket of pair) socket.setNoDelay(true);
    pass(desk, gateway, 'to gateway');
    pass(gateway, desk, 'to desk');
    if (silence) for (const socket of pair) socket.pause();
  });

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : 0,
        mute: ms => {
          clearTimeout(silence);
          for (const pair of pairs) for (const socket of pair) socket.pause();
          silence = setTimeout(heal, ms);
        },
        breakWithin: direction => {
          breaks.add(direction);
        },
        heal,
        close: () => {
          clearTimeout(silence);
          for (const pair of pairs) for (const socket of pair) socket.destroy();
          return new Promise(done => server.close(() => done()));
        },
      });
    });
  });
}
