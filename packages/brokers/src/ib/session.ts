import type { BrokerEvent } from '@holdfast/core/events';
import type { BrokerListener } from '@holdfast/core/ports';
import type { MonoMs } from '@holdfast/core/units';
import { IBApi } from '@stoqey/ib/dist/api/api.js';
import { Pacer, type Timers } from './pacing.js';

export interface IbOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
  /** The account the desk is bound to. A gateway that serves another is not connected to. Without it: the gateway's first account. */
  readonly account?: string;
  /** The gateway pushes exchange time and waits for our word (simulated gateway running fast). */
  readonly paced: boolean;
  /** Kind of market data asked for: 1 live, 3 live where subscribed, delayed otherwise. */
  readonly liveData: 1 | 3;
  /** From dialling to nextValidId and accounts; 4 s by default. A gateway that accepts and then says nothing fails here. */
  readonly connectTimeoutMs?: number;
  /** How often the gateway is asked for a sign of life; 2 s by default. */
  readonly watchdogIntervalMs?: number;
  /** Silence after which the socket is taken for dead; 6 s by default. */
  readonly watchdogDeadlineMs?: number;
}

/** What the adapter may not make itself: timers and machine time come from the one file that owns them. */
export interface IbDeps {
  readonly onEvent: BrokerListener;
  readonly timers: Timers;
  readonly mono: () => MonoMs;
}

/** Told through `onEvent`; times come beside the broker's events. */
export type Told = BrokerEvent | { readonly kind: 'time'; readonly seconds: number };

/**
 * Everything that lives and dies with one connection: the library's object (which would carry unsent requests into the next connection if
 * it were used again), the pacing queue, the request table. A new connection is a new Session, so nothing can leak across.
 *
 * One rule of use: listeners are made with `listen`, and say what they learned with `tell`.
 */
export class Session {
  readonly api: IBApi;
  readonly options: IbOptions;
  readonly deps: IbDeps;
  readonly pacer: Pacer;
  /** Our account; empty until the gateway has named its accounts. */
  account = '';
  #open = true;
  #ready = false;
  #early: Told[] = [];
  #whenReady: (() => void)[] = [];
  #gathering = new Set<() => void>();
  #nextRequestId = FIRST_REQUEST_ID;
  readonly #requests = new Map<number, OpenRequest>();

  constructor(options: IbOptions, deps: IbDeps) {
    this.options = options;
    this.deps = deps;
    this.pacer = new Pacer(deps);
    // Everything explicit: what is missing here the library looks up in a .env file and puts into process.env.
    // Its own limiter is first in, first out and would hold an exit behind data requests: set out of reach.
    this.api = new IBApi({ host: options.host, port: options.port, clientId: options.clientId, maxReqPerSec: 1_000_000_000 });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get isReady(): boolean {
    return this.#open && this.#ready;
  }

  /** Runs once requests may be made, before the caller hears of it. */
  onReady(run: () => void): void {
    this.#whenReady.push(run);
  }

  /** From here on requests may be made. Whatever came before is told after `connected`. */
  ready(connected: Told): void {
    this.#ready = true;
    for (const run of this.#whenReady) run();
    this.tell(connected);
    const early = this.#early;
    this.#early = [];
    for (const body of early) this.tell(body);
  }

  /**
   * Guards a listener: an exception would otherwise leave through the library's socket handler, take the rest of the message with it and
   * end the process. It becomes a notice. Once the session is over, nothing is heard any more.
   */
  listen<A extends unknown[]>(what: string, listener: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      if (!this.#open) return;
      try {
        listener(...args);
      } catch (error) {
        this.complain(`the adapter failed on a ${what} message: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
  }

  /** Passes one thing on, in the order of arrival. Before `ready`, notices wait and everything else is dropped: a snapshot will ask. */
  tell(body: Told): void {
    if (!this.#open) return;
    if (!this.#ready) {
      if (body.kind === 'notice' || body.kind === 'connectivity') this.#early.push(body);
      return;
    }
    this.flush();
    this.deps.onEvent(body);
  }

  /** A complaint of the adapter itself. Code 0: not the broker's. */
  complain(text: string): void {
    this.tell({ kind: 'notice', code: 0, text, severity: 'error' });
  }

  /**
   * Holds back what is still being gathered (a quote's ticks, account values) until this socket read is worked off, or until anything else
   * is told: nothing overtakes.
   */
  gather(flush: () => void): void {
    if (this.#gathering.size === 0) queueMicrotask(this.listen('gathered', () => this.flush()));
    this.#gathering.add(flush);
  }

  flush(): void {
    if (this.#gathering.size === 0) return;
    const gathered = this.#gathering;
    this.#gathering = new Set();
    for (const flush of gathered) flush();
  }

  /** A number for one request, and what to do if the broker refuses it or (with a deadline) never answers. */
  request(request: RequestTerms): number {
    const id = this.#nextRequestId;
    this.#nextRequestId += 1;
    const cancelDeadline =
      request.deadlineMs === undefined
        ? undefined
        : this.deps.timers.after(request.deadlineMs, () => {
            this.settle(id);
            this.listen(request.what, () => request.failed(0, `no answer to ${request.what} within ${request.deadlineMs} ms`))();
          });
    this.#requests.set(id, { ...request, cancelDeadline });
    return id;
  }

  /** The request is answered, refused or withdrawn: forget it. */
  settle(id: number): OpenRequest | undefined {
    const request = this.#requests.get(id);
    request?.cancelDeadline?.();
    this.#requests.delete(id);
    return request;
  }

  openRequest(id: number): OpenRequest | undefined {
    return this.#requests.get(id);
  }

  /** Ends the session. Silent: the owner says what happened. */
  end(): void {
    this.flush();
    this.#open = false;
    this.pacer.close();
    for (const id of [...this.#requests.keys()]) this.settle(id);
    this.api.disconnect();
  }
}

/** Request ids lie far above any order id: messages carry either in the same field. */
export const FIRST_REQUEST_ID = 900_000_000;
export const isRequestId = (id: number): boolean => id >= FIRST_REQUEST_ID;

interface RequestTerms {
  readonly what: string;
  readonly failed: (code: number, text: string) => void;
  readonly deadlineMs?: number;
}
interface OpenRequest extends RequestTerms {
  readonly cancelDeadline: (() => void) | undefined;
}
