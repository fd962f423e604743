import type { ExchangePort, Instrument, MarketSource } from '../exchange-types.js';
import type { Field } from './wire.js';

/** A logged-in client as the desks see it. Sending to one whose socket is gone does nothing. */
export interface Client {
  readonly clientId: number;
  /** The agreed server version, 157 to 193. */
  readonly version: number;
  send(fields: readonly Field[]): void;
  /** Message 4. `id` is a request or order id, −1 for a notice to nobody in particular. */
  error(id: number, code: number, text: string): void;
}

/** What every desk of the gateway shares: the exchange, who is connected, and what the account may see. */
export interface Floor {
  readonly exchange: ExchangePort;
  readonly source: Pick<MarketSource, 'name' | 'date' | 'history'>;
  readonly account: string;
  /** Whether the account is subscribed to live market data. */
  readonly hasLiveData: boolean;
  /** The documented broker lets only the placing client cancel an order; one recorded gateway of 2026 allows everybody. */
  readonly cancelsAcrossClients: boolean;
  client(clientId: number): Client | undefined;
  /** Throws for a conId the exchange does not list: only conIds the exchange gave us come here. */
  instrument(conId: number): Instrument;
  /** Calls the exchange, then passes on what that caused. Every change of the exchange goes through here. */
  act<T>(change: () => T): T;
}
