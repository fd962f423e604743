import type { MonoMs } from '@holdfast/core/units';

/**
 * The broker takes 50 messages a second from one client; above it warns (code 100) and in the end closes the socket
 * (IB docs, "Pacing limitations"). We count ourselves, over a sliding second, with two lanes:
 * orders and cancels go out at once and are held back by the broker's limit alone; everything else stops earlier, which
 * leaves the orders room at any moment, and waits in line. A pacer belongs to one connection and dies with it: nothing
 * that waited is ever sent on the next one.
 */
export const HARD_MESSAGES_PER_SECOND_MAX = 50;
/** Ten messages of every second are kept free for orders and cancels. */
export const ORDINARY_MESSAGES_PER_SECOND_MAX = 40;
const WINDOW_MS = 1000;

/** Machine timers, handed in so that only the live body touches the clock. Returns what cancels the timer. */
export interface Timers {
  after(ms: number, run: () => void): () => void;
}

export interface PacerDeps {
  readonly timers: Timers;
  readonly mono: () => MonoMs;
}

type Message = () => void;

export class Pacer {
  readonly #deps: PacerDeps;
  #sentAt: MonoMs[] = [];
  #urgent: Message[] = [];
  #ordinary: Message[] = [];
  #cancelWake: (() => void) | undefined;
  #closed = false;

  constructor(deps: PacerDeps) {
    this.#deps = deps;
  }

  /** An order or a cancel. */
  urgent(message: Message): void {
    this.#urgent.push(message);
    this.#pump();
  }

  /** Any other request. */
  ordinary(message: Message): void {
    this.#ordinary.push(message);
    this.#pump();
  }

  /** Counts a message that must go out now whatever the line looks like: the watchdog's question. */
  unpaced(message: Message): void {
    if (!this.#closed) this.#sendNow(message);
  }

  /** Messages that wait for room. */
  get waiting(): number {
    return this.#urgent.length + this.#ordinary.length;
  }

  close(): void {
    this.#closed = true;
    this.#urgent = [];
    this.#ordinary = [];
    this.#cancelWake?.();
    this.#cancelWake = undefined;
  }

  #pump(): void {
    if (this.#closed) return;
    this.#drain(this.#urgent, HARD_MESSAGES_PER_SECOND_MAX);
    if (this.#urgent.length === 0) this.#drain(this.#ordinary, ORDINARY_MESSAGES_PER_SECOND_MAX);
    if (this.waiting > 0) this.#wakeWhenThereIsRoom();
  }

  #drain(lane: Message[], perSecondMax: number): void {
    this.#forgetOld();
    while (lane.length > 0 && this.#sentAt.length < perSecondMax) {
      const message = lane.shift();
      if (message) this.#sendNow(message);
    }
  }

  #sendNow(message: Message): void {
    this.#sentAt.push(this.#deps.mono());
    message();
  }

  #forgetOld(): void {
    const since = this.#deps.mono() - WINDOW_MS;
    const firstInWindow = this.#sentAt.findIndex(at => at > since);
    this.#sentAt = firstInWindow < 0 ? [] : this.#sentAt.slice(firstInWindow);
  }

  #wakeWhenThereIsRoom(): void {
    // An urgent message must not sleep on the wake-up that an ordinary one asked for: that one comes later.
    this.#cancelWake?.();
    const perSecondMax = this.#urgent.length > 0 ? HARD_MESSAGES_PER_SECOND_MAX : ORDINARY_MESSAGES_PER_SECOND_MAX;
    const makesRoom = this.#sentAt[this.#sentAt.length - perSecondMax] ?? this.#deps.mono();
    this.#cancelWake = this.#deps.timers.after(Math.max(1, makesRoom + WINDOW_MS - this.#deps.mono()), () => {
      this.#cancelWake = undefined;
      this.#pump();
    });
  }
}
