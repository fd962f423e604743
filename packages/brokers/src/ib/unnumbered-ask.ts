import type { MonoMs } from '@holdfast/core/units';

/** An end marker this late is taken for lost, and the question may be put again. */
const PATIENCE_MS = 3_000;

/**
 * A question whose answer carries no request id (positions, open orders). It is put one at a time, so that an end marker can only belong to the
 * question that is open: asked twice at once, the first answer's end would pass for the second's.
 * Whoever asks while one is open is served by the next, the newest asker only.
 */
export class UnnumberedAsk {
  readonly #put: () => void;
  readonly #mono: () => MonoMs;
  #putAt: MonoMs | undefined;
  #whenEnded: (() => void) | undefined;
  #next: { readonly begin: () => void; readonly end: () => void } | undefined;

  constructor(put: () => void, mono: () => MonoMs) {
    this.#put = put;
    this.#mono = mono;
  }

  /** `begin` runs when the question goes out, `end` when its answer is complete; neither runs if a newer asker takes the place. */
  ask(begin: () => void, end: () => void): void {
    const isOpen = this.#putAt !== undefined && this.#mono() - this.#putAt < PATIENCE_MS;
    if (isOpen) {
      this.#next = { begin, end };
      return;
    }
    this.#next = undefined;
    this.#begin(begin, end);
  }

  /** Puts the question unless one is about to be put anyway; never takes the place of an asker who waits for the end. */
  refresh(): void {
    if (this.#next === undefined) this.ask(nothing, nothing);
  }

  /** The end marker came. One that nobody asked for is none. */
  ended(): void {
    if (this.#putAt === undefined) return;
    const end = this.#whenEnded;
    const next = this.#next;
    this.#putAt = this.#whenEnded = this.#next = undefined;
    end?.();
    if (next) this.#begin(next.begin, next.end);
  }

  #begin(begin: () => void, end: () => void): void {
    this.#putAt = this.#mono();
    this.#whenEnded = end;
    begin();
    this.#put();
  }
}

const nothing = (): void => {};
