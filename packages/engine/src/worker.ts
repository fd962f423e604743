import { tradeDateOf } from '@holdfast/core/calendar';
import type { Alert, Effect, Step, Write } from '@holdfast/core/effects';
import type { Event, EventBody } from '@holdfast/core/events';
import type { WorkerName } from '@holdfast/core/orders/order';
import type { BrokerPort } from '@holdfast/core/ports';
import type { SharedView, WorkerPhase } from '@holdfast/core/shared-view';
import { type EpochMs, type MonoMs, monoMs } from '@holdfast/core/units';
import type { Db } from '@holdfast/store/db';
import type { Lease } from '@holdfast/store/leases';
import type { StoreTrouble } from '@holdfast/store/store-file';
import { createBooks } from './books.js';
import type { Unwritten } from './boot.js';
import type { ExchangeClock } from './clock.js';
import type { EmergencyFile } from './emergency-file.js';
import { EventQueue } from './event-queue.js';
import { EXIT_CODE, type ExitCode } from './exit-codes.js';
import type { Recorder } from './journal.js';
import type { Log } from './log.js';
import { createPerformer, type SendPolicy } from './perform.js';
import { createStoreWatch, type GuardPulse } from './store-watch.js';
import { createWireCap, type WireLimits } from './wire-cap.js';

/** The rules of one worker, as core exports them. Pure: everything they know came in an event. */
export interface Brain<S> {
  decide(state: S, event: Event): Step<S>;
  /** READY with nothing unanswered: the only state in which a paced gateway may run fast. */
  isSettled(state: S): boolean;
  phaseOf(state: S): WorkerPhase;
  /** What a successor must know when the store is lost. The exit manager's alone. */
  testament?(state: S, at: EpochMs, mono: MonoMs): readonly Write[];
  /** Told to enter nothing, and not told otherwise since. The day trader's alone. */
  isHalted?(state: S): boolean;
}

export interface Stop {
  readonly code: ExitCode;
  readonly why: string;
  /** The bug, when it was one. */
  readonly error?: unknown;
}

export interface WorkerParts<S> {
  readonly name: WorkerName;
  readonly brain: Brain<S>;
  readonly state: S;
  /** What `state` was made from. */
  readonly view: SharedView;
  readonly db: Db;
  readonly lease: Lease;
  readonly broker: BrokerPort;
  readonly clock: ExchangeClock;
  readonly limits: WireLimits;
  readonly policy: SendPolicy;
  /** The exit manager's alone. Null: this worker does nothing without a commit. */
  readonly emergency: EmergencyFile | null;
  /** See Booted. */
  readonly unwritten?: Unwritten | null;
  readonly log: Log;
  /** What has become of the store's file since it was opened; null while it is where it was. */
  readonly storeTrouble?: () => StoreTrouble | null;
  /** The exit manager's heartbeat as it is now; without it the store's word stands alone. */
  readonly guard?: () => GuardPulse;
  /** True while the file var/run/HALT exists. */
  readonly isHalted?: () => boolean;
  /** What happened before this worker was made and belongs in the store. */
  readonly alerts?: readonly Alert[];
  /** True once a worker that was started for one task has done it: it ends by itself, with code 0. */
  readonly isDone?: (state: S) => boolean;
  /** Hears every step before it is performed: for stories and traces. */
  readonly journal?: (event: Event, effects: readonly Effect[]) => void;
  /** The journal that can be replayed; see journal.ts. */
  readonly recorder?: Recorder;
  /** Called once, when this worker may do nothing more. */
  readonly onStop: (stop: Stop) => void;
}

/** Ages are machine milliseconds; null = never yet. */
export interface WorkerFacts {
  readonly phase: WorkerPhase;
  readonly brokerAgeMs: number | null;
  readonly markAgeMs: number | null;
  readonly commitAgeMs: number | null;
  readonly backlog: number;
  /** See Brain; absent: no. */
  readonly isHalted?: boolean;
}

export interface Worker<S> {
  /** The broker's listener, and the door for any other event. Never throws. */
  take(body: EventBody | { readonly kind: 'time'; readonly seconds: number }): void;
  /** One turn of the loop's own: pause check, tick, foreign commits, time acknowledged. Call it every 20 ms of machine time, at least every second. */
  beat(): void;
  /** Stops deciding and sending, for good. What rests at the broker stays. */
  stop(): void;
  facts(): WorkerFacts;
  readonly state: S;
  readonly stopped: Stop | null;
}

/** A gap between two turns of the loop above this is a pause of the process: reconcile before acting (DESIGN §1). */
export const PAUSE_MS = 2_000;
/** Machine time between two ticks; exchange seconds tick besides. */
const TICK_MS = 100;
/** A worker that may not act without the store gives up after so long, and is started again by the supervisor. */
const HELD_MS_MAX = 10_000;
const HALT_AGAIN_MS = 1_000;
/** Machine time between two looks at the store's file. */
const LOOK_AT_STORE_MS = 250;
const MARK_KINDS: ReadonlySet<string> = new Set(['pnl-mark', 'portfolio-mark', 'quote', 'bar']);
/** Told by our own side of the line: nobody spoke. */
const SILENCE_KINDS: ReadonlySet<string> = new Set(['disconnected', 'connect-failed']);
/** A gateway says these, and the time, of itself: they prove nothing about its own line to the broker, which it may not miss for a while. */
const GATEWAY_KINDS: ReadonlySet<string> = new Set([...SILENCE_KINDS, 'notice']);

/**
 * The loop, without timers: event → decide → one commit → sends → outcomes as new events. Nothing is awaited between taking an event and
 * its commit, so nothing interleaves; a broker callback that arrives while deciding only queues. The body around it (live, end to
 * end, simulated) calls `take` and `beat`.
 */
export function createWorker<S>(parts: WorkerParts<S>): Worker<S> {
  const { name, brain, db, lease, broker, clock, log } = parts;
  const queue = new EventQueue<Event>();
  let state = parts.state;
  let stopped: Stop | null = null;
  let isRunning = false;
  /** The event the rules are at; what is left here was a bug of theirs. */
  let deciding: Event | null = null;
  /** Effects of a step whose commit the store did not take; no event is taken before they are through. */
  let held: { readonly effects: readonly Effect[]; readonly since: MonoMs } | null = null;
  let lastTurn = clock.mono();
  let lastTick: MonoMs | null = null;
  let lastBroker: MonoMs | null = null;
  let heardAt: MonoMs | null = null;
  let lastMark: MonoMs | null = null;
  let timeToAcknowledge = false;

  const cap = createWireCap(parts.limits);
  cap.seed(parts.view);
  const books = createBooks({ db, lease, clock, emergency: parts.emergency, unwritten: parts.unwritten ?? null, log });
  for (const alert of parts.alerts ?? []) books.alert(alert);
  const watch = createStoreWatch({ db, worker: name, clock, log, ...(parts.guard ? { guard: parts.guard } : {}) });
  const perform = createPerformer({
    db,
    lease,
    books,
    broker,
    clock,
    cap,
    policy: parts.policy,
    log,
    cancelsFirst: parts.emergency !== null,
    tell: push,
  });
  const commandsTold = new Set<number>();
  let haltTold: MonoMs | null = null;
  let storeLookedAt: MonoMs | null = null;

  function push(body: EventBody): void {
    queue.put({ at: clock.exchange(), mono: clock.mono(), ...body });
  }

  function end(stop: Stop): void {
    if (stopped) return;
    if (stop.code === EXIT_CODE.clean) books.settle({ isLast: true }); // while the lease is still ours
    stopped = stop;
    queue.clear();
    log(stop.code === EXIT_CODE.clean ? 'info' : 'error', 'worker-stopped', { code: stop.code, why: stop.why });
    broker.close();
    // Whoever is told next ends the process.
    if (deciding) parts.recorder?.bug(deciding, stop.why);
    parts.recorder?.ended(stop.why);
    parts.recorder?.turnEnded(state, { isBeat: false });
    parts.onStop(stop);
  }

  const leaseLost = (detail: string): void => end({ code: EXIT_CODE.leaseLost, why: `the lease is lost: ${detail}` });

  /** Whether this process stood still since the loop last turned. Then that is the first thing anybody decides on. */
  function noticePause(): void {
    const now = clock.mono();
    const ms = Math.round(now - lastTurn);
    lastTurn = now;
    if (ms <= PAUSE_MS) return;
    log('warn', 'paused', { ms });
    queue.putFirst({ at: clock.exchange(), mono: now, kind: 'paused', ms });
  }

  function step(effects: readonly Effect[], since: MonoMs): void {
    const performed = perform(effects);
    if (performed.kind === 'lease-lost') leaseLost(performed.detail);
    if (performed.kind !== 'held') {
      held = null;
      return;
    }
    if (!held) log('error', 'step-held', { code: performed.code, detail: performed.detail });
    held = { effects, since };
    if (clock.mono() - since > HELD_MS_MAX) {
      end({ code: EXIT_CODE.storeUnusable, why: `the store took no commit for ${HELD_MS_MAX} ms: ${performed.detail}` });
    }
  }

  function drain(): void {
    while (!stopped && !held) {
      noticePause();
      const event = queue.take();
      if (!event) return;
      cap.observe(event);
      deciding = event;
      const decided = brain.decide(state, event);
      deciding = null;
      parts.journal?.(event, decided.effects);
      parts.recorder?.step(event, decided.effects);
      state = decided.state;
      if (decided.effects.length > 0) step(decided.effects, clock.mono());
    }
  }

  /** Runs what is queued. Anything thrown in here is a bug: the process ends, and its successor reconciles. */
  function run(work: () => void, { isBeat }: { readonly isBeat: boolean }): void {
    if (stopped || isRunning) return;
    isRunning = true;
    try {
      work();
      drain();
      acknowledge();
      // Not while a step waits for its commit: what ended the task must be on record first.
      if (!stopped && !held && queue.length === 0 && parts.isDone?.(state)) end({ code: EXIT_CODE.clean, why: 'its task is done' });
      if (!stopped) record(isBeat);
    } catch (error) {
      // `take` is called from a socket's callback, which may not see an exception; main ends the process (STYLE §2, "Errors").
      end({ code: EXIT_CODE.bug, why: error instanceof Error ? error.message : String(error), error });
    } finally {
      isRunning = false;
    }
  }

  /** Last of all, when everything of this turn has left. */
  function record(isBeat: boolean): void {
    const alert = parts.recorder?.turnEnded(state, { isBeat });
    if (alert) books.alert(alert);
  }

  function acknowledge(): void {
    if (stopped || !timeToAcknowledge || queue.length > 0 || held || !brain.isSettled(state)) return;
    timeToAcknowledge = false;
    broker.acknowledgeTime();
  }

  function tick(): void {
    lastTick = clock.mono();
    push({ kind: 'tick', ...(heardAt === null ? {} : { heardAt }) });
  }

  /** A command row is one event, however often its row is read: it is executed once, by whom it is addressed to. */
  function hearStore(view: SharedView): void {
    push({ kind: 'store-changed', view });
    for (const command of view.commands) {
      if (commandsTold.has(command.id)) continue;
      commandsTold.add(command.id);
      push({ kind: 'command', command });
    }
  }

  /** Told again every second while the file is there, so that nobody resumes against it. It is no row: id 0 answers nothing. */
  function hearHalt(): void {
    const now = clock.mono();
    if (haltTold !== null && now - haltTold < HALT_AGAIN_MS) return;
    if (!(parts.isHalted?.() ?? false)) return;
    haltTold = now;
    const at = clock.exchange();
    const payload = { source: 'HALT file' };
    push({ kind: 'command', command: { id: 0, target: name, kind: 'halt', payload, tradeDate: tradeDateOf(at), expiresAt: at } });
  }

  function turn(): void {
    noticePause();
    lookAtStore();
    if (stopped) return;
    if (held) step(held.effects, held.since);
    const lost = books.settle();
    if (lost) {
      leaseLost(lost.detail);
      return;
    }
    const view = watch.look();
    if (view) hearStore(view);
    hearHalt();
    if (lastTick === null || clock.mono() - lastTick >= TICK_MS) tick();
  }

  /**
   * A store that is gone or damaged ends the day trader: it does nothing without a commit. The exit manager goes on from memory and leaves its
   * testament, until another store is there: then it ends too, and the next one begins on that, a moment later.
   */
  function lookAtStore(): void {
    const now = clock.mono();
    if (storeLookedAt !== null && now - storeLookedAt < LOOK_AT_STORE_MS) return;
    storeLookedAt = now;
    const damage = books.damage ?? watch.damage;
    const trouble = parts.storeTrouble?.() ?? (damage === null ? null : ({ kind: 'lost', why: damage } as const));
    if (!trouble) {
      // Moved away and back: its content is as it was, and what was kept meanwhile is merged by the next process.
      if (books.isDetached) end({ code: EXIT_CODE.storeLost, why: 'the store is back where it was: begins anew on it' });
      return;
    }
    const why = `the store is ${trouble.kind}: ${trouble.why}`;
    books.detach(why, brain.testament?.(state, clock.exchange(), now) ?? []);
    if (!parts.emergency || trouble.kind === 'replaced') end({ code: EXIT_CODE.storeLost, why });
  }

  return {
    take(body) {
      if (stopped) return;
      if (!SILENCE_KINDS.has(body.kind)) lastBroker = clock.mono();
      if (body.kind === 'time') {
        clock.told(body.seconds);
        timeToAcknowledge = true;
        tick();
      } else {
        if (MARK_KINDS.has(body.kind)) lastMark = lastBroker;
        if (!GATEWAY_KINDS.has(body.kind)) heardAt = lastBroker;
        push(body);
      }
      run(noticePause, { isBeat: false });
    },
    beat() {
      run(turn, { isBeat: true });
    },
    stop: () => end({ code: EXIT_CODE.clean, why: 'asked to stop' }),
    facts() {
      const now = clock.mono();
      const age = (since: MonoMs | null): number | null => (since === null ? null : monoMs(now - since));
      return {
        phase: stopped ? 'STOPPING' : brain.phaseOf(state),
        brokerAgeMs: age(lastBroker),
        markAgeMs: age(lastMark),
        commitAgeMs: age(books.lastCommitAt),
        backlog: books.backlog,
        ...(brain.isHalted?.(state) ? { isHalted: true } : {}),
      };
    },
    get state() {
      return state;
    },
    get stopped() {
      return stopped;
    },
  };
}
