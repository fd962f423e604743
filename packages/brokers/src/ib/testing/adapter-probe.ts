import type { BrokerListener, BrokerPort } from '@holdfast/core/ports';
import { type MonoMs, monoMs } from '@holdfast/core/units';
import { createIbBroker, type IbOptions } from '../ib-broker.js';

type Told = Parameters<BrokerListener>[0];
type ToldOf<K extends Told['kind']> = Extract<Told, { kind: K }>;

/** The adapter as a worker sees it: what it tells, in order, and a way to wait for one of them. */
export class AdapterProbe {
  readonly broker: BrokerPort;
  readonly told: Told[] = [];
  onTime: () => void = () => undefined;
  #listeners: (() => void)[] = [];

  constructor(options: { readonly port: number; readonly clientId: number } & Partial<IbOptions>) {
    this.broker = createIbBroker(
      { host: '127.0.0.1', paced: false, liveData: 1, ...options },
      {
        onEvent: body => this.#hear(body),
        timers: {
          after: (ms, run) => {
            const timer = setTimeout(run, ms);
            return () => clearTimeout(timer);
          },
        },
        mono: () => this.mono(),
      },
    );
  }

  mono(): MonoMs {
    return monoMs(performance.now());
  }

  all<K extends Told['kind']>(kind: K): readonly ToldOf<K>[] {
    return this.told.filter((one): one is ToldOf<K> => one.kind === kind);
  }

  /** The first of this kind that fits, now or within `waitMs`. */
  async next<K extends Told['kind']>(kind: K, fits: (one: ToldOf<K>) => boolean = () => true, waitMs = 3_000): Promise<ToldOf<K>> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const found = this.all(kind).find(fits);
      if (found) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${kind} within ${waitMs} ms; last told:\n${this.#lastTold()}`);
      await this.#change(left);
    }
  }

  /** Waits for something that need not show in what is told. */
  async until(what: string, holds: () => boolean, waitMs = 3_000): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (!holds()) {
      if (performance.now() >= deadline) throw new Error(`never: ${what}; last told:\n${this.#lastTold()}`);
      await this.quiet(5);
    }
  }

  /** Removes and returns a complaint of the adapter that a test expects; what is left over at the end is a failure. */
  takeComplaint(about: string): Told | undefined {
    const at = this.told.findIndex(one => one.kind === 'notice' && one.code === 0 && one.text.includes(about));
    return at < 0 ? undefined : this.told.splice(at, 1)[0];
  }

  quiet(ms: number): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, ms));
  }

  #lastTold(): string {
    return this.told
      .slice(-12)
      .map(one => JSON.stringify(one))
      .join('\n');
  }

  #change(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms);
      this.#listeners.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #hear(body: Told): void {
    this.told.push(body);
    if (body.kind === 'time') this.onTime();
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
