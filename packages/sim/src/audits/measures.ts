import type { Ground } from './ground.js';

/** What the referees measured besides judging, raw, so that runs can be put together. */
export interface Measures {
  /** The longest a position was without protection, machine milliseconds, and why; null when none ever was. */
  readonly longestUnprotected: { readonly ms: number; readonly symbol: string; readonly why: string } | null;
  /** The same while nobody could reach the broker. */
  readonly longestUnprotectedInOutageMs: number;
  /** Every stretch without protection, machine milliseconds. */
  readonly unprotectedMs: readonly number[];
  /** Undisturbed: from the first touch of the stop to a marketable exit (or flat), exchange milliseconds. */
  readonly touchToExitMs: readonly number[];
  /** From an entry's first fill until a stop (in `monitored` a target) works for all of it, exchange milliseconds. */
  readonly fillToArmedMs: readonly number[];
  /** From the end of faults to READY, machine milliseconds. */
  readonly readyMs: { readonly 'exit-manager': readonly number[]; readonly 'day-trader': readonly number[] };
}

export class Measurements {
  private longest: Measures['longestUnprotected'] = null;
  private outageMs = 0;
  private readonly unprotectedMs: number[] = [];
  readonly touchToExitMs: number[] = [];
  readonly fillToArmedMs: number[] = [];
  readonly readyMs: { 'exit-manager': number[]; 'day-trader': number[] } = { 'exit-manager': [], 'day-trader': [] };

  constructor(private readonly ground: Ground) {}

  exposure({ conId, ms, outageMs, why }: { conId: number; ms: number; outageMs: number; why: string }): void {
    if (ms > 0) this.unprotectedMs.push(ms);
    this.outageMs = Math.max(this.outageMs, outageMs);
    if (ms > (this.longest?.ms ?? 0)) this.longest = { ms, symbol: this.ground.rules.symbolOf(conId), why };
  }

  read(): Measures {
    return {
      longestUnprotected: this.longest,
      longestUnprotectedInOutageMs: this.outageMs,
      unprotectedMs: [...this.unprotectedMs],
      touchToExitMs: [...this.touchToExitMs],
      fillToArmedMs: [...this.fillToArmedMs],
      readyMs: { 'exit-manager': [...this.readyMs['exit-manager']], 'day-trader': [...this.readyMs['day-trader']] },
    };
  }
}
