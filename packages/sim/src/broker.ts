import type { BrokerPosition, EventBody } from '@holdfast/core/events';
import type { Order } from '@holdfast/core/orders/order';
import type { BrokerListener, BrokerPort, BrokerSend } from '@holdfast/core/ports';
import type { MonoMs } from '@holdfast/core/units';
import { createSimGateway } from './broker-gateway.js';
import type { ExchangePort } from './exchange-types.js';
import type { Line } from './line.js';

/**
 * The broker in the same process: what a client id hears of the simulated exchange, as core's events. It stands where `brokers/ib` stands
 * live and keeps the same rules of who hears what (reference/ibkr-behaviour.md §2): orders and executions are pushed to the client that
 * placed them, positions to all, everything else is answered. Messages wait in order until `deliver` is called.
 *
 * One of these belongs to one process. Those of one world share a gateway (`createSimGateway`), where the faults of the gateway are
 * switched; the faults of this line are switched in `line`.
 */
export interface SimBroker extends BrokerPort {
  /**
   * Hands over what is due. Returns how many messages that were. With the machine's time it also does what the live adapter does by itself:
   * dials again after a loss, and gives up a socket that has been silent for too long.
   */
  deliver(now?: MonoMs): number;
  /** The next moment of machine time at which `deliver` has something to do that is not waiting already; null when nothing is timed. */
  nextDueAt(): MonoMs | null;
  /** The faults between the gateway and this process. */
  readonly line: Line;
  /** The P&L stream's second: marks of the subscribed positions whose price moved. Only where nobody advances the gateway. */
  second(): void;
  /** Cuts the connection; `connect` (or, with time, the adapter by itself) makes a new session. */
  cut(reason: string): void;
  /** While true, nothing of what is sent reaches the exchange (a hang between send and echo). */
  isDeaf: boolean;
  /** While true, sends are refused though the connection seems up: a socket that died and has not said so. */
  isDead: boolean;
  /** While true, nothing that happens is told (callbacks late). */
  isMute: boolean;
  /** A refusal of the broker's for an order that is placed, or null to let it through. */
  refuse: ((order: Order) => { readonly code: number; readonly text: string } | null) | null;
  /** What complete answers leave out, as right after a gateway start. */
  omits: 'open-orders' | 'positions' | null;
  /** Runs when an order or cancel is sent, before it reaches the exchange; false keeps it from getting there. */
  onSend: ((send: BrokerSend) => boolean) | null;
  /** What positions answers and pushes say instead of the truth. */
  distort: ((position: BrokerPosition) => BrokerPosition) | null;
  /** Says something out of turn: a correction, a repeated or late message. */
  inject(body: EventBody): void;
  readonly waiting: number;
  /** Nothing arrives though the connection seems up: half-open, or mute. */
  readonly isSilent: boolean;
}

export interface SimBrokerParts {
  readonly exchange: ExchangePort;
  readonly clientId: number;
  readonly onEvent: BrokerListener;
}

/** A client with a gateway of its own, for stories of one worker. */
export function createSimBroker({ exchange, clientId, onEvent }: SimBrokerParts): SimBroker {
  return createSimGateway({ exchange }).client({ clientId, onEvent });
}
