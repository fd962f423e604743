import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openRefereedDesk, type RefereedDesk } from './refereed-desk.js';
import { buyByHand } from './trader-by-hand.js';
import { claims, exchangeSeconds, openTradingDesk, recorded, WANTED } from './trading-desk.js';
import { pause, waitFor } from './waiting.js';

/** What people and networks get wrong: each a clear message, no crash loop, nothing lost. */

let desk: RefereedDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

const log = (of: RefereedDesk, worker: 'exit-manager' | 'day-trader'): string => readFileSync(of.files.log(worker), 'utf8');
const configOf = (of: RefereedDesk): Record<string, unknown> =>
  JSON.parse(readFileSync(of.files.config, 'utf8')) as Record<string, unknown>;
const write = (of: RefereedDesk, config: unknown): void => writeFileSync(of.files.config, JSON.stringify(config));

describe('a broken desk.yaml', () => {
  it.each(['exit-manager', 'day-trader', 'supervisor'] as const)(
    '%s: key, value and allowed range are told, and nothing starts',
    async app => {
      desk = await openRefereedDesk();
      write(desk, { ...configOf(desk), exits: { stopBps: -5 }, colour: 'blue' });
      const started = desk.start(app);
      expect(await desk.ended(started)).toBe(78);
      expect(started.output()).toMatch(/exits\.stopBps: got -5; allowed/);
      expect(started.output()).toMatch(/colour: got "blue"/);
      expect(desk.room.gateway.truth().clients).toEqual([]);
    },
  );

  it('is no YAML at all: said so', async () => {
    desk = await openRefereedDesk();
    writeFileSync(desk.files.config, 'mode: [paper\n\tgateway: }');
    const started = desk.start('exit-manager');
    expect(await desk.ended(started)).toBe(78);
    expect(started.output()).toContain('desk.yaml');
    expect(started.output()).not.toContain('    at ');
  });

  it('DESIGN §9: with positions open the exit manager runs on the last one that worked, and says so; the day trader does not', async () => {
    desk = await openRefereedDesk();
    const of = desk;
    const first = await of.guard();
    of.walk(50);
    await buyByHand(of, 100, 50.05);
    await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
    process.kill(first.pid, 'SIGKILL');
    await of.ended(first);
    write(of, { ...configOf(of), exits: { stopBps: 'a little' } });

    const supervisor = of.start('supervisor');
    await of.ready('exit-manager');
    of.walk(49.4);
    await waitFor('the stop to be sold', () => of.reasons().length === 1, { lastSeen: of.story });
    expect(recorded(of, 'alerts', null)).toContain('CONFIGURATION_INVALID');
    expect(supervisor.output()).toMatch(/exits\.stopBps: got "a little"; allowed/);
    expect(of.pidOf('day-trader')).toBeNull();
    await of.verdict();
  });
});

/** A position in care, the exit manager dead, and a desk.yaml that is valid and names another mode or account than the store's. */
async function mismatchedWithPosition(slip: { readonly mode: string } | { readonly account: string }): Promise<RefereedDesk> {
  const of = await openRefereedDesk();
  desk = of;
  const first = await of.guard();
  of.walk(50);
  await buyByHand(of, 100, 50.05);
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  process.kill(first.pid, 'SIGKILL');
  await of.ended(first);
  write(of, { ...configOf(of), ...slip });
  return of;
}

describe.each([
  ['mode', { mode: 'observe' }],
  ['account', { account: 'DU9999999' }],
])("DESIGN §9: a desk.yaml with another %s than the store's, and a position open", (_what, slip) => {
  it('the exit manager protects on, and says so; the day trader is parked with the reason', async () => {
    const of = await mismatchedWithPosition(slip);
    const supervisor = of.start('supervisor');
    await of.ready('exit-manager');
    await waitFor('the day trader to be refused', () => recorded(of, 'alerts', null).includes('BAD_CONFIGURATION'), { lastSeen: of.story });
    expect(supervisor.output()).toMatch(/The day trader refused its configuration: desk.yaml names .* the store belongs to/);
    of.walk(49.4);
    await waitFor('the stop to be sold', () => of.reasons().length === 1, { lastSeen: of.story });
    expect(recorded(of, 'alerts', null)).toContain('CONFIGURATION_MISMATCH');
    expect(readFileSync(of.files.lastGoodConfig, 'utf8')).not.toContain('observe');
    await of.verdict();
  });

  it('liquidate-all sells with nobody else alive', async () => {
    const of = await mismatchedWithPosition(slip);
    expect(await of.run('liquidate-all', '--yes', '--json')).toMatchObject({ code: 0 });
    expect(of.held()).toBe(0);
    expect(of.reasons()).toEqual(['liquidate']);
  });
});

it.each(['exit-manager', 'day-trader', 'supervisor'] as const)('%s: an unusable paths.var is told, and nothing starts', async app => {
  desk = await openRefereedDesk();
  write(desk, { ...configOf(desk), paths: { var: '/proc/nope' } });
  const started = desk.start(app);
  expect(await desk.ended(started)).toBe(5);
  expect(started.output()).toMatch(/\/proc\/nope.*cannot be used[\s\S]*Nothing was started[\s\S]*paths\.var/);
  expect(started.output()).not.toContain('    at ');
});

it('an occupied client id: patience and a clear message, READY once it is free, the same process all the while', async () => {
  desk = await openRefereedDesk();
  const of = desk;
  const squatter = await of.room.connect(10);
  of.start('supervisor');
  await waitFor('the refusal to be logged', () => log(of, 'exit-manager').includes('326'), { lastSeen: of.story });
  expect(log(of, 'exit-manager')).toContain('client id is already in use');
  const pid = of.pidOf('exit-manager');
  await pause(1_500);
  expect(of.pidOf('exit-manager')).toBe(pid);
  expect((await of.run('status')).out).toMatch(/exit-manager +CONNECTING .*client id is already in use/);
  squatter.close();
  expect(await of.ready('exit-manager')).toBe(pid);
});

/** A port on loopback that is nobody's, or at which every caller is answered like this and left hanging. */
async function wrongPort(answer: string | null): Promise<{ readonly port: number; close(): Promise<void> }> {
  const callers = new Set<Socket>();
  const server = createServer(socket => {
    callers.add(socket);
    socket.on('error', () => undefined); // the desk hangs up
    socket.write(answer ?? '');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const close = async (): Promise<void> => {
    for (const socket of callers) socket.destroy();
    if (server.listening) await new Promise(resolve => server.close(resolve));
  };
  if (answer === null) await close();
  return { port: address.port, close };
}

it.each([
  ['nobody listens', null, 'ECONNREFUSED 127.0.0.1:'],
  ['a web server answers', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'this is no TWS stream'],
] as const)('a wrong port, where %s: a clear message and no crash loop', async (_title, answer, message) => {
  desk = await openRefereedDesk();
  const of = desk;
  const wrong = await wrongPort(answer);
  try {
    write(of, { ...configOf(of), gateway: { host: '127.0.0.1', port: wrong.port } });
    of.start('supervisor');
    await waitFor('the failure to be logged', () => log(of, 'exit-manager').includes('connect-failed'), { lastSeen: of.story });
    expect(log(of, 'exit-manager')).toContain(message);
    const pid = of.pidOf('exit-manager');
    await pause(1_500);
    expect(of.pidOf('exit-manager')).toBe(pid);
    expect(of.heartbeat('exit-manager')?.phase).toBe('CONNECTING');
  } finally {
    await wrong.close();
  }
});

/** Every way to be no client: random bytes, a length that lies, a hello cut short, a well-framed message that means nothing. */
const NONSENSE: readonly Buffer[] = [
  Buffer.from(Array.from({ length: 600 }, (_, index) => (index * 7_919) % 256)),
  Buffer.concat([Buffer.from('API\0'), Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.from('v100..193')]),
  Buffer.from('API\0\0\0\0\x09v100'),
  Buffer.concat([Buffer.from('API\0\0\0\0\x09v100..193'), Buffer.from([0, 0, 0, 4]), Buffer.from('\0\0\0\0')]),
  Buffer.concat([Buffer.from('API\0\0\0\0\x09v100..193'), Buffer.from([0, 0, 0, 8]), Buffer.from('71\x002\x002\0')]),
];

it('truncated and garbage frames at the gateway while the desk trades, and an unknown symbol in the watchlist: it trades on', async () => {
  desk = await openTradingDesk({ watchlist: ['ACME', 'NOSUCH'] });
  const of = desk;
  const guard = await of.guard();
  const trader = await of.trader();
  of.walk(WANTED);
  for (const bytes of NONSENSE) {
    const socket = dial(of.room.gateway.port, '127.0.0.1', () => {
      socket.write(bytes);
      setTimeout(() => socket.destroy(), 300);
    });
    socket.on('error', () => undefined); // the gateway hangs up
  }
  await waitFor('target and disaster stop to rest', () => of.resting().length === 2, { lastSeen: of.story });
  await exchangeSeconds(of, 10);
  expect(claims(of)).toEqual([`ACME OPEN ${of.held()}`]);
  expect([of.pidOf('exit-manager'), of.pidOf('day-trader')]).toEqual([guard.pid, trader.pid]);
  expect(of.room.gateway.truth().clients).toEqual([2, 10]);

  const isTold = (): boolean => recorded(of, 'alerts', 'NOSUCH').includes('UNKNOWN_SYMBOL');
  await waitFor('the unknown symbol to be told', isTold, { withinMs: 30_000, lastSeen: of.story });
  expect(of.pidOf('day-trader')).toBe(trader.pid);
  await of.verdict();
});
