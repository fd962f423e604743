import type { Handle, SpareHandles } from '@holdfast/store/handle';

/**
 * Connections of processes that ended, for the next ones: opening the file and preparing every query anew is what a simulated start mostly
 * costs. None outlives anything done to the file: it would still hold the old one, or remember what stood in it.
 */
export class SpareConnections implements SpareHandles {
  readonly #path: string;
  readonly #isWell: () => boolean;
  readonly #spare: Handle[] = [];
  /** Opened since something was last done to the file. */
  #current = new WeakSet<Handle>();

  /** `isWell`: nothing was done to the file that nobody has put right; until then another may take its place at any moment. */
  constructor(path: string, isWell: () => boolean) {
    this.#path = path;
    this.#isWell = isWell;
  }

  open(path: string, make: () => Handle): Handle {
    const handle = (path === this.#path ? this.#spare.pop() : undefined) ?? make();
    if (path === this.#path) this.#current.add(handle);
    return handle;
  }

  keep(handle: Handle): boolean {
    if (!this.#isWell() || !this.#current.has(handle)) return false;
    this.#spare.push(handle);
    return true;
  }

  drop(): void {
    this.#current = new WeakSet();
    for (const { sqlite } of this.#spare.splice(0)) sqlite.close();
  }
}
