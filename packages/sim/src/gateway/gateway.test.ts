import { afterEach, describe, expect, test } from 'vitest';
import type { ExchangeEvent } from '../exchange-types.js';
import { startGateway } from './gateway.js';
import { openRoom, type Room } from './testing/gateway-room.js';
import { decodeErrors, IbProbe, order, stock } from './testing/ib-probe.js';
import { ACME, at, quote } from './testing/scripted-market.js';

let room: Room;
afterEach(async () => {
  await room.close();
  expect(decodeErrors).toEqual([]);
});

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
/** What our own workers do at fast speed: each second they have worked through is acknowledged once. */
function keepUp(client: IbProbe): { stop(): void } {
  let stopped = false;
  let newest = 0;
  client.ib.on(
    'currentTime' as never,
    ((second: number) => {
      if (stopped || second <= newest) return;
      newest = second;
      client.ib.reqCurrentTime();
    }) as never,
  );
  return {
    stop: () => {
      stopped = true;
    },
  };
}

describe('time', () => {
  test('at speed 1 with nobody to wait for the gateway says nothing unasked', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    await pause(1_100);
    expect(client.all('currentTime')).toEqual([]);
  });

  test('fast time waits for the clients it is told to wait for, and never stops', async () => {
    room = await openRoom({ gateway: { speed: 200, waitFor: [2, 10] } });
    const { exchange } = room.gateway;
    const elapsed = async (ms: number): Promise<number> => {
      const [from, began] = [exchange.now, performance.now()];
      await pause(ms);
      return (exchange.now - from) / (performance.now() - began);
    };
    const day = await room.connect(2);
    expect(await elapsed(60)).toBeLessThan(1.5); // 10 is missing
    const exit = await room.connect(10);
    const acknowledging = [day, exit].map(keepUp);
    await exit.next('currentTime');
    await day.next('currentTime');
    expect(await elapsed(300)).toBeGreaterThan(100);

    acknowledging[1]?.stop(); // busy: it withholds its acknowledgement
    await pause(20);
    expect(await elapsed(100)).toBeLessThan(1.5);
    const { pace } = room.gateway.truth();
    expect(pace.brakedMs.behind).toBeGreaterThan(50);
    expect(pace.brakedMs['not connected']).toBeGreaterThan(30);
    expect(pace.effectiveSpeed).toBeGreaterThan(1);
  });

  test('orders in flight hold fast time at 1×', async () => {
    room = await openRoom({ gateway: { speed: 500 } });
    const client = await room.connect(2);
    room.gateway.holdOrders(100);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100));
    await expect.poll(() => room.gateway.truth().pace.brakedMs['in flight'], { interval: 5 }).toBeGreaterThan(0);
    const sentAt = room.gateway.exchange.now;
    await client.next('commissionReport');
    // When it filled, not when its report was read: after it nothing is in flight, and time is fast again.
    expect((room.gateway.exchange.executions()[0]?.at ?? 0) - sentAt).toBeLessThan(5_000);
    expect(room.gateway.truth().pace.brakedMs['in flight']).toBeGreaterThan(60);
  });
});

describe('faults', () => {
  test('a drop cuts one client and is seen; the others stay', async () => {
    room = await openRoom();
    const [day, exit] = [await room.connect(2), await room.connect(10)];
    expect(room.gateway.drop(2)).toEqual([2]);
    await day.next('disconnected');
    await exit.settled();
    await expect.poll(() => room.gateway.truth().clients).toEqual([10]);
  });

  test('an outage refuses connections while the exchange fills; then all is found again', async () => {
    room = await openRoom();
    const { port } = room.gateway;
    const before = await room.connect(2);
    before.ib.placeOrder(1, stock('ACME'), order('BUY', 100, { orderType: 'LMT' as never, lmtPrice: 49.98 }));
    await before.next('orderStatus', (_id: number, status: string) => status === 'Submitted');
    room.gateway.outage(150);
    await before.next('disconnected');
    const refused = new IbProbe(port, 2);
    refused.ib.connect();
    await refused.error(502);
    room.soon(now => quote(now, ACME.conId, [49.96, 49.97]));
    await expect.poll(() => room.gateway.truth().executions).toHaveLength(1);
    await expect.poll(() => room.gateway.truth().accepting, { interval: 10 }).toBe(true);

    const after = await room.connect(2);
    expect(room.gateway.port).toBe(port);
    after.ib.reqExecutions(1, {});
    await after.next('execDetails', (id: number) => id === 1);
  });

  test('a restart rolls order ids back, and the used one is refused', async () => {
    room = await openRoom();
    const before = await room.connect(2);
    for (const id of [1, 2, 3]) before.ib.placeOrder(id, stock('ACME'), order('BUY', 1));
    await before.next('orderStatus', (id: number, status: string) => id === 3 && status === 'Filled');
    room.gateway.restart(30, 2);
    await before.next('disconnected');
    await expect.poll(() => room.gateway.truth().accepting, { interval: 5 }).toBe(true);
    const after = await room.connect(2);
    expect(after.all('nextValidId')).toEqual([[2]]);
    after.ib.placeOrder(2, stock('ACME'), order('BUY', 1));
    await after.next('error', (_error: Error, code: number, id: number) => id === 2 && (code === 103 || code === 104));
  });

  test('held orders arrive late, in order, even when their client has gone', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    // Longer than the questions and answers of `settled` may take on a busy machine.
    room.gateway.holdOrders(1_500);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, { orderType: 'LMT' as never, lmtPrice: 49 }));
    client.ib.cancelOrder(1);
    client.ib.placeOrder(2, stock('BOLT'), order('BUY', 10));
    await client.settled();
    expect(room.gateway.truth().openOrders).toEqual([]);
    client.close();
    await expect
      .poll(() => room.gateway.truth().completedOrders.map(({ status }) => status), { interval: 10, timeout: 5_000 })
      .toEqual(['Cancelled', 'Filled']);
  });

  test('a fill that races a cancel wins: Filled, then 10148', async () => {
    room = await openRoom();
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100, { orderType: 'LMT' as never, lmtPrice: 49.98 }));
    await client.next('orderStatus', (_id: number, status: string) => status === 'Submitted');
    room.gateway.holdOrders(60);
    client.ib.cancelOrder(1);
    room.soon(now => quote(now, ACME.conId, [49.96, 49.97]));
    await client.error(10148, 1);
    expect(room.gateway.truth().positions).toMatchObject([{ symbol: 'ACME', quantity: 100 }]);
  });
});

describe('the record', () => {
  test('events are numbered and dated on both clocks; referees hear quotes too, and who is connected', async () => {
    const heard: ExchangeEvent['kind'][] = [];
    const clients: unknown[] = [];
    const directions = new Set<string>();
    room = await openRoom({
      gateway: {
        onExchangeEvent: event => heard.push(event.kind),
        onClient: ({ clientId, connected }) => clients.push([clientId, connected]),
        onMessage: ({ direction, clientId, fields }) => directions.add(`${direction} ${clientId} ${fields[0]}`),
      },
    });
    const client = await room.connect(2);
    client.ib.placeOrder(1, stock('ACME'), order('BUY', 100));
    await client.next('commissionReport');
    client.close();
    await expect
      .poll(() => clients)
      .toEqual([
        [2, true],
        [2, false],
      ]);
    expect(new Set(heard)).toEqual(new Set(['quote', 'order', 'execution', 'position']));
    expect(directions).toContain('in 2 3');
    expect(directions).toContain('out 2 59');
    const entries = room.gateway.events(0);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_entry, index) => index + 1));
    expect(entries.map(({ event }) => event.kind)).toContain('request');
    const execution = entries.find(({ event }) => event.kind === 'execution');
    expect(execution?.machineAt).toBeGreaterThan(
      entries.find(({ event }) => event.kind === 'request')?.machineAt ?? Number.POSITIVE_INFINITY,
    );
    expect(room.gateway.events(entries.length - 1)).toHaveLength(1);
  });
});

describe('the control port', () => {
  const call = async (path: string, body?: object | string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const url = `http://127.0.0.1:${room.gateway.controlPort}${path}`;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(url, body === undefined ? {} : { method: 'POST', body: text });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('tells the truth, trades by hand, gives faults', async () => {
    room = await openRoom({ gateway: { controlPort: 0 } });
    const client = await room.connect(2);
    expect((await call('/manual-trade', { symbol: 'acme', side: 'BUY', quantity: 50 })).body).toMatchObject({
      ok: true,
      order: { status: 'Filled' },
    });
    const truth = (await call('/truth')).body;
    expect(truth).toMatchObject({
      source: 'scripted',
      date: '2026-03-09',
      positions: [{ symbol: 'ACME', quantity: 50 }],
      executions: [{ shares: 50, clientId: 0 }],
      openOrders: [],
      clients: [2],
      accepting: true,
      pace: { speed: 1 },
    });
    expect(truth.exchangeTime).toBeGreaterThanOrEqual(at('09:30:02'));
    const { events } = (await call('/events?since=0')).body as { events: { event: { kind: string } }[] };
    expect(events.map(({ event }) => event.kind)).toContain('execution');
    expect((await call('/speed', { speed: 100 })).body).toEqual({ ok: true });
    expect((await call('/hold-orders', { ms: 5 })).body).toEqual({ ok: true });
    expect((await call('/drop', { clientId: 2 })).body).toEqual({ ok: true, dropped: [2] });
    await client.next('disconnected');
    expect((await call('/outage', { ms: 5 })).body).toEqual({ ok: true });
    expect((await call('/restart', { ms: 5, rollbackIds: 1 })).body).toEqual({ ok: true });
    expect(room.gateway.truth().pace.speed).toBe(100);
  });

  test.each([
    ['/manual-trade', { symbol: 'NOPE', side: 'BUY', quantity: 1 }, 400, 'ACME, BOLT, CORE'],
    ['/manual-trade', { symbol: 'ACME', side: 'HOLD', quantity: 1 }, 400, '"BUY" or "SELL"'],
    ['/manual-trade', { symbol: 'ACME', side: 'BUY', quantity: 1.5 }, 400, 'whole number of at least 1'],
    ['/outage', {}, 400, '"ms" must be a number'],
    ['/speed', { speed: 0 }, 400, 'at least 0.001'],
    ['/speed', 'not json', 400, 'not JSON'],
    ['/nothing', {}, 404, 'POST /manual-trade'],
    ['/events?since=x', undefined, 400, 'sequence number'],
  ])('%s %j says what to do', async (path, body, status, words) => {
    room = await openRoom({ gateway: { controlPort: 0 } });
    const answer = await call(path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ ok: false });
    expect(String(answer.body.error)).toContain(words);
  });

  test('shuts down, and a taken port is named with what to do', async () => {
    room = await openRoom({ gateway: { controlPort: 0 } });
    const { exchange, port, controlPort } = room.gateway;
    const again = { exchange, source: room.market, port };
    await expect(startGateway(again)).rejects.toThrow(`port ${port} for the gateway is in use: stop what listens there`);
    await expect(startGateway({ ...again, port: 0, controlPort: controlPort ?? 0 })).rejects.toThrow('for the control port is in use');
    await expect(startGateway({ ...again, port: 0, start: '09:00' })).rejects.toThrow('choose a later start');
    expect((await call('/shutdown', {})).body).toEqual({ ok: true });
    await room.gateway.closed;
  });
});
