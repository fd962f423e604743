import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sessionOf } from '@holdfast/core/calendar';
import { epochMs, fromDollars } from '@holdfast/core/units';
import { type DeskFiles, deskFiles } from '@holdfast/engine/desk-files';
import { readHeartbeat } from '@holdfast/engine/live';
import { createExchange } from '@holdfast/sim/exchange';
import { startGateway } from '@holdfast/sim/gateway/gateway';
import { openStore } from '@holdfast/store/db';
import { migrate } from '@holdfast/store/migrate';
import { ROOT } from '../e2e/harness.js';
import { waitFor } from '../e2e/waiting.js';
import { createAnswerClock } from './answer-clock.js';
import { BENCH_DATE, benchMarket } from './bench-market.js';
import { withoutResting } from './no-resting-exchange.js';

/** Exchange seconds per second: a P&L message comes at most once an exchange second. */
export const SPEED = 20;
const BASELINE_SHARES = 100_000;

export interface WireSymbols {
  readonly guarded: readonly string[];
  /** Instruments whose resting orders the exchange refuses. */
  readonly naked: readonly string[];
  /** Held before the desk's first start: hands off for it, the bare script's to play with. */
  readonly baseline: readonly string[];
}

export type WireDesk = Awaited<ReturnType<typeof openWireDesk>>;

/** A gateway in this process and a real exit manager before it, READY; no supervisor, so that nothing else is at work. */
export async function openWireDesk({ guarded, naked, baseline }: WireSymbols) {
  const symbols = [...guarded, ...naked, ...baseline];
  const market = benchMarket(symbols);
  const conIdOf = (symbol: string): number => 1_001 + symbols.indexOf(symbol);
  const holdings = baseline.map(symbol => ({ conId: conIdOf(symbol), quantity: BASELINE_SHARES, averageCost: fromDollars(50) }));
  const { port: exchange, refusals } = withoutResting(
    createExchange({ source: market, session: sessionOf(BENCH_DATE), startingCash: fromDollars(1_000_000), holdings }),
    new Set(naked.map(conIdOf)),
  );
  const clock = createAnswerClock();
  const gateway = await startGateway({ exchange, source: market, port: 0, speed: SPEED, start: '09:31', onMessage: clock.onMessage });
  const { folder, files } = makeFolder(gateway.port);
  const exitManager = startExitManager(files);
  const db = openStore(files.store, { busyTimeoutMs: 2_000, synchronous: 'NORMAL', mustExist: true, readonly: true });
  const story = (): string => tailOf(files.log('exit-manager'));

  async function close(): Promise<void> {
    clock.disarm();
    exitManager.kill('SIGKILL');
    db.close();
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await waitFor('the exit manager to be READY', () => readHeartbeat(files.heartbeat('exit-manager'))?.phase === 'READY', {
      lastSeen: story,
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port: gateway.port,
    market,
    clock,
    db,
    conIdOf,
    story,
    close,
    refusals: (symbol: string): number => refusals(conIdOf(symbol)),
    /** By hand, as the operator would in TWS: adopted on sight. */
    buy: (symbol: string, quantity: number): void => {
      gateway.manualTrade(symbol, 'BUY', quantity);
    },
    restingOf: (clientId: number, symbol?: string) =>
      exchange
        .openOrders()
        .filter(({ request }) => request.clientId === clientId && (symbol === undefined || request.conId === conIdOf(symbol)))
        .filter(({ status }) => status === 'Submitted' || status === 'PreSubmitted'),
    /** Until the exchange second now under way is over, and with it what it tells. */
    pastSecond: () => {
      const until = epochMs(exchange.now + 1_000);
      return waitFor('the next exchange second', () => exchange.now > until);
    },
  };
}

function makeFolder(port: number): { readonly folder: string; readonly files: DeskFiles } {
  // In the checkout: a temporary folder may lie in memory, and commits are to meet a disk.
  const parent = join(ROOT, 'var', 'bench');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'wire-'));
  const config = join(folder, 'desk.yaml');
  const desk = {
    mode: 'paper',
    gateway: { host: '127.0.0.1', port },
    exits: { failedSellsMax: 20 },
    wireCap: { ordersPerMinute: 600 },
  };
  writeFileSync(config, JSON.stringify(desk)); // JSON is YAML
  const files = deskFiles(config, 'var');
  mkdirSync(files.folder, { recursive: true });
  const db = openStore(files.store, { busyTimeoutMs: 0, synchronous: 'NORMAL' });
  const migrated = migrate(db, epochMs(Date.now()));
  db.close();
  if (!migrated.ok) throw new Error(migrated.detail);
  return { folder, files };
}

function startExitManager(files: DeskFiles) {
  const program = join(ROOT, 'apps', 'exit-manager', 'dist', 'main.js');
  return spawn(process.execPath, [program, '--config', files.config], { stdio: 'ignore' });
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-4_000);
  } catch {
    return 'the exit manager has logged nothing';
  }
}
