import { type EpochMs, epochMs, type MonoMs } from '@holdfast/core/units';

/** Why exchange time ran at 1× although a faster speed is set. */
export type BrakeReason = 'not connected' | 'behind' | 'in flight';

export interface PaceOptions {
  /** Exchange seconds per machine second. */
  readonly speed: number;
  /** Client ids that must keep up: fast where nothing happens, real where it matters. */
  readonly waitFor: readonly number[];
}

export interface PaceReport {
  readonly speed: number;
  /** Exchange time per machine time so far. */
  readonly effectiveSpeed: number;
  readonly exchangeMs: number;
  readonly machineMs: number;
  /** Machine time spent at 1× although a faster speed is set, by reason. */
  readonly brakedMs: Readonly<Record<BrakeReason, number>>;
  /** Whom it waits for, and the newest exchange second (epoch) each has acknowledged; 0 = none since it connected. */
  readonly followers: readonly { readonly clientId: number; readonly connected: boolean; readonly acknowledged: number }[];
}

interface Follower {
  connected: boolean;
  /** Newest exchange second pushed to it, and newest it has acknowledged. */
  pushed: number;
  acknowledged: number;
}

/**
 * One step may not cover more machine time than this: a loop that could not run, or an exchange slower than the speed asked for, makes
 * exchange time late rather than wild. Time that does run at 1× may catch up more, since a real exchange does not stop either.
 */
const FAST_STEP_MS_MAX = 50;
const REAL_STEP_MS_MAX = 1_000;
/** A follower may be at most this far behind before exchange time slows down. */
const LAG_MS_MAX = 1_000;

/**
 * Decides how far exchange time moves. Pure bookkeeping: the caller tells it machine time, connects, pushes and acknowledgements, and moves
 * the exchange. Exchange time never stops; while a follower is missing or behind, or an order is in flight, it runs at 1×.
 */
export class Pace {
  #speed: number;
  readonly #followers = new Map<number, Follower>();
  #machineAt: MonoMs;
  #remainder = 0;
  #exchangeMs = 0;
  #machineMs = 0;
  readonly #brakedMs: Record<BrakeReason, number> = { 'not connected': 0, behind: 0, 'in flight': 0 };

  constructor(options: PaceOptions, now: MonoMs) {
    this.#speed = options.speed;
    this.#machineAt = now;
    for (const clientId of options.waitFor) this.#followers.set(clientId, { connected: false, pushed: 0, acknowledged: 0 });
  }

  /** Seconds are pushed unless exchange time is plainly the wall's: speed 1 and nobody to wait for. */
  get pushes(): boolean {
    return this.#speed !== 1 || this.#followers.size > 0;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#speed = speed;
  }

  follows(clientId: number): boolean {
    return this.#followers.has(clientId);
  }

  /** Until it acknowledges its first push a client is still starting: it counts as behind. */
  connected(clientId: number): void {
    const follower = this.#followers.get(clientId);
    if (follower) Object.assign(follower, { connected: true, pushed: 0, acknowledged: 0 });
  }

  disconnected(clientId: number): void {
    const follower = this.#followers.get(clientId);
    if (follower) follower.connected = false;
  }

  pushed(clientId: number, second: number): void {
    const follower = this.#followers.get(clientId);
    if (follower) follower.pushed = second;
  }

  /** A reqCurrentTime came. True when it acknowledges an outstanding push and is not to be answered. */
  acknowledge(clientId: number): boolean {
    const follower = this.#followers.get(clientId);
    if (!follower || follower.acknowledged >= follower.pushed) return false;
    follower.acknowledged = follower.pushed;
    return true;
  }

  /** Why time must run at 1× at exchange time `at`, or undefined when it may run at full speed. */
  brake(at: EpochMs, inFlight: number): BrakeReason | undefined {
    if (inFlight > 0) return 'in flight';
    const followers = [...this.#followers.values()];
    if (followers.some(follower => !follower.connected)) return 'not connected';
    return followers.some(follower => at - follower.acknowledged * 1000 > LAG_MS_MAX) ? 'behind' : undefined;
  }

  /**
   * Where exchange time is to go now. In fast time it stops just where the slowest follower would fall behind and goes on at 1× from there, so
   * one late round of the loop can't carry it further.
   */
  target(from: EpochMs, machineNow: MonoMs, inFlight: number): EpochMs {
    const elapsed = Math.max(0, machineNow - this.#machineAt);
    this.#machineAt = machineNow;
    const braked = this.#speed > 1 ? this.brake(from, inFlight) : undefined;
    const rate = braked === undefined ? this.#speed : 1;
    const step = Math.min(elapsed, rate > 1 ? FAST_STEP_MS_MAX : REAL_STEP_MS_MAX);
    let moved = step * rate + this.#remainder;
    if (rate > 1) moved = Math.min(moved, Math.max(this.#room(from), elapsed));
    const whole = Math.floor(moved);
    this.#remainder = moved - whole;
    this.#machineMs += elapsed;
    this.#exchangeMs += whole;
    if (braked !== undefined) this.#brakedMs[braked] += elapsed;
    return epochMs(from + whole);
  }

  report(): PaceReport {
    return {
      speed: this.#speed,
      effectiveSpeed: this.#machineMs > 0 ? this.#exchangeMs / this.#machineMs : 0,
      exchangeMs: this.#exchangeMs,
      machineMs: this.#machineMs,
      brakedMs: { ...this.#brakedMs },
      followers: [...this.#followers].map(([clientId, { connected, acknowledged }]) => ({ clientId, connected, acknowledged })),
    };
  }

  /** How far fast time may go before a follower lags. */
  #room(from: EpochMs): number {
    let limit = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers.values()) limit = Math.min(limit, follower.acknowledged * 1000 + LAG_MS_MAX - from);
    // One millisecond over the limit is what "behind" means.
    return limit + 1;
  }
}
