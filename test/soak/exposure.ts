import type { Heartbeat } from '@holdfast/engine/heartbeat';
import { EXIT_CLIENTS } from '@holdfast/sim/audits/violation';
import type { ExchangeEvent } from '@holdfast/sim/exchange-types';

/**
 * How long positions were without protection, in milliseconds of machine time. Watched means: an exit manager is connected and says READY in
 * its heartbeat, and nothing has happened to it since that beat.
 */
export interface Exposure {
  observe(event: ExchangeEvent, machineAt: number): void;
  /** The exit manager was killed or stopped. */
  lost(machineAt: number): void;
  /** Its line at the gateway came or went. */
  line(isConnected: boolean, machineAt: number): void;
  /** Look at the heartbeat as often as you can: a READY one carries its own time. */
  beat(beat: Heartbeat | null, machineAt: number): void;
  /** What has been since the last `restart`, with what is still open. */
  report(machineAt: number): ExposureReport;
  /** Counts from here. */
  restart(): void;
}

export interface ExposureReport {
  /** Longest time a position was held and no READY exit manager watched it. */
  readonly unwatchedMs: number;
  /** … and no stop of ours rested for it either; it had been watched before. */
  readonly nakedMs: number;
  /** The same of a position that opened while nobody watched. */
  readonly newNakedMs: number;
  /** How many such times there were. */
  readonly unwatched: number;
  readonly naked: number;
}

export const NOTHING: ExposureReport = { unwatchedMs: 0, nakedMs: 0, newNakedMs: 0, unwatched: 0, naked: 0 };

interface Held {
  shares: number;
  readonly stops: Set<number>;
  unwatchedSince: number | null;
  nakedSince: number | null;
  /** It opened while nobody watched, and nobody has since. */
  isNew: boolean;
}

export function createExposure(baseline: ReadonlySet<number>): Exposure {
  const held = new Map<number, Held>();
  const told: { -readonly [key in keyof ExposureReport]: number } = { ...NOTHING };
  let isConnected = false;
  let isWatched = false;
  let lostAt = 0;

  const of = (conId: number): Held => {
    const known = held.get(conId) ?? { shares: 0, stops: new Set(), unwatchedSince: null, nakedSince: null, isNew: false };
    held.set(conId, known);
    return known;
  };

  function settle(one: Held, at: number): void {
    const isUnwatched = one.shares > 0 && !isWatched;
    const isNaked = isUnwatched && one.stops.size === 0;
    if (isUnwatched) one.unwatchedSince ??= at;
    else if (one.unwatchedSince !== null) {
      told.unwatched += 1;
      told.unwatchedMs = Math.max(told.unwatchedMs, at - one.unwatchedSince);
      one.unwatchedSince = null;
    }
    if (isNaked) one.nakedSince ??= at;
    else if (one.nakedSince !== null) {
      told.naked += 1;
      const key = one.isNew ? 'newNakedMs' : 'nakedMs';
      told[key] = Math.max(told[key], at - one.nakedSince);
      one.nakedSince = null;
    }
    if (isWatched) one.isNew = false;
  }
  const settleAll = (at: number): void => {
    for (const one of held.values()) settle(one, at);
  };

  function lost(machineAt: number): void {
    isWatched = false;
    lostAt = Math.max(lostAt, machineAt);
    settleAll(machineAt);
  }

  return {
    observe(event, machineAt) {
      if (event.kind === 'execution' && !baseline.has(event.execution.conId)) {
        const { conId, side, shares } = event.execution;
        const one = of(conId);
        if (one.shares === 0) one.isNew = !isWatched;
        one.shares += side === 'BUY' ? shares : -shares;
        settle(one, machineAt);
      } else if (event.kind === 'order' && EXIT_CLIENTS.includes(event.order.request.clientId)) {
        const { request, status, permId } = event.order;
        const one = of(request.conId);
        const isStop = request.side === 'SELL' && (request.type === 'STP' || request.type === 'STP LMT');
        if (isStop && (status === 'Submitted' || status === 'PreSubmitted')) one.stops.add(permId);
        else one.stops.delete(permId);
        settle(one, machineAt);
      }
    },
    lost,
    line(isUp, machineAt) {
      isConnected = isUp;
      lost(machineAt);
    },
    beat(beat, machineAt) {
      if (isWatched || !isConnected || beat?.phase !== 'READY' || beat.mono <= lostAt) return;
      isWatched = true;
      settleAll(Math.min(beat.mono, machineAt));
    },
    report(machineAt) {
      const before = isWatched;
      isWatched = true;
      settleAll(machineAt);
      isWatched = before;
      return { ...told };
    },
    restart() {
      Object.assign(told, NOTHING);
    },
  };
}
