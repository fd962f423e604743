import type { Send } from './effects.js';
import type { EventBody } from './events.js';
import type { EpochMs, MonoMs } from './units.js';

/** The doors to the world. A port is a handful of functions; the live, the end-to-end and the simulated body each fill them in. */

/** What the broker connection does with our sends; everything it learns comes back through `onEvent`. */
export interface BrokerPort {
  /** Starts connecting under the worker's fixed client id, and goes on trying (at least every 30 s). Never throws. */
  connect(): void;
  /** Cuts the socket and stops trying. */
  close(): void;
  /** Whether a send would go out now: connected with nextValidId and accounts in. */
  readonly isUp: boolean;
  /** Performs one send that concerns the broker. Returns false when it did not go out (not connected). Never queues for a later connection. */
  send(send: BrokerSend): boolean;
  /** Tells the gateway that everything up to its last pushed time has been worked off (paced demo and replay only). */
  acknowledgeTime(): void;
}

export type BrokerSend = Exclude<Send, { do: 'say' } | { do: 'reconnect' }>;

/** What the adapter calls when something arrives. Called from the socket's callback; the engine queues it. Must never throw. */
export type BrokerListener = (body: EventBody | { readonly kind: 'time'; readonly seconds: number }) => void;

/** Reading time and advancing it are different rights; workers can only read. */
export interface Clock {
  /** Machine time, monotonic, never scaled. */
  mono(): MonoMs;
  /** Exchange time as last told by the gateway, carried on by machine time at 1×. Before the first word from a gateway: the machine's wall clock. */
  exchange(): EpochMs;
}
