import type { BrokerBar } from '../events.js';
import { type EpochMs, epochMs, micros } from '../units.js';

/**
 * 5-second bars into 30-second or one-minute bars (B7).
 *
 * - A bar closes when its last 5-second part arrives; if parts are missing, when a part of a later period arrives, or when the clock says
 *   that its period is over and the stragglers had their grace.
 * - A missing part is not made up: `parts` says how many there were. A period without any part yields no bar at all; the next bar tells
 *   how many periods before it were empty (`emptyBefore`), so an indicator sees a gap, never an invented flat bar.
 * - A part for a period already closed, or one seen before, changes nothing and is counted as late.
 */
export interface Bar extends BrokerBar {
  readonly periodMs: number;
  /** How many 5-second bars it was made of; fewer than period ÷ 5 s means a gap inside. */
  readonly parts: number;
  /** Whole periods without a bar between the one before and this. Overnight it is large. 0 for the first. */
  readonly emptyBefore: number;
}

/** Plain values, may be stored and read back. */
export interface BarBuilder {
  readonly periodMs: number;
  readonly forming: Bar | null;
  readonly lastPartAt: EpochMs | null;
  /** Start of the last closed bar. */
  readonly lastClosedAt: EpochMs | null;
  readonly lateParts: number;
}

export const PART_MS = 5_000;

/** A builder for bars of `periodMs`, a whole number of 5-second parts. Periods are aligned to the epoch, so also to New York's minutes. */
export function newBarBuilder(periodMs: number): BarBuilder {
  if (periodMs <= 0 || periodMs % PART_MS !== 0) throw new Error(`a bar is a whole number of 5 s parts, got ${periodMs} ms`);
  return { periodMs, forming: null, lastPartAt: null, lastClosedAt: null, lateParts: 0 };
}

export interface BarStep {
  readonly builder: BarBuilder;
  /** Bars that closed, oldest first: at most two (the one left open by a gap, and one made of its only part). */
  readonly closed: readonly Bar[];
}

const periodStart = (at: EpochMs, periodMs: number): EpochMs => epochMs(Math.floor(at / periodMs) * periodMs);
const unchanged = (builder: BarBuilder): BarStep => ({ builder, closed: [] });

function close(builder: BarBuilder): BarStep {
  const { forming } = builder;
  if (!forming) return unchanged(builder);
  return { builder: { ...builder, forming: null, lastClosedAt: forming.at }, closed: [forming] };
}

/** Takes one 5-second bar, stamped with its start. */
export function addPart(builder: BarBuilder, part: BrokerBar): BarStep {
  const { periodMs } = builder;
  const start = periodStart(part.at, periodMs);
  const seen = builder.lastPartAt !== null && part.at <= builder.lastPartAt;
  const isLate = builder.lastClosedAt !== null && start <= builder.lastClosedAt;
  if (seen || isLate) return unchanged({ ...builder, lateParts: builder.lateParts + 1 });

  const before = builder.forming && builder.forming.at < start ? close(builder) : unchanged(builder);
  const forming = before.builder.forming ? join(before.builder.forming, part) : begin(before.builder, part);
  const next: BarBuilder = { ...before.builder, forming, lastPartAt: part.at };
  if (part.at + PART_MS < start + periodMs) return { builder: next, closed: before.closed };
  const ended = close(next);
  return { builder: ended.builder, closed: [...before.closed, ...ended.closed] };
}

/** The clock moved: closes a bar whose period is over. `graceMs` waits for its last part, which arrives a little after its end. */
export function closeBars(builder: BarBuilder, now: EpochMs, graceMs = 1_500): BarStep {
  const isOver = builder.forming !== null && now >= builder.forming.at + builder.periodMs + graceMs;
  return isOver ? close(builder) : unchanged(builder);
}

function begin({ periodMs, lastClosedAt }: BarBuilder, part: BrokerBar): Bar {
  const at = periodStart(part.at, periodMs);
  const emptyBefore = lastClosedAt === null ? 0 : Math.max(0, (at - lastClosedAt) / periodMs - 1);
  return { ...part, at, periodMs, parts: 1, emptyBefore };
}

/** The weighted average price stays exact to the micro-dollar: (wap₁ × volume₁ + wap₂ × volume₂) ÷ total volume. */
function join(bar: Bar, part: BrokerBar): Bar {
  const volume = bar.volume + part.volume;
  const wap = volume > 0 ? micros(Math.round((bar.wap * bar.volume + part.wap * part.volume) / volume)) : part.wap;
  return {
    ...bar,
    high: micros(Math.max(bar.high, part.high)),
    low: micros(Math.min(bar.low, part.low)),
    close: part.close,
    volume,
    wap,
    parts: bar.parts + 1,
  };
}
