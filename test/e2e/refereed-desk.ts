import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sessionOf } from '@holdfast/core/calendar';
import { isOurs } from '@holdfast/core/orders/order';
import { micros } from '@holdfast/core/units';
import { createReferee, type RefereeOptions } from '@holdfast/sim/audits/referee';
import { type BooksView, compareWithStore } from '@holdfast/sim/audits/store-agrees';
import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import { ACME, BOLT, CORE, calmOpening, DATE, print, quote } from '@holdfast/sim/gateway/testing/scripted-market';
import { readDailyPnl } from '@holdfast/store/daily';
import { openStore } from '@holdfast/store/db';
import { readExecutions } from '@holdfast/store/executions';
import { migrate } from '@holdfast/store/migrate';
import { readPositions } from '@holdfast/store/positions';
import { readRoundTrips } from '@holdfast/store/reports';
import { expect } from 'vitest';
import { type DeskOptions, openDesk, ROOT, type TestDesk, type TestProcess, type WorkerApp } from './harness.js';
import { waitFor } from './waiting.js';

/**
 * A desk whose exchange is watched by the referees of I1–I5 and I12 from the first moment, with what stories need: the market's hand on the
 * price, an eye on every message, and one verdict at the end.
 */
export interface RefereedDesk extends TestDesk {
  /** Quotes ACME (or another) a cent below and above this price from now on, with a print at it. */
  price(dollars: number, conId?: number): void;
  /** ACME at each of these prices for 100 ms of machine time, one after the other; the last one stays, wobbling so that marks stay live. */
  walk(...dollars: readonly number[]): void;
  /** Looks at every message of running sessions, before the gateway has acted on it. */
  onWire(look: ((message: WireMessage) => void) | null): void;
  /** kill −9 at the very instant the gateway meets the `nth` message that fits; resolves when the process is gone. */
  killAt(victim: TestProcess, fits: (message: WireMessage) => boolean, nth?: number): Promise<void>;
  /** Waits for a process to end; its exit code, or the signal's name. */
  ended(process: TestProcess): Promise<number | string>;
  /** Shares at the exchange. */
  held(conId?: number): number;
  /** Shares bought or sold today by orders that carry our orderRef. */
  traded(side: 'BUY' | 'SELL', conId?: number): number;
  /** Working orders of ours and others, `SELL 100 LMT 50.90`, the limit first. */
  resting(conId?: number): readonly string[];
  /** Why today's closed trades ended. */
  reasons(): readonly string[];
  /** An exit manager alone, as the supervisor would start it, READY. */
  guard(environment?: Readonly<Record<string, string>>): Promise<TestProcess>;
  /** A day trader alone, READY. */
  trader(environment?: Readonly<Record<string, string>>): Promise<TestProcess>;
  /** `holdfast <words>` on this desk. */
  run(...words: readonly string[]): Promise<Ran>;
  /** What the referees have seen so far; the verdict where there is no store left to compare with. */
  violations(): readonly string[];
  /** Waits until the dust has settled (I6: store == broker), then: no referee saw anything, nothing is short. */
  verdict(options?: { readonly vanished?: readonly string[] }): Promise<void>;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RefereedOptions extends DeskOptions {
  readonly bounds?: RefereeOptions['bounds'];
}

const STEP_MS = 100;

/** Store migrated, gateway open, nothing started. */
export async function openRefereedDesk(options: RefereedOptions = {}): Promise<RefereedDesk> {
  const holdings = options.holdings ?? [];
  const referee = createReferee({
    instruments: [ACME, BOLT, CORE],
    baseline: holdings,
    session: sessionOf(DATE),
    ...(options.bounds ? { bounds: options.bounds } : {}),
  });
  let look: ((message: WireMessage) => void) | null = null;
  const desk = await openDesk({
    ...options,
    script: options.script ?? calmOpening(),
    gateway: {
      ...options.gateway,
      onExchangeEvent: referee.observe,
      onClient: ({ clientId, connected, machineNow }) =>
        connected ? referee.connected(clientId, machineNow) : referee.disconnected(clientId, machineNow),
      onMessage: message => look?.(message),
    },
  });
  prepareStore(desk);
  const commands = new Set<ReturnType<typeof spawn>>();
  const { gateway } = desk.room;
  const exchange = gateway.exchange;
  let wobble: NodeJS.Timeout | undefined;
  const spare = new Set(holdings.map(({ conId }) => conId));

  const price = (dollars: number, conId = ACME.conId): void => {
    desk.room.soon(now => quote(now, conId, [dollars - 0.01, dollars + 0.01, 1_000, 1_000]));
    desk.room.soon(now => print(now, conId, dollars));
  };
  const violations = (): string[] => referee.report().map(({ invariant, symbol, detail }) => `VIOLATION ${invariant} ${symbol}: ${detail}`);
  const story = (): string =>
    [
      ...violations(),
      ...exchange
        .executions()
        .map(one => `fill ${one.side} ${one.shares} ${one.symbol} @ ${one.price / 1e6} client ${one.clientId} ${one.orderRef}`),
      ...[...exchange.openOrders(), ...exchange.completedOrders()].map(
        ({ request, status, filled, reason }) =>
          `order ${request.clientId}/${request.orderId} ${request.side} ${request.quantity} ${request.type} ${request.tif} ${status} filled ${filled} ${request.orderRef} ${reason ?? ''}`,
      ),
      desk.story(),
    ].join('\n');

  const begin = async (app: WorkerApp, environment?: Readonly<Record<string, string>>): Promise<TestProcess> => {
    const started = desk.start(app, [], environment);
    const isReady = (): boolean => {
      const beat = desk.heartbeat(app);
      return beat?.pid === started.pid && beat.phase === 'READY';
    };
    await waitFor(`the ${app} to be READY`, isReady, { lastSeen: story });
    return started;
  };

  return {
    ...desk,
    story,
    price,
    walk: (...dollars) => {
      clearInterval(wobble);
      const steps = [...dollars];
      let last = steps[0] ?? 0;
      let cents = 0;
      const step = (): void => {
        last = steps.shift() ?? last;
        // Three prices, ten a second: the P&L stream, which looks once a second, never finds the same one twice.
        cents = steps.length === 0 ? (cents + 1) % 3 : 0;
        price(last + cents / 100);
      };
      step();
      wobble = setInterval(step, STEP_MS);
    },
    onWire: next => {
      look = next;
    },
    killAt: (victim, fits, nth = 1) => {
      let seen = 0;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the message to kill at never came (${seen} of ${nth})\n${story()}`)), 20_000);
        look = message => {
          if (!fits(message)) return;
          seen += 1;
          if (seen < nth) return;
          look = null;
          clearTimeout(timer);
          process.kill(victim.pid, 'SIGKILL');
          victim.ended.then(() => resolve(), reject);
        };
      });
    },
    ended: async process => {
      let how: number | string | undefined;
      void process.ended.then(word => {
        how = word;
      });
      await waitFor(`process ${process.pid} to end`, () => how !== undefined, { lastSeen: story });
      return how ?? '';
    },
    held: (conId = ACME.conId) => exchange.positions().find(position => position.conId === conId)?.quantity ?? 0,
    traded: (side, conId = ACME.conId) =>
      exchange
        .executions()
        .filter(one => one.conId === conId && one.side === side && isOurs(one.orderRef))
        .reduce((sum, one) => sum + one.shares, 0),
    resting: (conId = ACME.conId) =>
      exchange
        .openOrders()
        .filter(({ request }) => request.conId === conId)
        .map(({ request, remaining }) => {
          const at = request.limitPrice ?? request.stopPrice;
          return `${request.side} ${remaining} ${request.type}${at === undefined ? '' : ` ${(at / 1e6).toFixed(2)}`}`;
        })
        .sort(),
    reasons: () => desk.look(db => readRoundTrips(db, DATE).map(({ exitReason }) => exitReason)),
    guard: environment => begin('exit-manager', environment),
    trader: environment => begin('day-trader', environment),
    run: (...words) => {
      const child = spawn(process.execPath, [join(ROOT, 'apps/cli/dist/main.js'), '--config', desk.files.config, ...words], {
        env: desk.environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      commands.add(child);
      const told = { out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        told.out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        told.err += text;
      });
      return new Promise(resolve =>
        child.once('close', code => {
          commands.delete(child);
          resolve({ code, ...told });
        }),
      );
    },
    violations,
    verdict: async ({ vanished = [] } = {}) => {
      const differences = (): string[] =>
        desk
          .look(db => compareWithStore(truthOf(exchange, spare), storeView(db), { at: exchange.now, vanished }))
          .map(({ symbol, detail }) => `I6 ${symbol}: ${detail}`);
      await waitFor('store and broker to agree (I6)', () => differences().length === 0, {
        withinMs: 10_000,
        lastSeen: () => [...differences(), story()].join('\n'),
      });
      expect(violations(), story()).toEqual([]);
      for (const { conId, quantity } of exchange.positions()) expect(quantity, `conId ${conId}\n${story()}`).toBeGreaterThanOrEqual(0);
    },
    close: async () => {
      clearInterval(wobble);
      look = null;
      for (const child of commands) child.kill('SIGKILL');
      await desk.close();
    },
  };
}

/** What the supervisor does before the first worker: stories without one need it too. */
function prepareStore({ files, room }: TestDesk): void {
  mkdirSync(dirname(files.store), { recursive: true });
  const db = openStore(files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL' });
  const migrated = migrate(db, room.gateway.exchange.now);
  db.close();
  if (!migrated.ok) throw new Error(migrated.detail);
}

type Exchange = TestDesk['room']['gateway']['exchange'];

/** Everything but the baseline; realized is what closed symbols brought, commissions included. */
function truthOf(exchange: Exchange, spare: ReadonlySet<number>): BooksView {
  const positions = exchange.positions().filter(({ conId, quantity }) => !spare.has(conId) && quantity !== 0);
  const open = new Set(positions.map(({ conId }) => conId));
  const executions = exchange.executions().filter(({ conId }) => !spare.has(conId));
  let realized = 0;
  for (const { conId, side, shares, price, commission } of executions) {
    if (!open.has(conId)) realized += (side === 'SELL' ? 1 : -1) * shares * price - commission;
  }
  return { positions, executions, realizedPnl: micros(realized) };
}

const storeView = (db: Parameters<Parameters<TestDesk['look']>[0]>[0]): BooksView => ({
  positions: readPositions(db).map(({ contract, quantity }) => ({ symbol: contract.symbol, quantity })),
  executions: readExecutions(db, DATE),
  realizedPnl: micros(readDailyPnl(db, DATE).reduce((sum, day) => sum + day.realizedPnl, 0)),
});

/** Messages by the first field, as TWS numbers them. */
export const isPlacing = ({ direction, clientId, fields }: WireMessage, by: number): boolean =>
  direction === 'in' && clientId === by && Number(fields[0]) === 3;
export const isCancelling = ({ direction, clientId, fields }: WireMessage, by: number): boolean =>
  direction === 'in' && clientId === by && Number(fields[0]) === 4;
/** A market order, whatever for. */
export const isMarketOrder = (message: WireMessage, by: number): boolean => isPlacing(message, by) && message.fields.includes('MKT');
