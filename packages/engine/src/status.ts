import { phaseAt, tradeDateOf } from '@holdfast/core/calendar';
import type { PositionStatus, WorkerPhase } from '@holdfast/core/shared-view';
import { type EpochMs, epochMs, isoTime, type Micros, type MonoMs, micros, toCents, toDollars } from '@holdfast/core/units';
import { readBlocks } from '@holdfast/store/blocks';
import { readDailyPnl } from '@holdfast/store/daily';
import type { Db } from '@holdfast/store/db';
import { readKillSwitch } from '@holdfast/store/kill-switch';
import { type LeaseHolder, readLease } from '@holdfast/store/leases';
import { readPositions } from '@holdfast/store/positions';
import { isParked, readWorkerEvents } from '@holdfast/store/worker-events';
import { type Heartbeat, holderOf } from './heartbeat.js';

/** Requirement A3: the desk at a glance, for the console, `holdfast status` and whoever asks with --json. A projection, never a second truth. */
export interface DeskStatus {
  /** Exchange time, ISO. */
  readonly at: string;
  readonly tradeDate: string;
  /** Part of the trading day (requirement A12). */
  readonly phase: string;
  readonly workers: readonly WorkerLine[];
  readonly positions: readonly PositionLine[];
  readonly closedToday: readonly { readonly symbol: string; readonly exitReason: string }[];
  /** Dollars; per cent of the equity the day began with, null while that is unknown. */
  readonly pnl: PnlLine;
  readonly killSwitch: { readonly on: boolean; readonly reason: string | null };
  /** The file var/run/HALT exists: workers buy nothing, whatever the kill switch says. */
  readonly halted: boolean;
  /** The day trader obeys a HALT, also one whose file is gone by now: only `resume`, or its restart, ends that. */
  readonly traderHalted: boolean;
}

export interface WorkerLine {
  readonly name: StatusWorker;
  /** `READY` and the other phases; `HUNG`: alive without a moving heartbeat; `DEAD`: its process is gone; `PARKED`; `OFF`. */
  readonly state: WorkerPhase | 'RUNNING' | 'HUNG' | 'DEAD' | 'PARKED' | 'OFF';
  readonly pid: number | null;
  /** Milliseconds of machine time; null = none yet. */
  readonly heartbeatAgeMs: number | null;
  readonly brokerAgeMs: number | null;
  /** Exchange time since when there is no connection, ISO; null while there is one, or nothing is known. */
  readonly brokerLostSince: string | null;
  /** Steps kept in the emergency file until the store takes a write again; null while nothing is known. */
  readonly backlog: number | null;
  readonly crashesToday: number;
  /** Why there is no connection, as the worker wrote it last; null while there is one, or nothing is known. */
  readonly because: string | null;
}

export interface PositionLine {
  readonly symbol: string;
  readonly status: PositionStatus;
  readonly quantity: number;
  readonly entryPrice: number | null;
  readonly target: number | null;
  readonly stop: number | null;
  readonly agent: string;
}

export interface PnlLine {
  readonly realized: number;
  readonly realizedPct: number | null;
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly startEquity: number | null;
  readonly lastEquity: number | null;
}

export type StatusWorker = 'supervisor' | 'exit-manager' | 'day-trader';

/** What the store alone cannot tell. */
export interface StatusContext {
  readonly exchange: EpochMs;
  readonly mono: MonoMs;
  readonly bootId: string;
  readonly stillMsMax: number;
  readonly isGone: (holder: LeaseHolder) => boolean;
  readonly heartbeat: (worker: StatusWorker) => Heartbeat | null;
  readonly isHalted: boolean;
}

/** Reads everything anew. Throws SQLite's error when the store cannot be read: wrap it in `attempt`. */
export function readStatus(db: Db, context: StatusContext): DeskStatus {
  const tradeDate = tradeDateOf(context.exchange);
  const names: readonly StatusWorker[] = ['supervisor', 'exit-manager', 'day-trader'];
  return {
    at: isoTime(context.exchange),
    tradeDate,
    phase: phaseAt(context.exchange),
    workers: names.map(name => workerLine(db, name, context)),
    positions: readPositions(db).map(({ contract, status, quantity, entryPrice, targetPrice, stopPrice, agentName }) => ({
      symbol: contract.symbol,
      status,
      quantity,
      entryPrice: dollarsOrNull(entryPrice),
      target: dollarsOrNull(targetPrice),
      stop: dollarsOrNull(stopPrice),
      agent: agentName,
    })),
    closedToday: readBlocks(db, tradeDate).map(({ symbol, exitReason }) => ({ symbol, exitReason })),
    pnl: pnlLine(readDailyPnl(db, tradeDate)),
    killSwitch: readKillSwitch(db),
    halted: context.isHalted,
    traderHalted: isTraderHalted(db, context),
  };
}

/** By its own word, as long as it lives: whoever starts after it has heard of no HALT but the file that is there. */
function isTraderHalted(db: Db, context: StatusContext): boolean {
  const beat = context.heartbeat('day-trader');
  if (beat?.isHalted !== true || beat.bootId !== context.bootId) return false;
  const holder = readLease(db, 'day-trader')?.holder ?? null;
  return holder !== null && holder.pid === beat.pid && !context.isGone(holder);
}

function workerLine(db: Db, name: StatusWorker, context: StatusContext): WorkerLine {
  const lease = readLease(db, name);
  const beat = context.heartbeat(name);
  const holder = holderOfLine(lease?.holder ?? null, holderOf(beat), context);
  const isItsBeat = beat !== null && beat.bootId === context.bootId && beat.pid === holder?.pid;
  const heartbeatAgeMs = isItsBeat ? Math.max(0, Math.round(context.mono - beat.mono)) : null;
  const crashesToday = readWorkerEvents(db, tradeDateOf(context.exchange)).filter(
    row => row.worker === name && row.event === 'crashed',
  ).length;
  const facts = {
    name,
    pid: holder?.pid ?? null,
    heartbeatAgeMs,
    brokerAgeMs: isItsBeat ? beat.brokerAgeMs : null,
    brokerLostSince: null,
    backlog: isItsBeat ? beat.backlog : null,
    crashesToday,
    because: null,
  };
  if (holder === null || context.isGone(holder))
    return { ...facts, state: isParked(db, name) ? 'PARKED' : holder === null ? 'OFF' : 'DEAD' };
  if (!isItsBeat) return { ...facts, state: 'STARTING' };
  if (heartbeatAgeMs !== null && heartbeatAgeMs > context.stillMsMax) return { ...facts, state: 'HUNG' };
  if (name === 'supervisor') return { ...facts, state: 'RUNNING' };
  if (!OFFLINE.has(beat.phase)) return { ...facts, state: beat.phase };
  const { phaseSince } = beat;
  const brokerLostSince = phaseSince === undefined ? null : isoTime(epochMs(Math.round(context.exchange - (context.mono - phaseSince))));
  const isTold = lease?.phase === beat.phase && lease.detail !== '';
  return { ...facts, state: beat.phase, brokerLostSince, because: isTold ? lease.detail : null };
}

/** The gateway cannot be reached, or cannot reach the broker. */
const OFFLINE: ReadonlySet<string> = new Set(['CONNECTING', 'BROKER-LOST']);

/** One that had to begin without a write to the store stands in no lease row yet; its heartbeat tells who it is. */
function holderOfLine(onRecord: LeaseHolder | null, beating: LeaseHolder | null, { isGone }: StatusContext): LeaseHolder | null {
  if (onRecord !== null && !isGone(onRecord)) return onRecord;
  return beating !== null && !isGone(beating) ? beating : onRecord;
}

const dollarsOrNull = (amount: Micros | null): number | null => (amount === null ? null : toDollars(amount));

function pnlLine(accounts: ReturnType<typeof readDailyPnl>): PnlLine {
  const sum = (pick: (day: (typeof accounts)[number]) => number): number => accounts.reduce((total, day) => total + pick(day), 0);
  const realized = micros(sum(day => day.realizedPnl));
  const known = accounts.length > 0 && accounts.every(day => day.startEquity !== null);
  const startEquity = known ? micros(sum(day => day.startEquity ?? 0)) : null;
  const lastEquity = known ? micros(sum(day => day.lastEquity ?? 0)) : null;
  return {
    realized: toCents(realized),
    realizedPct: startEquity === null || startEquity === 0 ? null : (realized / startEquity) * 100,
    trades: sum(day => day.trades),
    wins: sum(day => day.wins),
    losses: sum(day => day.losses),
    startEquity: startEquity === null ? null : toCents(startEquity),
    lastEquity: lastEquity === null ? null : toCents(lastEquity),
  };
}

// ---- for people ----

const RESUME = '   no entries until a person runs ./holdfast resume; exits and protection go on';

/** The block on the console; every line stands alone, so that a log keeps its sense. */
export function formatStatus(status: DeskStatus): string {
  const { on, reason } = status.killSwitch;
  const locks = [
    ...(on ? [`KILL SWITCH ON (${reason ?? 'no reason given'})`] : []),
    ...(status.halted ? ['HALT FILE PRESENT (no entries)'] : []),
    ...(status.traderHalted && !status.halted ? ['DAY TRADER HALTED (by a HALT file that is gone)'] : []),
  ];
  const lines = [
    [`── ${status.at.slice(0, 19).replace('T', ' ')} UTC`, status.tradeDate, status.phase, ...locks].join(' · '),
    ...(locks.length === 0 ? [] : [RESUME]),
    ...status.workers.map(formatWorker),
    `   active positions: ${status.positions.length === 0 ? 'none' : ''}`,
    ...status.positions.map(formatPosition),
    `   closed today: ${status.closedToday.map(({ symbol, exitReason }) => `${symbol} (${exitReason})`).join(', ') || 'none'}`,
    `   ${formatPnl(status.pnl)}`,
  ];
  return lines.map(line => line.trimEnd()).join('\n');
}

function formatWorker(line: WorkerLine): string {
  const { name, state, pid, heartbeatAgeMs, crashesToday, because } = line;
  const parts = [
    state.padEnd(11),
    pid === null || state === 'OFF' ? '' : `pid ${pid}`,
    heartbeatAgeMs === null ? '' : `heartbeat ${heartbeatAgeMs} ms ago`,
    formatBroker(line),
    line.backlog === null || line.backlog === 0 ? '' : `store takes no write (${line.backlog} kept aside)`,
    crashesToday === 0 ? '' : `${crashesToday} ${crashesToday === 1 ? 'crash' : 'crashes'} today`,
    because ?? '',
  ];
  return `   ${name.padEnd(13)} ${parts.filter(part => part !== '').join(' · ')}`;
}

/** The age of its last word says nothing while nobody is there: then it is the moment that counts. */
function formatBroker({ state, brokerAgeMs, brokerLostSince }: WorkerLine): string {
  if (OFFLINE.has(state)) {
    const since = brokerLostSince === null ? '' : ` since ${brokerLostSince.slice(11, 19)} UTC`;
    return state === 'CONNECTING' ? `broker not connected${since}` : `gateway without the broker${since}`;
  }
  return brokerAgeMs === null ? '' : `broker ${(brokerAgeMs / 1000).toFixed(1)} s ago`;
}

function formatPosition({ symbol, status, quantity, entryPrice, target, stop }: PositionLine): string {
  const price = (value: number | null): string => (value === null ? '-' : `$${value.toFixed(2)}`);
  return `     ${symbol.padEnd(6)} ${String(quantity).padStart(6)} @ ${price(entryPrice)}  target ${price(target)}  stop ${price(stop)}  ${status}`;
}

function formatPnl({ realized, realizedPct, trades, wins, losses, startEquity, lastEquity }: PnlLine): string {
  const percent = realizedPct === null ? '' : ` (${signed(realizedPct, 2)} % of start-of-day equity)`;
  const account =
    startEquity === null || lastEquity === null
      ? ''
      : ` · account ${dollars(lastEquity)}, ${signedDollars(lastEquity - startEquity)} with what is open`;
  return `P&L today: ${signedDollars(realized)}${percent} realized on ${trades} closed, ${wins} won, ${losses} lost${account}`;
}

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;
const signed = (value: number, digits: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
const signedDollars = (amount: number): string => `${amount < 0 ? '−' : '+'}$${Math.abs(amount).toFixed(2)}`;
