import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openRoom, type Room } from './testing/gateway-room.js';
import { decodeErrors, IbProbe, order, stock } from './testing/ib-probe.js';
import { encodeFrame, FrameReader } from './wire.js';

let room: Room | undefined;
afterEach(async () => {
  await room?.close();
  room = undefined;
  expect(decodeErrors).toEqual([]);
});

const hello = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([Buffer.from('API\0'), length, Buffer.from(text)]);
};
const startApi = (clientId: number): Buffer => encodeFrame([71, 2, clientId, '']);

/** A raw peer: what it receives is split into messages. */
class Peer {
  readonly messages: string[][] = [];
  closed = false;
  readonly socket: Socket;
  #pending = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', bytes => this.#feed(bytes));
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => undefined);
  }

  #feed(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= 4 && this.#pending.length >= 4 + this.#pending.readUInt32BE(0)) {
      const length = this.#pending.readUInt32BE(0);
      this.messages.push(this.#pending.toString('utf8', 4, 4 + length - 1).split('\0'));
      this.#pending = this.#pending.subarray(4 + length);
    }
  }

  message(id: string): string[] | undefined {
    return this.messages.find(fields => fields[0] === id);
  }
}

describe('frames', () => {
  test('one byte at a time and all at once read the same', () => {
    const bytes = Buffer.concat([hello('v100..193'), startApi(7), encodeFrame([49, 1]), encodeFrame(['a', true, 2.5, 'é'])]);
    const whole = new FrameReader().feed(bytes);
    const reader = new FrameReader();
    const single = [...bytes].flatMap(byte => reader.feed(Buffer.from([byte])));
    expect(single).toEqual(whole);
    expect(whole).toEqual([
      { kind: 'hello', minVersion: 100, maxVersion: 193 },
      { kind: 'message', fields: ['71', '2', '7', ''] },
      { kind: 'message', fields: ['49', '1'] },
      { kind: 'message', fields: ['a', '1', '2.5', '\\u00e9'] },
    ]);
  });

  test.each([
    ['a web request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a hello without versions', hello('hello')],
    ['a hello of megabytes', Buffer.concat([Buffer.from('API\0'), Buffer.from([0, 0x10, 0, 0])])],
    ['a frame of gigabytes', Buffer.concat([hello('v100..193'), Buffer.from([0x7f, 0xff, 0xff, 0xff])])],
    ['an empty frame', Buffer.concat([hello('v100..193'), Buffer.from([0, 0, 0, 0])])],
    ['a field that does not end', Buffer.concat([hello('v100..193'), Buffer.from([0, 0, 0, 2, 0x34, 0x39])])],
  ])('garbage is named: %s', (_what, bytes) => {
    expect(new FrameReader().feed(bytes).at(-1)).toMatchObject({ kind: 'garbage' });
  });
});

describe('a gateway under bad bytes', () => {
  test('a client that dribbles single bytes logs in and trades', async () => {
    room = await openRoom();
    const peer = new Peer(room.gateway.port);
    for (const byte of Buffer.concat([hello('v100..193'), startApi(7), encodeFrame([8, 1, 1])])) peer.socket.write(Buffer.from([byte]));
    await expect.poll(() => peer.messages.filter(([id]) => id === '9').length).toBe(2);
    expect(peer.messages[0]?.[0]).toBe('193');
    expect(peer.messages[0]).toHaveLength(2);
    peer.socket.destroy();
  });

  test('garbage closes that socket alone; the others trade on', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    const lost = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.concat([hello('v100..193'), startApi(5), Buffer.from([0x7f, 0xff, 0xff, 0xff]), Buffer.alloc(5000, 65)]),
      Buffer.concat([hello('v100..193'), encodeFrame([1, 2, 3])]),
      Buffer.concat([hello('v100..193'), encodeFrame([71, 2, 'two', ''])]),
      Buffer.concat([hello('v100..140'), startApi(6)]),
    ].map(bytes => {
      const peer = new Peer(room?.gateway.port ?? 0);
      peer.socket.write(bytes);
      return peer;
    });
    await expect.poll(() => lost.map(peer => peer.closed)).toEqual(lost.map(() => true));
    expect(lost[1]?.messages.at(-1)?.slice(0, 4)).toEqual(['4', '2', '-1', '320']);
    expect(lost[4]?.messages).toEqual([]);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100));
    await client.next('commissionReport');
    expect(room.gateway.truth().clients).toEqual([2]);
  });

  test('requests that do not parse, or that nobody knows, get an error and the session lives', async () => {
    room = await openRoom();
    const peer = new Peer(room.gateway.port);
    peer.socket.write(
      Buffer.concat([hello('v100..193'), startApi(7), encodeFrame([3, 9, 'x']), encodeFrame([9, 8, 4]), encodeFrame([777, 1])]),
    );
    peer.socket.write(encodeFrame([7, 3, 'abc', 0, '', '', '', '', '', '']));
    await expect.poll(() => peer.messages.filter(fields => fields[3] === '320').map(fields => fields[2])).toEqual(['9', '4', '-1', '-1']);
    peer.socket.write(encodeFrame([49, 1]));
    await expect.poll(() => peer.message('49')).toBeDefined();
    peer.socket.destroy();
  });

  test('326: the second of two with one id is told and closed, the first stays', async () => {
    room = await openRoom();
    const first = await room.connect(2);
    const second = new IbProbe(room.gateway.port, 2);
    second.ib.connect();
    await second.next('info', (_text: string, code: number) => code === 326);
    await second.next('disconnected');
    expect(second.all('nextValidId')).toEqual([]);
    await first.settled();
  });
});

/** Passes bytes through, but lets the client claim an older version: its decoder follows what the server answers. */
async function olderClient(port: number, version: number): Promise<{ readonly port: number; close(): void }> {
  const { createServer } = await import('node:net');
  const sockets: Socket[] = [];
  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1');
    sockets.push(client, upstream);
    client.once('data', first => {
      upstream.write(Buffer.from(first.toString('latin1').replace('v100..193', `v100..${version}`), 'latin1'));
      client.pipe(upstream);
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('older clients', () => {
  test.each([157, 158, 160, 162, 163, 164, 166, 170, 174, 176, 177, 178, 182, 184, 185, 186, 188, 189, 191, 192])(
    'server version %i: every layout decodes',
    async version => {
      room = await openRoom();
      const relay = await olderClient(room.gateway.port, version);
      const client = await IbProbe.ready(relay.port, 4);
      expect(client.ib.serverVersion).toBe(version);
      client.ib.reqContractDetails(1, stock('ACME'));
      await client.next('contractDetailsEnd');
      client.ib.reqMatchingSymbols(2, 'AC');
      await client.next('symbolSamples');
      client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, { orderRef: 'OLD' }));
      await client.next('commissionReport');
      client.ib.placeOrder(2, stock('ACME'), order('BUY', 100, { orderType: 'LMT' as never, lmtPrice: 40 }));
      await client.next('orderStatus', (_id: number, status: string) => status === 'Submitted');
      client.ib.cancelOrder(2);
      await client.error(202, 2);
      client.ib.reqExecutions(3, {});
      await client.next('execDetailsEnd');
      // The library itself reads completed orders right only from 177 on.
      if (version >= 177) client.ib.reqCompletedOrders(false);
      if (version >= 177) await client.next('completedOrdersEnd');
      expect(client.all('completedOrder')).toHaveLength(version >= 177 ? 2 : 0);
      client.close();
      relay.close();
    },
  );
});
