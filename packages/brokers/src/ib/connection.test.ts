import { afterEach, describe, expect, test } from 'vitest';
import type { IbOptions } from './ib-broker.js';
import { AdapterProbe } from './testing/adapter-probe.js';
import { ACCOUNT, greeting, login, type Script, ScriptedGateway, wellBehaved } from './testing/scripted-gateway.js';

/** The adapter before gateways that misbehave. Deadlines are shortened, machine time is real. */

let gateway: ScriptedGateway;
let probe: AdapterProbe;
let broker: AdapterProbe['broker'];

async function start(script: Script, options: Partial<IbOptions> = {}): Promise<void> {
  gateway = await ScriptedGateway.open(script);
  probe = new AdapterProbe({ port: gateway.port, clientId: 10, ...options });
  broker = probe.broker;
  broker.connect();
}
const until = (what: string, holds: () => boolean): Promise<void> => probe.until(what, holds);
const all: AdapterProbe['all'] = kind => probe.all(kind);
const asked = (id: number) => gateway.requests.filter(({ fields }) => fields[0] === String(id));

afterEach(async () => {
  broker.close();
  await gateway.close();
});

describe('shaking hands', () => {
  test('up means next order id and accounts, in either order', async () => {
    await start(({ kind }, peer) => {
      if (kind === 'hello') greeting(peer);
      else if (kind === 'start') peer.send([9, 1, 42]);
      else peer.cut();
    });
    await until('one request at the gateway', () => gateway.connections === 1);
    await probe.quiet(50);
    expect(probe.told).toEqual([]);
    expect(broker.isUp).toBe(false);
  });

  test('a gateway that accepts and says nothing is given up and tried again', async () => {
    await start(() => undefined, { connectTimeoutMs: 60 });
    await until('two attempts', () => gateway.connections >= 2);
    expect(all('connect-failed')[0]?.reason).toContain('next order id and accounts');
    gateway.script = wellBehaved();
    await until('connected', () => broker.isUp);
    expect(all('connected')).toMatchObject([{ session: 1, accounts: [ACCOUNT] }]);
  });

  test('an empty list of accounts, as right after a gateway restart, is not ready', async () => {
    await start(
      ({ kind }, peer) => {
        if (kind === 'hello') greeting(peer);
        else if (kind === 'start') peer.send([15, 1, ''], [9, 1, 1]);
      },
      { connectTimeoutMs: 60 },
    );
    await until('the first attempt failed', () => all('connect-failed').length > 0);
    expect(all('connect-failed')[0]?.reason).toContain('accounts');
    expect(all('connected')).toEqual([]);
  });

  test('326 is told with its code, and the next attempts come slower and slower', async () => {
    const at: number[] = [];
    await start(({ kind }, peer) => {
      if (kind === 'hello') {
        at.push(performance.now());
        greeting(peer);
      } else {
        peer.send([4, 2, -1, 326, 'Unable to connect as the client id is already in use.', '']);
        peer.cut();
      }
    });
    await until('four attempts', () => at.length >= 4);
    expect(all('connect-failed')[0]).toMatchObject({ code: 326 });
    const waits = at.slice(1).map((time, n) => time - (at[n] ?? 0));
    expect(waits[0]).toBeGreaterThan(90);
    expect(waits[2]).toBeGreaterThan((waits[0] ?? 0) * 2.5);
  });

  test('what is said before the login is complete is told after `connected`', async () => {
    await start(({ kind }, peer) => {
      if (kind === 'hello') greeting(peer);
      else if (kind === 'start') {
        peer.send([4, 2, -1, 2104, 'Market data farm connection is OK:usfarm', '']);
        login(peer);
      }
    });
    await until('connected', () => broker.isUp);
    expect(probe.told.map(({ kind }) => kind)).toEqual(['connected', 'notice']);
  });

  test('a port that can’t be is a failed attempt, not an exception', async () => {
    await start(wellBehaved(), { port: 70_000 });
    await until('two failed attempts', () => all('connect-failed').length >= 2);
  });

  test('nobody listens at the port', async () => {
    await start(wellBehaved());
    await gateway.close();
    broker.close();
    broker.connect();
    await until('two failed attempts', () => all('connect-failed').length >= 2);
    expect(all('connect-failed')[0]?.code).toBe(502);
  });
});

describe('signs of life', () => {
  const quick = { watchdogIntervalMs: 30, watchdogDeadlineMs: 100 };

  test('a half-open socket is noticed, dropped and replaced by a new session', async () => {
    await start(wellBehaved(), quick); // takes every request, answers none
    await until('disconnected', () => all('disconnected').length > 0);
    expect(all('disconnected')[0]?.reason).toContain('no sign of life');
    await until('the next session', () => all('connected').some(({ session }) => session === 2));
  });

  test('answered questions keep the connection, and bring the time', async () => {
    await start(
      wellBehaved(({ fields }, peer) => {
        if (fields[0] === '49') peer.send([49, 1, 1_773_063_000]);
      }),
      quick,
    );
    await until('time', () => all('time').length >= 8);
    expect(all('disconnected')).toEqual([]);
  });

  test('any message is a sign of life', async () => {
    await start(
      wellBehaved((_message, peer) => peer.send([4, 2, -1, 2104, 'Market data farm connection is OK:usfarm', ''])),
      quick,
    );
    await until('ten notices', () => all('notice').length >= 10);
    expect(all('disconnected')).toEqual([]);
  });

  test('paced: the watchdog never acknowledges time, it asks something else', async () => {
    await start(
      wellBehaved(({ fields }, peer) => {
        if (fields[0] === '17') peer.send([15, 1, ACCOUNT]);
      }),
      { ...quick, paced: true },
    );
    await until('five signs of life', () => asked(17).length >= 5);
    expect(asked(49)).toHaveLength(1); // the one behind `connected`
    expect(all('disconnected')).toEqual([]);
  });

  test('paced: an acknowledgement goes out once per newer second, and only when the engine says so', async () => {
    await start(wellBehaved(), { paced: true });
    await until('connected', () => broker.isUp);
    broker.acknowledgeTime();
    gateway.script = wellBehaved(({ fields }, peer) => {
      if (fields[0] === '16') peer.send([49, 1, 1_000], [49, 1, 1_001]);
    });
    broker.send({ do: 'request-open-orders' });
    await until('two seconds told', () => all('time').length >= 2);
    broker.acknowledgeTime();
    broker.acknowledgeTime();
    await until('the acknowledgement, after the question behind `connected`', () => asked(49).length > 1);
    await probe.quiet(30);
    expect(asked(49)).toHaveLength(2);
  });
});

describe('broken streams', () => {
  test.each([
    ['a negative length, on which the library alone would spin for ever', Buffer.from([0xff, 0xff, 0xff, 0xfc, 0, 0, 0, 0])],
    ['an absurd length', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['a length of zero', Buffer.from([0, 0, 0, 0])],
  ])('%s: dropped, said, connected anew', async (_name, bytes) => {
    await start(wellBehaved());
    await until('connected', () => broker.isUp);
    gateway.script = (_message, peer) => peer.raw(bytes);
    broker.send({ do: 'request-open-orders' });
    await until('disconnected', () => all('disconnected').length > 0);
    gateway.script = wellBehaved();
    await until('the next session', () => all('connected').some(({ session }) => session === 2));
    expect(all('notice').some(({ severity, text }) => severity === 'error' && text.includes('TWS stream'))).toBe(true);
  });

  test('malformed JSON in a reject ends the connection, not the process: the message after it would be lost', async () => {
    await start(wellBehaved());
    await until('connected', () => broker.isUp);
    gateway.script = (_message, peer) => peer.send([4, 2, 7, 201, 'Order rejected', '{bad'], [49, 1, 1_000]);
    broker.send({ do: 'request-open-orders' });
    await until('disconnected', () => all('disconnected').length > 0);
    gateway.script = wellBehaved();
    await until('the next session', () => all('connected').some(({ session }) => session === 2));
    expect(all('notice').some(({ text }) => text.includes('could not be decoded'))).toBe(true);
  });

  test('a message with too few or too many fields is a notice (505), and what follows is heard', async () => {
    await start(wellBehaved());
    await until('connected', () => broker.isUp);
    gateway.script = wellBehaved((_message, peer) => peer.send([3, 7, 'Filled'], [49, 1, 1_000, 'surplus'], [49, 1, 1_001]));
    broker.send({ do: 'request-open-orders' });
    await until('the last time', () => all('time').some(({ seconds }) => seconds === 1_001));
    expect(all('notice').filter(({ code }) => code === 505).length).toBeGreaterThanOrEqual(2);
    expect(all('disconnected')).toEqual([]);
  });

  test('a gateway cut in the middle of a message', async () => {
    await start(wellBehaved());
    await until('connected', () => broker.isUp);
    gateway.script = (_message, peer) => {
      peer.raw(Buffer.from([0, 0, 0, 40, 0x34]));
      peer.cut();
    };
    broker.send({ do: 'request-open-orders' });
    await until('disconnected', () => all('disconnected').length > 0);
    gateway.script = wellBehaved();
    await until('the next session', () => all('connected').some(({ session }) => session === 2));
  });
});

describe('silence', () => {
  test('a snapshot without its last end marker is never told', async () => {
    await start(
      wellBehaved(({ fields }, peer) => {
        if (fields[0] === '16') peer.send([53, 1]);
        if (fields[0] === '7') peer.send([55, 1, fields[2] ?? '']);
        // 61 reqPositions: no end
      }),
    );
    await until('connected', () => broker.isUp);
    broker.send({ do: 'request-snapshot', id: 1 });
    await until('the question', () => asked(61).length === 1);
    await probe.quiet(50);
    expect(all('snapshot')).toEqual([]);
  });

  test('A10: what was asked on one connection is never sent on the next', async () => {
    await start(wellBehaved());
    await until('connected', () => broker.isUp);
    for (let n = 0; n < 100; n += 1) broker.send({ do: 'request-contract', requestId: n, symbol: 'ACME' });
    broker.send({ do: 'cancel', orderRef: 'HFX-20260309-1-1', orderId: 5 });
    await until('the cancel, ahead of what waits', () => asked(4).length === 1);
    gateway.cutAll();
    await until('the next session', () => all('connected').some(({ session }) => session === 2));
    await probe.quiet(100);
    const later = gateway.requests.filter(({ connection }) => connection === 2).map(({ fields }) => fields[0]);
    expect(later).toEqual(['49', '6']); // the time and account updates, which the adapter itself asks for
  });
});
