/**
 * First in, first out. An array that `shift` has emptied gives its room back and takes it anew for the next event, which costs more than most
 * events do; this one keeps it.
 */
export class EventQueue<T> {
  #events: (T | undefined)[] = [];
  #first = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#first;
  }

  put(event: T): void {
    this.#events[this.#end] = event;
    this.#end += 1;
  }

  /** Before everything that waits. */
  putFirst(event: T): void {
    this.#events = [event, ...this.#events.slice(this.#first, this.#end)];
    this.#first = 0;
    this.#end = this.#events.length;
  }

  /** The oldest, which waits no longer; undefined when nothing does. */
  take(): T | undefined {
    if (this.#first === this.#end) return undefined;
    const event = this.#events[this.#first];
    this.#events[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === this.#end) this.#first = this.#end = 0;
    return event;
  }

  clear(): void {
    this.#events = [];
    this.#first = this.#end = 0;
  }
}
