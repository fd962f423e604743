import { CLIENT_ID, type WorkerName } from '@holdfast/core/orders/order';
import { type EpochMs, epochMs, type MonoMs } from '@holdfast/core/units';
import type { DeskFiles } from '@holdfast/engine/desk-files';
import type { ExchangeEvent } from '@holdfast/sim/exchange-types';
import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import type { Machine } from '../machine.js';
import { type Workshop, workerState } from './workshop.js';

/**
 * The two kill −9 of a demo day. Both are given from inside the gateway, at the very event that makes them certain: the day trader dies while an
 * entry order of its is on the way (received by the gateway, held, not yet at the exchange), the exit manager as a position opens.
 */

type Victim = Extract<WorkerName, 'exit-manager' | 'day-trader'>;

export interface Kill {
  readonly worker: Victim;
  readonly pid: number;
  readonly symbol: string;
  /** Exchange time, machine time. */
  readonly at: EpochMs;
  readonly mono: MonoMs;
  readonly situation: string;
  /** Machine milliseconds from the kill; null = not yet, or never. */
  readyMs: number | null;
  /** Until the target of this symbol was working at the exchange, counted from the fill where that came after the kill; 0: it was, all the time. */
  protectedMs: number | null;
  /** The fill that came while the day trader was dead. */
  filledMs: number | null;
}

export interface ChaosOptions {
  readonly machine: Machine;
  readonly files: DeskFiles;
  readonly db: Workshop['db'];
  readonly open: EpochMs;
  readonly close: EpochMs;
  readonly baselineConId: number;
  readonly symbolOf: (conId: number) => string;
  /** Delays orders on their way to the exchange, machine milliseconds. */
  readonly holdOrders: (ms: number) => void;
  readonly say: (line: string) => void;
}

export interface Chaos {
  onExchangeEvent(event: ExchangeEvent, machineAt: MonoMs): void;
  onMessage(message: WireMessage): void;
  /** Looks whether a killed worker is READY again. Call it every few milliseconds while `isWaiting`. */
  look(): void;
  readonly isWaiting: boolean;
  readonly kills: readonly Kill[];
}

/** By the second position and the fourth entry the desk is in its stride. On a thin day any will do from this share of the session on. */
const KILL_GUARD_AT_POSITION = 2;
const KILL_TRADER_AT_ENTRY = 4;
const PATIENCE_OF_SESSION = 0.1;
/** On a thin day nothing may open any more: then the exit manager dies on guard over what is open for so long, exchange time. */
const GUARD_ON_DUTY_MS = 120_000;
/** How long the order in flight is kept from the exchange: long enough that its sender is certainly dead when it fills. */
const HELD_MS = 400;
const PLACE_ORDER = '3';

export function createChaos(options: ChaosOptions): Chaos {
  const { machine, files, db } = options;
  const kills: Kill[] = [];
  const held = new Map<number, number>();
  const openSince = new Map<number, EpochMs>();
  const resting = new Map<number, Set<number>>();
  let opened = 0;
  let sent = 0;
  let isHolding = false;
  let now = epochMs(0);
  const patience = options.open + (options.close - options.open) * PATIENCE_OF_SESSION;
  const has = (worker: Victim): boolean => kills.some(kill => kill.worker === worker);

  function kill(worker: Victim, symbol: string, situation: string): void {
    const beat = machine.heartbeat(files.heartbeat(worker));
    if (!beat || beat.bootId !== machine.bootId || machine.identify(beat.pid) === null) return;
    machine.signal(beat.pid, 'SIGKILL');
    const mono = machine.mono();
    const isProtected =
      worker === 'exit-manager' && [...resting].some(([conId, exits]) => exits.size > 0 && options.symbolOf(conId) === symbol);
    kills.push({
      worker,
      pid: beat.pid,
      symbol,
      at: now,
      mono,
      situation,
      readyMs: null,
      protectedMs: isProtected ? 0 : null,
      filledMs: null,
    });
    options.say(`kill -9 ${worker} (pid ${beat.pid})`);
    options.say(`  ${situation}`);
  }

  function onExecution(event: Extract<ExchangeEvent, { kind: 'execution' }>, machineAt: MonoMs): void {
    const { conId, side, shares, clientId, symbol } = event.execution;
    if (conId === options.baselineConId) return;
    const before = held.get(conId) ?? 0;
    const after = before + (side === 'BUY' ? shares : -shares);
    held.set(conId, after);
    const isEntry = clientId === CLIENT_ID['day-trader'] && side === 'BUY';
    for (const one of kills) if (one.worker === 'day-trader' && isEntry && one.symbol === symbol) one.filledMs ??= machineAt - one.mono;
    if (before === 0 && after > 0) {
      opened += 1;
      openSince.set(conId, now);
    }
    if (after === 0) openSince.delete(conId);
    const isTime = isEntry && before === 0 && (opened >= KILL_GUARD_AT_POSITION || now >= patience);
    if (isTime && !has('exit-manager') && !isRecovering())
      kill('exit-manager', symbol, `its position in ${symbol} (${after} shares) opens with this fill, nothing rests there yet`);
  }

  const isRecovering = (): boolean => kills.some(one => one.readyMs === null);

  function onQuote(conId: number): void {
    const since = openSince.get(conId);
    if (since === undefined || now < patience || now - since < GUARD_ON_DUTY_MS || has('exit-manager') || isRecovering()) return;
    const count = resting.get(conId)?.size ?? 0;
    kill(
      'exit-manager',
      options.symbolOf(conId),
      `it is on guard over ${held.get(conId)} ${options.symbolOf(conId)}, ${count} exits of which rest`,
    );
  }

  function onOrder(event: Extract<ExchangeEvent, { kind: 'order' }>, machineAt: MonoMs): void {
    const { request, status, permId } = event.order;
    if (request.clientId !== CLIENT_ID['exit-manager'] || request.side !== 'SELL') return;
    const isWorking = status === 'Submitted' || status === 'PreSubmitted';
    const working = resting.get(request.conId) ?? new Set<number>();
    resting.set(request.conId, working);
    if (isWorking) working.add(permId);
    else working.delete(permId);
    if (!isWorking || request.type !== 'LMT') return;
    const symbol = options.symbolOf(request.conId);
    for (const one of kills) {
      if (one.symbol !== symbol || one.protectedMs !== null) continue;
      if (one.worker === 'exit-manager') one.protectedMs = machineAt - one.mono;
      else if (one.filledMs !== null) one.protectedMs = machineAt - one.mono - one.filledMs;
    }
  }

  return {
    onExchangeEvent(event, machineAt) {
      now = event.at;
      if (event.kind === 'execution') onExecution(event, machineAt);
      else if (event.kind === 'order') onOrder(event, machineAt);
      else if (event.kind === 'quote' && openSince.size > 0) onQuote(event.quote.conId);
    },
    onMessage({ direction, clientId, fields }) {
      if (direction !== 'in' || clientId !== CLIENT_ID['day-trader'] || String(fields[0]) !== PLACE_ORDER) return;
      sent += 1;
      if (has('day-trader') || (sent < KILL_TRADER_AT_ENTRY && now < patience)) return;
      // One death at a time: entries often leave in a burst, and the exit manager may have died of the one before.
      if (isRecovering()) return;
      const symbol = symbolIn(fields);
      options.holdOrders(HELD_MS);
      isHolding = true;
      kill('day-trader', symbol, `its entry order for ${symbol} has left and not reached the exchange`);
    },
    look() {
      // Only the one order is late: whatever comes after it travels as always.
      if (isHolding) options.holdOrders(0);
      isHolding = false;
      for (const one of kills) {
        if (one.readyMs !== null) continue;
        const back = workerState(machine, { db, files }, one.worker);
        const isBack = back !== null && back.pid !== one.pid && back.isReady;
        if (isBack) one.readyMs = machine.mono() - one.mono;
      }
    },
    get isWaiting() {
      return isHolding || kills.some(one => one.readyMs === null);
    },
    kills,
  };
}

/** placeOrder, text protocol: message id, order id, conId, symbol (EClient of the broker's API). */
const symbolIn = (fields: WireMessage['fields']): string => String(fields[3] ?? '');
