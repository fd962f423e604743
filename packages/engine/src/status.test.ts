import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PositionRow, WorkerPhase } from '@holdfast/core/shared-view';
import { epochMs, fromDollars, fromIsoTime, micros, monoMs, shares, type TradeDate } from '@holdfast/core/units';
import { writeEquity } from '@holdfast/store/daily';
import { type Db, openStore } from '@holdfast/store/db';
import { setKillSwitch } from '@holdfast/store/kill-switch';
import { acquireLease, setPhase } from '@holdfast/store/leases';
import { migrate } from '@holdfast/store/migrate';
import { closeTrade, writePosition } from '@holdfast/store/trades';
import { writeWorkerEvent } from '@holdfast/store/worker-events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Heartbeat } from './heartbeat.js';
import { formatStatus, readStatus, type StatusContext, type StatusWorker } from './status.js';

const NOW = fromIsoTime('2026-03-09T14:30:00.000Z');
const TODAY = '2026-03-09' as TradeDate;
const BOOT = 'this-boot';

let folder: string;
let db: Db;
const beats = new Map<StatusWorker, Heartbeat>();
const gone = new Set<number>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-status-'));
  db = openStore(join(folder, 'holdfast.db'), { busyTimeoutMs: 0, synchronous: 'OFF' });
  migrate(db, NOW);
  beats.clear();
  gone.clear();
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const context: StatusContext = {
  exchange: NOW,
  mono: monoMs(100_000),
  bootId: BOOT,
  stillMsMax: 5_000,
  isGone: ({ pid }) => gone.has(pid),
  heartbeat: worker => beats.get(worker) ?? null,
  isHalted: false,
};

interface Course {
  readonly phase?: WorkerPhase;
  readonly ageMs?: number;
  readonly phaseMs?: number;
}

function runs(worker: StatusWorker, pid: number, { phase = 'READY', ageMs = 100, phaseMs }: Course = {}): void {
  acquireLease(db, { name: worker, pid, processStartedAt: 's', bootId: BOOT, now: NOW }, () => true);
  const ages = { brokerAgeMs: worker === 'supervisor' ? null : 1_500, markAgeMs: null, commitAgeMs: null, backlog: 0 };
  const since = phaseMs === undefined ? {} : { phaseSince: monoMs(100_000 - phaseMs) };
  beats.set(worker, { counter: 1, phase, pid, leaseId: 1, bootId: BOOT, mono: monoMs(100_000 - ageMs), exchange: NOW, ...ages, ...since });
}

function diedAtWork(): void {
  runs('day-trader', 7);
  gone.add(7);
}

function startedAnew(): void {
  runs('day-trader', 7);
  acquireLease(db, { name: 'day-trader', pid: 8, processStartedAt: 's', bootId: BOOT, now: NOW }, () => true);
}

function parked(): void {
  diedAtWork();
  writeWorkerEvent(db, { worker: 'day-trader', event: 'parked', detail: '', at: NOW }, TODAY);
}

const stateOf = (name: StatusWorker): string | undefined => readStatus(db, context).workers.find(worker => worker.name === name)?.state;

it.each<[string, () => void, string]>([
  ['never started', () => undefined, 'OFF'],
  ['at work', () => runs('day-trader', 7), 'READY'],
  ['connecting', () => runs('day-trader', 7, { phase: 'CONNECTING' }), 'CONNECTING'],
  ['alive, silent for 6 s', () => runs('day-trader', 7, { ageMs: 6_000 }), 'HUNG'],
  ['dead, its last heartbeat fresh', diedAtWork, 'DEAD'],
  ['started, no heartbeat of its own yet', startedAnew, 'STARTING'],
  ['parked and gone', parked, 'PARKED'],
])('A3: a day trader %s', (_, arrange, state) => {
  arrange();
  expect(stateOf('day-trader')).toBe(state);
});

it('an exit manager that began while the store took no write is shown by its heartbeat; its predecessor still stands in the lease row', () => {
  runs('exit-manager', 6);
  gone.add(6);
  const beat = beats.get('exit-manager');
  if (!beat) throw new Error('no heartbeat');
  beats.set('exit-manager', { ...beat, pid: 9, processStartedAt: 's9' });
  expect(stateOf('exit-manager')).toBe('READY');
  gone.add(9);
  expect(stateOf('exit-manager')).toBe('DEAD');
});

it('a worker without a connection says why', () => {
  runs('exit-manager', 6, { phase: 'CONNECTING', phaseMs: 12_300 });
  const detail = 'client id is already in use';
  setPhase(db, { name: 'exit-manager', leaseId: 1 }, { phase: 'CONNECTING', detail });
  expect(formatStatus(readStatus(db, context))).toContain(
    'exit-manager  CONNECTING  · pid 6 · heartbeat 100 ms ago · broker not connected since 14:29:47 UTC · client id is already in use',
  );
  runs('exit-manager', 6);
  expect(formatStatus(readStatus(db, context))).not.toContain(detail);
});

it.each<[string, Course, string, string | null]>([
  [
    'a gateway that is gone',
    { phase: 'CONNECTING', phaseMs: 61_000 },
    'broker not connected since 14:28:59 UTC',
    '2026-03-09T14:28:59.000Z',
  ],
  ['an older worker, which does not say since when', { phase: 'CONNECTING' }, 'broker not connected', null],
  ['1100', { phase: 'BROKER-LOST', phaseMs: 1_000 }, 'gateway without the broker since 14:29:59 UTC', '2026-03-09T14:29:59.000Z'],
  ['a broker that answers', { phaseMs: 1_000 }, 'broker 1.5 s ago', null],
])('%s: no age of a last word passes for a connection', (_, course, words, since) => {
  runs('day-trader', 7, course);
  const seen = readStatus(db, context);
  expect(seen.workers.find(({ name }) => name === 'day-trader')?.brokerLostSince).toBe(since);
  expect(formatStatus(seen)).toMatch(new RegExp(`day-trader .* · ${words}$`, 'm'));
});

const POSITION: PositionRow = {
  tradeId: 't1',
  account: 'DU1',
  contract: {
    conId: 1,
    symbol: 'ACME',
    secType: 'STK',
    exchange: 'SMART',
    primaryExchange: 'NASDAQ',
    currency: 'USD',
    tick: micros(10_000),
    multiplier: 1,
  },
  quantity: shares(100),
  entryPrice: fromDollars(50),
  entryAt: NOW,
  agentName: 'standard',
  targetPrice: fromDollars(50.9),
  stopPrice: fromDollars(49.55),
  status: 'OPEN',
  updatedAt: NOW,
  metadata: {
    origin: 'entry',
    base: 0,
    side: 1,
    disasterPrice: fromDollars(49.1),
    generation: 1,
    exit: null,
    failedSells: 0,
    quarantinedAt: null,
    signal: null,
  },
};

function trade(): void {
  const when = { now: NOW, tradeDate: TODAY, replay: false };
  writeEquity(db, { account: 'DU1', netLiquidation: fromDollars(100_000), cash: null, tradeDate: TODAY, now: epochMs(NOW - 3_600_000) });
  writePosition(db, POSITION, when);
  const lost = { ...POSITION, tradeId: 't2', contract: { ...POSITION.contract, conId: 2, symbol: 'LOST' } };
  writePosition(db, lost, when);
  const { account, contract } = lost;
  closeTrade(
    db,
    {
      ...{ tradeId: 't2', account, contract, side: 1, quantity: shares(100), entryPrice: fromDollars(50), exitPrice: fromDollars(49.5) },
      ...{
        entryAt: NOW,
        exitAt: NOW,
        exitReason: 'stop',
        closeDate: TODAY,
        pnl: fromDollars(-50),
        commission: fromDollars(2),
        agentName: 'standard',
      },
    },
    when,
  );
  writeEquity(db, { account: 'DU1', netLiquidation: fromDollars(100_020), cash: null, tradeDate: TODAY, now: NOW });
}

it("A3: workers, active positions, closed today, P&L in dollars and per cent of the day's first equity", () => {
  runs('supervisor', 5);
  runs('exit-manager', 6, { ageMs: 40 });
  writeWorkerEvent(db, { worker: 'exit-manager', event: 'crashed', detail: '', at: NOW }, TODAY);
  trade();
  setKillSwitch(db, { on: true, reason: 'a test', actor: 'test', now: NOW });
  expect(formatStatus(readStatus(db, context))).toBe(
    [
      '── 2026-03-09 14:30:00 UTC · 2026-03-09 · trading · KILL SWITCH ON (a test)',
      '   no entries until a person runs ./holdfast resume; exits and protection go on',
      '   supervisor    RUNNING     · pid 5 · heartbeat 100 ms ago',
      '   exit-manager  READY       · pid 6 · heartbeat 40 ms ago · broker 1.5 s ago · 1 crash today',
      '   day-trader    OFF',
      '   active positions:',
      '     ACME      100 @ $50.00  target $50.90  stop $49.55  OPEN',
      '   closed today: LOST (stop)',
      '   P&L today: −$50.00 (−0.05 % of start-of-day equity) realized on 1 closed, 0 won, 1 lost · account $100020.00, +$20.00 with what is open',
    ].join('\n'),
  );
});

it('A3: the same as one JSON value, dollars as numbers', () => {
  trade();
  expect(JSON.parse(JSON.stringify(readStatus(db, context)))).toMatchObject({
    tradeDate: '2026-03-09',
    positions: [{ symbol: 'ACME', quantity: 100, entryPrice: 50, target: 50.9, stop: 49.55 }],
    closedToday: [{ symbol: 'LOST', exitReason: 'stop' }],
    pnl: { realized: -50, trades: 1, wins: 0, losses: 1, startEquity: 100_000, lastEquity: 100_020 },
  });
});

it('A13: a store that takes no write is seen by what the exit manager keeps aside', () => {
  runs('exit-manager', 6);
  expect(formatStatus(readStatus(db, context))).not.toContain('no write');
  const beat = beats.get('exit-manager');
  if (!beat) throw new Error('no heartbeat');
  beats.set('exit-manager', { ...beat, backlog: 4 });
  expect(formatStatus(readStatus(db, context))).toContain('broker 1.5 s ago · store takes no write (4 kept aside)');
});

it('an empty desk has a status too', () => {
  expect(formatStatus(readStatus(db, context)).split('\n').slice(-3)).toEqual([
    '   active positions: none',
    '   closed today: none',
    '   P&L today: +$0.00 realized on 0 closed, 0 won, 0 lost',
  ]);
});

it('A14: a HALT file is seen, with the kill switch off too', () => {
  const seen = readStatus(db, { ...context, isHalted: true });
  expect(seen).toMatchObject({ halted: true, killSwitch: { on: false } });
  expect(formatStatus(seen).split('\n')[0]).toBe('── 2026-03-09 14:30:00 UTC · 2026-03-09 · trading · HALT FILE PRESENT (no entries)');
  expect(readStatus(db, context).halted).toBe(false);
});

it('A14: a day trader that goes on obeying a HALT file that was removed by hand says so, and what to do', () => {
  runs('day-trader', 7);
  const beat = beats.get('day-trader');
  if (!beat) throw new Error('no heartbeat');
  beats.set('day-trader', { ...beat, isHalted: true });
  const seen = readStatus(db, context);
  expect(seen).toMatchObject({ halted: false, traderHalted: true, killSwitch: { on: false } });
  expect(formatStatus(seen).split('\n').slice(0, 2)).toEqual([
    '── 2026-03-09 14:30:00 UTC · 2026-03-09 · trading · DAY TRADER HALTED (by a HALT file that is gone)',
    '   no entries until a person runs ./holdfast resume; exits and protection go on',
  ]);
  expect(formatStatus({ ...seen, halted: true })).not.toContain('DAY TRADER HALTED');
  gone.add(7);
  expect(readStatus(db, context).traderHalted).toBe(false);
});
