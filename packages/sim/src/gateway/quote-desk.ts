import type { EpochMs } from '@holdfast/core/units';
import type { Instrument, Quote } from '../exchange-types.js';
import { matchInstruments, readContract } from './contract-request.js';
import type { Client, Floor } from './floor.js';
import { QuoteHistory } from './quote-history.js';
import type { RequestFields } from './request-fields.js';
import { type DataKind, type TicksTold, tickMessages } from './tick-messages.js';

/** Lines of market data a client may hold; real-time bars count too, scanners do not. */
export const LINES_MAX = 100;
/** Stocks are sampled, about four times a second: what happened in between is not seen. */
const SAMPLE_MS = 250;

interface Line {
  readonly instrument: Instrument;
  readonly kind: DataKind;
  readonly told: TicksTold;
}

/** Top-of-book market data: live for an account that has it, else 15 minutes late or refused, as the client's data type asks (IBKR §5). */
export class QuoteDesk {
  readonly #floor: Floor;
  readonly #lines = new Map<Client, Map<number, Line>>();
  /** 1 live, 2 frozen, 3 delayed, 4 delayed-frozen; applies to later requests. */
  readonly #dataTypes = new Map<Client, number>();
  readonly #history = new QuoteHistory();
  readonly #moved = new Set<number>();
  #sample = 0;

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  forget(client: Client): void {
    this.#lines.delete(client);
    this.#dataTypes.delete(client);
  }

  linesOf(client: Client): number {
    return this.#lines.get(client)?.size ?? 0;
  }

  /** Every quote of the exchange, as it happens. */
  heard(quote: Quote): void {
    this.#moved.add(quote.conId);
    if (!this.#floor.hasLiveData) this.#history.record(quote);
  }

  setDataType(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const type = fields.integer();
    if (type >= 1 && type <= 4) this.#dataTypes.set(client, type);
    else client.error(-1, 321, `Error validating request.-'cm' : cause - Market data type ${type} is not 1 to 4`);
  }

  /** `11 reqId contract… deltaNeutral [3] genericTicks snapshot regulatorySnapshot options`. */
  subscribe(client: Client, fields: RequestFields, otherLines: number): void {
    fields.skip(1);
    const requestId = fields.integer();
    const [instrument] = matchInstruments(readContract(fields), this.#floor.exchange.instruments);
    if (!instrument) {
      client.error(requestId, 200, 'No security definition has been found for the request');
      return;
    }
    if (fields.flag()) fields.skip(3);
    fields.skip(1); // generic ticks: all we have is sent anyway
    const snapshot = fields.flag();
    const lines = this.#linesOf(client);
    if (lines.has(requestId)) {
      client.error(requestId, 102, 'Duplicate ticker ID.');
      return;
    }
    if (lines.size + otherLines >= LINES_MAX) {
      client.error(requestId, 101, 'Max number of tickers has been reached');
      return;
    }
    const kind = this.#kindFor(client, requestId);
    if (kind === undefined) return;
    const line: Line = { instrument, kind, told: new Map() };
    client.send([58, 1, requestId, kind === 'live' ? 1 : 3]);
    client.send([81, requestId, instrument.tick / 1_000_000, '9c0001', kind === 'live' ? 3 : 0]);
    this.#send(client, requestId, line);
    if (snapshot) client.send([57, 1, requestId]);
    else lines.set(requestId, line);
  }

  cancel(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    if (!this.#lines.get(client)?.delete(requestId)) client.error(requestId, 300, `Can't find EId with tickerId:${requestId}`);
  }

  /** Called whenever exchange time has moved. */
  tick(now: EpochMs): void {
    const sample = Math.floor(now / SAMPLE_MS);
    if (sample === this.#sample) return;
    this.#sample = sample;
    for (const [client, lines] of this.#lines) {
      for (const [requestId, line] of lines) {
        if (line.kind === 'delayed' || this.#moved.has(line.instrument.conId)) this.#send(client, requestId, line);
      }
    }
    this.#moved.clear();
  }

  /** What this account gets for the client's data type; says so, and undefined when it gets nothing. */
  #kindFor(client: Client, requestId: number): DataKind | undefined {
    if (this.#floor.hasLiveData) return 'live';
    if ((this.#dataTypes.get(client) ?? 1) >= 3) {
      client.error(requestId, 10167, 'Requested market data is not subscribed. Displaying delayed market data.');
      return 'delayed';
    }
    client.error(requestId, 354, 'Requested market data is not subscribed.Delayed market data is available.');
    return undefined;
  }

  #linesOf(client: Client): Map<number, Line> {
    const lines = this.#lines.get(client) ?? new Map<number, Line>();
    this.#lines.set(client, lines);
    return lines;
  }

  #send(client: Client, requestId: number, line: Line): void {
    const { conId } = line.instrument;
    const { exchange } = this.#floor;
    const quote = line.kind === 'live' ? exchange.quote(conId) : this.#history.delayed(conId, exchange.now);
    if (!quote) return;
    for (const message of tickMessages(requestId, { quote, instrument: line.instrument, kind: line.kind }, line.told)) client.send(message);
  }
}
