import { type MonoMs, monoMs } from '@holdfast/core/units';
import type { Timers } from '../pacing.js';

/** Machine time that moves only when a test says so, stopping at every timer that is due. */
export class VirtualTimers implements Timers {
  #now = 1_000;
  #due: { readonly at: number; readonly run: () => void }[] = [];

  readonly mono = (): MonoMs => monoMs(this.#now);

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#due.push(timer);
    return () => {
      this.#due = this.#due.filter(one => one !== timer);
    };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#due.filter(timer => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#due = this.#due.filter(one => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }

  get waiting(): number {
    return this.#due.length;
  }
}
