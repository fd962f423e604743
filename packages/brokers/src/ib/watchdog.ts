import type { MonoMs } from '@holdfast/core/units';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import type { Session } from './session.js';

const INTERVAL_MS_DEFAULT = 2_000;
const DEADLINE_MS_DEFAULT = 6_000;
/** A beat later than this means that our own process stood still: the silence may be ours, so the count starts afresh. */
const OWN_PAUSE_MS_MAX = 1_000;

/**
 * Notices a half-open socket: the peer is silent and writes still succeed, so only an answer proves life (IBKR §7). Any inbound message counts
 * as one. All in machine time.
 *
 * A paced gateway takes reqCurrentTime for "I have worked everything off", which is the engine's to say, so there the question is another one
 * that any gateway answers at once (managed accounts), asked only when nothing else came.
 */
export class Watchdog {
  readonly #session: Session;
  readonly #dead: (silentMs: number) => void;
  readonly #intervalMs: number;
  readonly #deadlineMs: number;
  #heardAt: MonoMs;
  #beatAt: MonoMs;
  #cancel: (() => void) | undefined;

  constructor(session: Session, dead: (silentMs: number) => void) {
    this.#session = session;
    this.#dead = dead;
    this.#intervalMs = session.options.watchdogIntervalMs ?? INTERVAL_MS_DEFAULT;
    this.#deadlineMs = session.options.watchdogDeadlineMs ?? DEADLINE_MS_DEFAULT;
    this.#heardAt = this.#beatAt = session.deps.mono();
    session.api.on(EventName.received, () => {
      this.#heardAt = session.deps.mono();
    });
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    this.#cancel = this.#session.deps.timers.after(this.#intervalMs, () => this.#beat());
  }

  #beat(): void {
    const now = this.#session.deps.mono();
    if (now - this.#beatAt > this.#intervalMs + OWN_PAUSE_MS_MAX) this.#heardAt = now;
    this.#beatAt = now;
    const silentMs = now - this.#heardAt;
    if (silentMs >= this.#deadlineMs) {
      this.#dead(silentMs);
    } else {
      this.#ask(silentMs);
      this.#schedule();
    }
  }

  #ask(silentMs: number): void {
    const { api, pacer, options } = this.#session;
    if (!options.paced) pacer.unpaced(() => api.reqCurrentTime());
    else if (silentMs >= this.#intervalMs) pacer.unpaced(() => api.reqManagedAccts());
  }
}
