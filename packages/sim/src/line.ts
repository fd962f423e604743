import type { EventBody } from '@holdfast/core/events';
import type { MonoMs } from '@holdfast/core/units';
import { type FaultKind, happens, type Lane, type LineFaults, noLineFaults, type OnFault } from './broker-faults.js';
import { thousandthsOf } from './broker-translate.js';
import {
  aboutOf,
  CRAZY_FACTORS,
  CRAZY_MS_MAX,
  LANE_OF,
  LATE_KIND,
  REORDER_MS_MAX,
  REPEAT_MS_MAX,
  REPEATS,
  REPEATS_LATE,
} from './line-lanes.js';
import type { Random } from './random.js';

/**
 * The line between what the gateway says and what one process hears. Without faults it is a queue; with them messages come late, twice, in
 * another order or never, within what IB's servers were seen to do (reference/ibkr-behaviour.md §3): a lane keeps its order, and nothing of
 * one connection is heard on the next. Time is machine time, passed in; luck comes from the given source.
 */
export interface Line {
  /** Set a field to switch a fault on; null or false is off. */
  readonly faults: LineFaults;
  /** Every fault off; what is held back comes with the next delivery. */
  calm(): void;
  /** The connection ends after so many more messages handed over, or after so many more sends. */
  cutAfter(count: { readonly heard?: number; readonly sent?: number }): void;
  /**
   * The socket is dead and neither side says so: nothing arrives any more, in either direction. The client gives it up by itself; the gateway
   * keeps the client id occupied for `lingerMs` more.
   */
  breakOff(lingerMs: number): void;
}

interface Held {
  readonly dueAt: number;
  readonly body: EventBody;
}

export interface LineParts {
  readonly clientId: number;
  readonly random: Random;
  readonly onFault: OnFault;
}

/** The queue itself; the client around it owns the connection (`broker-client.ts`). */
export class MessageLine {
  readonly faults: LineFaults = noLineFaults();
  /** What goes out at the next delivery, oldest first. */
  private ready: EventBody[] = [];
  /** By due time, then in the order in which they were said. */
  private held: Held[] = [];
  private readonly laneDueAt = new Map<Lane, number>();
  /** An openOrder that waits for its status to overtake it. */
  private swapped: EventBody | null = null;
  /** Orders of which Cancelled was handed over while something was held back. */
  private readonly cancelled = new Set<number>();
  private readonly frozen = new Map<string, EventBody>();
  /** Whose true mark after a crazy one was lost with the connection: the first of the next connection is true, or two crazy ones would agree. */
  private readonly unrighted = new Set<number>();
  private dropsOrder = false;

  constructor(private readonly parts: LineParts) {}

  /** Ready now, mute or not. */
  get waiting(): number {
    return this.ready.length;
  }

  /** When the next message that is held back is due. */
  nextDueAt(): number | null {
    return this.held[0]?.dueAt ?? null;
  }

  calm(): void {
    Object.assign(this.faults, noLineFaults());
    this.thaw();
    for (const { body } of this.held) this.ready.push(body);
    if (this.swapped !== null) this.ready.push(this.swapped);
    this.swapped = null;
    this.forgetHeld();
  }

  /** Nothing of a connection that is over is ever heard. */
  clear(): void {
    this.lose(this.ready);
    this.lose(this.held.map(({ body }) => body));
    this.ready = [];
    this.swapped = null;
    this.frozen.clear();
    this.forgetHeld();
  }

  /** These were said on a connection that has ended before they were heard. */
  lose(bodies: readonly EventBody[]): void {
    for (const body of bodies) if (body.kind === 'pnl-mark') this.unrighted.add(body.conId);
  }

  /** Past every fault: the connection's own words. */
  push(body: EventBody): void {
    this.ready.push(body);
  }

  /** The gateway says something. */
  say(body: EventBody, now: MonoMs): void {
    const { faults, held } = this;
    const isPlain =
      faults.delay === null &&
      faults.repeat === null &&
      faults.reorder === null &&
      faults.drop === null &&
      faults.crazyMark === null &&
      !faults.frozenMarks &&
      !faults.frozenQuotes;
    if (isPlain && held.length === 0 && this.swapped === null && this.frozen.size === 0) this.ready.push(body);
    else this.sayWithFaults(body, now);
  }

  /** What is to be handed over at `now`, and is then no longer here. */
  take(now: MonoMs): readonly EventBody[] {
    if (this.frozen.size > 0) this.thaw();
    if (this.swapped !== null) this.letSwappedGo(now);
    if (this.held.length === 0) return this.takeReady();
    this.letDueGo(now);
    const batch = this.takeReady();
    if (this.held.length === 0) this.forgetHeld();
    return batch;
  }

  /** What was held back until now goes out before what is said now, and after what was said before it was due: nobody may have taken for a while. */
  private letDueGo(now: number): void {
    let due = 0;
    while ((this.held[due]?.dueAt ?? Number.POSITIVE_INFINITY) <= now) due += 1;
    if (due === 0) return;
    for (const body of this.ready) this.noteCancelled(body);
    for (const { body } of this.held.splice(0, due)) {
      this.noteLateFill(body);
      this.ready.push(body);
    }
  }

  private takeReady(): readonly EventBody[] {
    if (this.ready.length === 0) return NOTHING;
    const batch = this.ready;
    this.ready = [];
    if (this.held.length > 0) for (const body of batch) this.noteCancelled(body);
    return batch;
  }

  private sayWithFaults(body: EventBody, now: MonoMs): void {
    const lane = LANE_OF[body.kind];
    if (lane === undefined) {
      this.ready.push(body);
      return;
    }
    if (this.freezes(body) || this.drops(body)) return;
    const said = this.distorted(body);
    if (this.swaps(said, now)) return;
    const lateBy = Math.max(this.latenessOf(said, lane), this.answerWaitsFor(said, now));
    this.put(said, lane, now + lateBy, now);
    // The true one follows soon: a lone crazy mark must sell nothing (DESIGN §4, "Marks").
    if (said !== body) this.put(body, lane, now + lateBy + this.parts.random.between(1, CRAZY_MS_MAX), now);
    if (this.swapped !== null && said.kind === 'order-status') {
      const overtaken = this.swapped;
      this.swapped = null;
      this.bit('status before open-order', overtaken);
      this.put(overtaken, lane, now + lateBy, now);
    }
    this.repeats(said, lane, now);
  }

  /** Into its lane, never before what the lane holds already. */
  private put(body: EventBody, lane: Lane, wanted: number, now: MonoMs): void {
    const dueAt = Math.max(wanted, this.laneDueAt.get(lane) ?? wanted);
    if (dueAt <= now) {
      this.letDueGo(now);
      this.ready.push(body);
      return;
    }
    this.laneDueAt.set(lane, dueAt);
    const after = this.held.findIndex(other => other.dueAt > dueAt);
    this.held.splice(after < 0 ? this.held.length : after, 0, { dueAt, body });
  }

  /** One socket tells the end of an answer after what it answers: it never overtakes executions that are late. */
  private answerWaitsFor(body: EventBody, now: MonoMs): number {
    return body.kind === 'executions-end' ? Math.max(0, (this.laneDueAt.get('execution') ?? now) - now) : 0;
  }

  private latenessOf(body: EventBody, lane: Lane): number {
    const { random } = this.parts;
    const { delay, reorder } = this.faults;
    let lateBy = 0;
    if (delay?.lanes.includes(lane) && happens(random, delay.odds)) {
      lateBy = random.between(delay.lowMs, delay.highMs);
      if (lateBy > 0) this.bit(LATE_KIND[lane], body);
    }
    if (reorder === null || (body.kind !== 'execution' && body.kind !== 'commission') || !happens(random, reorder)) return lateBy;
    if (lateBy === 0) this.bit(body.kind === 'execution' ? 'execution after status' : 'late commission', body);
    return Math.max(lateBy, random.between(1, REORDER_MS_MAX));
  }

  /** The openOrder of a pair steps aside until its status has been said. */
  private swaps(body: EventBody, now: MonoMs): boolean {
    if (this.swapped !== null && body.kind !== 'order-status') this.letSwappedGo(now);
    if (body.kind !== 'open-order' || !happens(this.parts.random, this.faults.reorder)) return false;
    this.swapped = body;
    return true;
  }

  private letSwappedGo(now: MonoMs): void {
    const body = this.swapped;
    this.swapped = null;
    if (body !== null) this.put(body, 'order', now, now);
  }

  private repeats(body: EventBody, lane: Lane, now: MonoMs): void {
    const { random } = this.parts;
    if (this.faults.repeat === null || !REPEATS.includes(body.kind) || !happens(random, this.faults.repeat)) return;
    const isLate = REPEATS_LATE.includes(body.kind) && random.chance(1, 2);
    this.put(body, lane, isLate ? now + random.between(1, REPEAT_MS_MAX) : now, now);
    this.bit('repeated message', body);
  }

  /** An openOrder and its status come one after the other: what is decided for the first may take the second along. */
  private drops(body: EventBody): boolean {
    const { random } = this.parts;
    if (body.kind === 'open-order') {
      this.dropsOrder = this.faults.drop !== null && happens(random, this.faults.drop);
      return this.dropsOrder && random.chance(1, 2);
    }
    if (body.kind !== 'order-status' || !this.dropsOrder) return false;
    this.dropsOrder = false;
    this.bit('missing status', body);
    return true;
  }

  private distorted(body: EventBody): EventBody {
    const { random } = this.parts;
    if (body.kind !== 'pnl-mark' || this.unrighted.delete(body.conId) || !happens(random, this.faults.crazyMark)) return body;
    this.bit('crazy mark', body);
    return { ...body, price: thousandthsOf(body.price, CRAZY_FACTORS[random.below(CRAZY_FACTORS.length)] ?? 1) };
  }

  private freezes(body: EventBody): boolean {
    const isMark = body.kind === 'pnl-mark' && this.faults.frozenMarks;
    const isQuote = body.kind === 'quote' && this.faults.frozenQuotes;
    if (!isMark && !isQuote) return false;
    this.frozen.set(`${body.kind}/${body.conId}`, body);
    this.bit(isMark ? 'frozen mark' : 'frozen quote', body);
    return true;
  }

  private thaw(): void {
    for (const [key, body] of this.frozen) {
      if (body.kind === 'pnl-mark' ? this.faults.frozenMarks : this.faults.frozenQuotes) continue;
      this.frozen.delete(key);
      this.ready.push(body);
    }
  }

  private noteLateFill(body: EventBody): void {
    if (body.kind === 'execution' && this.cancelled.has(body.execution.orderId)) this.bit('fill after Cancelled', body);
    this.noteCancelled(body);
  }

  private noteCancelled(body: EventBody): void {
    if (isCancelled(body)) this.cancelled.add(body.orderId);
  }

  private forgetHeld(): void {
    this.held = [];
    this.laneDueAt.clear();
    this.cancelled.clear();
    this.dropsOrder = false;
  }

  private bit(kind: FaultKind, body: EventBody): void {
    this.parts.onFault(kind, aboutOf(this.parts.clientId, body));
  }
}

const NOTHING: readonly EventBody[] = [];

const isCancelled = (body: EventBody): body is Extract<EventBody, { kind: 'order-status' }> =>
  body.kind === 'order-status' && body.status === 'Cancelled';
