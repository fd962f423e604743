import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { sessionOf } from '@holdfast/core/calendar';
import type { Write } from '@holdfast/core/effects';
import type { Event } from '@holdfast/core/events';
import { createState, decide, type ExitManagerState } from '@holdfast/core/exit-manager';
import { DEFAULT_EXIT_RULES } from '@holdfast/core/exits/rules';
import { epochMs, fromDollars, monoMs } from '@holdfast/core/units';
import { HEARTBEAT_BYTES, writeHeartbeat } from '@holdfast/engine/heartbeat';
import { mono, openRandomFile } from '@holdfast/engine/live';
import { createExchange } from '@holdfast/sim/exchange';
import { startGateway } from '@holdfast/sim/gateway/gateway';
import { encodeFrame } from '@holdfast/sim/gateway/wire';
import { commitStep } from '@holdfast/store/commit';
import { openStore } from '@holdfast/store/db';
import { acquireLease } from '@holdfast/store/leases';
import { migrate } from '@holdfast/store/migrate';
import { ACME, aFill, anOrder, aPosition, MONDAY, NOW } from '@holdfast/store/testing/desk';
import { ROOT } from '../e2e/harness.js';
import { pause } from '../e2e/waiting.js';
import { BENCH_DATE, benchMarket } from './bench-market.js';
import type { BenchOptions } from './benches.js';
import { benchJournal } from './journal.js';
import type { BenchResult } from './report.js';
import { figure, spreadOf } from './statistics.js';

/** Small numbers that guide work: each hot in a loop, and where it matters cold after a pause, as a quiet desk meets it. */

interface Line {
  readonly key: string;
  readonly name: string;
  /** Microseconds each. */
  readonly times: readonly number[];
}

const COLD_PAUSE_MS = 20;

export async function benchMicro({ quick }: BenchOptions): Promise<BenchResult> {
  const parent = join(ROOT, 'var', 'bench');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'micro-'));
  try {
    const [hot, cold] = quick ? [20, 3] : [5_000, 200];
    const lines: Line[] = [];
    const add = async (key: string, name: string, work: () => void): Promise<void> => {
      lines.push({ key, name: `${name}, hot`, times: times(hot, work) });
      lines.push({ key: `${key}Cold`, name: `${name}, after ${COLD_PAUSE_MS} ms of silence`, times: await coldTimes(cold, work) });
    };
    await add('decide', 'exit manager decides on a P&L mark, 5 positions', deciding());
    const store = committing(folder);
    await add('commitNormal', 'commit of one step, NORMAL', () => store.commit(false));
    await add('commitFull', 'commit of one step, FULL', () => store.commit(true));
    store.close();
    await add('heartbeat', 'heartbeat written', beating(folder));
    const journal = benchJournal(folder);
    await add('journalNote', 'a decision noted for the journal, before its sends', journal.note);
    await add('journalStop', 'the step of a touched stop journaled, after its sends', journal.writeStop);
    await add('journalMark', 'a quiet mark journaled, with the next beat', journal.writeMark);
    const perSecond = await gatewayRate(quick ? 500 : 50_000);
    return resultOf(lines, perSecond);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function time(work: () => void): number {
  const from = mono();
  work();
  return (mono() - from) * 1_000;
}

function times(count: number, work: () => void): number[] {
  for (let warm = 0; warm < Math.min(count, 500); warm++) work();
  return Array.from({ length: count }, () => time(work));
}

async function coldTimes(count: number, work: () => void): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) {
    await pause(COLD_PAUSE_MS);
    all.push(time(work));
  }
  return all;
}

const ACCOUNT = 'DU1';
const CON_IDS = [501, 502, 503, 504, 505] as const;
const contractOf = (conId: number) => ({ ...ACME, conId, symbol: `S${conId}` });

/** Five positions with target and disaster stop at work, and the marks that come in turn: nothing is to be done about any of them. */
function deciding(): () => void {
  const resting = CON_IDS.flatMap((conId, index) => {
    const alive = { tradeId: `T-${conId}`, contract: contractOf(conId), status: 'SUBMITTED', tif: 'DAY', ocaGroup: `G-${conId}` } as const;
    const [one, other] = [index * 2 + 1, index * 2 + 2];
    return [
      anOrder({ ...alive, orderRef: `HFX-1-${one}`, orderId: one, role: 'target', type: 'LMT', limitPrice: fromDollars(50.9) }),
      anOrder({ ...alive, orderRef: `HFX-1-${other}`, orderId: other, role: 'disaster-stop', type: 'STP', stopPrice: fromDollars(49.1) }),
    ];
  });
  const fromStore = createState({
    rules: DEFAULT_EXIT_RULES,
    account: ACCOUNT,
    lease: 1,
    isMinimal: false,
    hasBaseline: true,
    at: NOW,
    view: {
      positions: CON_IDS.map(conId => aPosition({ tradeId: `T-${conId}`, contract: contractOf(conId) })),
      orders: resting,
      executions: CON_IDS.map(conId => ({
        ...aFill({ execId: `0001.${conId}.01.01`, conId, symbol: `S${conId}`, price: fromDollars(50) }),
        tradeId: `T-${conId}`,
      })),
      closedToday: [],
      baseline: [],
      commands: [],
      killSwitch: { on: false, reason: null },
      guard: { alive: true, phase: 'READY' },
    },
  });
  let state: ExitManagerState = { ...fromStore, link: { ...fromStore.link, phase: 'READY', isUp: true, session: 1 } };
  let count = 0;
  return () => {
    count += 1;
    const conId = CON_IDS[count % CON_IDS.length] ?? 0;
    const price = fromDollars(count % 2 === 0 ? 50.01 : 50.02);
    const mark: Event = { at: epochMs(NOW + count), mono: monoMs(count), kind: 'pnl-mark', conId, quantity: 100, price };
    const step = decide(state, mark);
    state = step.state;
    // The levels of positions read from the store are set anew once; from then on a mark asks for nothing.
    if (count > 10 && step.effects.length > 0)
      throw new Error(`a quiet mark asked for ${step.effects.map(effect => effect.do).join(', ')}`);
  };
}

/** What a stop commits when it is touched: the decision, the order's new state, the position's. */
function committing(folder: string) {
  const db = openStore(join(folder, 'store.db'), { busyTimeoutMs: 50, synchronous: 'NORMAL' });
  const migrated = migrate(db, NOW);
  const taken = acquireLease(db, { name: 'exit-manager', pid: 1, processStartedAt: '1', bootId: 'boot', now: NOW }, () => true);
  if (!migrated.ok || !taken.ok) throw new Error('the store for the bench cannot be made');
  const { lease } = taken;
  let count = 0;
  const commit = (durable: boolean): void => {
    count += 1;
    const now = epochMs(NOW + count);
    const order = anOrder({ role: 'target', type: 'LMT', limitPrice: fromDollars(50.9), status: 'CANCELLING', updatedAt: now });
    const decision = { symbol: 'ACME', strategy: 'adopted', verdict: 'exit', code: 'STOP', detail: `mark ${count}`, numbers: {} } as const;
    const writes: readonly Write[] = [
      { do: 'write-decision', decision },
      { do: 'write-order', order },
      { do: 'write-position', position: aPosition({ status: 'CLOSING', updatedAt: now }) },
    ];
    const result = commitStep(db, { lease, writes, now, tradeDate: MONDAY, durable });
    if (!result.ok || result.refused.length > 0) throw new Error(`a commit of the bench was refused: ${JSON.stringify(result)}`);
  };
  return { commit, close: () => db.close() };
}

function beating(folder: string): () => void {
  const file = openRandomFile(join(folder, 'bench.heartbeat'), HEARTBEAT_BYTES);
  let counter = 0;
  return () => {
    counter += 1;
    writeHeartbeat(file, {
      counter,
      phase: 'READY',
      pid: 1,
      leaseId: 1,
      bootId: 'boot',
      mono: mono(),
      exchange: NOW,
      brokerAgeMs: 1,
      markAgeMs: 1,
      commitAgeMs: 1,
      backlog: 0,
    });
  };
}

/** Requests answered per second over one socket: decode, route, encode, write. The requests come as fast as the socket takes them. */
async function gatewayRate(requests: number): Promise<number> {
  const market = benchMarket(['ACME']);
  const exchange = createExchange({ source: market, session: sessionOf(BENCH_DATE) });
  const gateway = await startGateway({ exchange, source: market, port: 0, start: '09:31' });
  const socket = connect(gateway.port, '127.0.0.1');
  try {
    const hello = Buffer.from('v100..193');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(hello.length);
    socket.write(Buffer.concat([Buffer.from('API\0'), length, hello]));
    await new Promise(resolve => socket.once('data', resolve));
    socket.write(encodeFrame([71, 2, 5, '']));
    await pause(100); // its greetings are over
    // Only whole answers are counted, by their length: message 49, version 1, ten digits of seconds.
    const answerBytes = encodeFrame([49, 1, Math.floor(exchange.now / 1_000)]).length;
    let bytes = 0;
    const from = mono();
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= answerBytes * requests) resolve();
      });
      const request = encodeFrame([49, 1]);
      socket.write(Buffer.concat(Array.from({ length: requests }, () => request)));
    });
    return requests / ((mono() - from) / 1_000);
  } finally {
    socket.destroy();
    await gateway.close();
  }
}

function resultOf(lines: readonly Line[], perSecond: number): BenchResult {
  const spreads = lines.map(({ key, name, times: all }) => ({ key, name, spread: spreadOf(all) }));
  return {
    name: 'micro',
    title: 'Small numbers (µs)',
    columns: ['what', 'times', 'p50', 'p99'],
    rows: [
      ...spreads.map(({ name, spread }) => [name, String(spread.count), figure(spread.p50), figure(spread.p99)]),
      ['simulated gateway, requests answered per second', '', String(Math.round(perSecond)), ''],
    ],
    notes: [
      'One step’s commit: the lease check, a decision, an order’s and a position’s new state, as when a stop is touched. FULL waits for the disk.',
      'Hot is a loop. After a pause the processor has done other things and every first touch misses its caches: this is how a price meets a quiet desk, and what the wire-to-wire bench is made of.',
      'The gateway: one client, requests and answers of a few bytes, both ends in one process.',
    ],
    data: { unit: 'µs', times: Object.fromEntries(spreads.map(({ key, spread }) => [key, spread])), gatewayPerSecond: perSecond },
  };
}
