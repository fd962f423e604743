import { isRegularHours } from '@holdfast/core/calendar';
import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import type { Bar, Instrument, MarketUpdate, Quote } from '../exchange-types.js';
import { matchInstruments, readContract } from './contract-request.js';
import type { Client, Floor } from './floor.js';
import { dollars } from './order-messages.js';
import { LINES_MAX } from './quote-desk.js';
import type { RequestFields } from './request-fields.js';

const BAR_MS = 5_000;
const SHOWS: readonly string[] = ['TRADES', 'MIDPOINT', 'BID', 'ASK'];

interface Subscription {
  readonly instrument: Instrument;
  readonly show: string;
  readonly regularOnly: boolean;
}

interface Building {
  bucket: number;
  open: Micros;
  high: Micros;
  low: Micros;
  close: Micros;
  volume: number;
  /** Sum of price × shares. */
  value: number;
  count: number;
}

/** Five-second bars, one message per bar when it is over, dated by its start. Made from the prints as they happen, not from the source's history. */
export class RealTimeBarDesk {
  readonly #floor: Floor;
  readonly #subscriptions = new Map<Client, Map<number, Subscription>>();
  readonly #building = new Map<number, Building>();
  readonly #finished = new Map<number, Building>();
  #bucket: number;

  constructor(floor: Floor) {
    this.#floor = floor;
    this.#bucket = Math.floor(floor.exchange.now / BAR_MS);
  }

  forget(client: Client): void {
    this.#subscriptions.delete(client);
  }

  linesOf(client: Client): number {
    return this.#subscriptions.get(client)?.size ?? 0;
  }

  heard(update: MarketUpdate): void {
    const { trade, conId, at } = update;
    if (!trade) return;
    const bucket = Math.floor(at / BAR_MS);
    const known = this.#building.get(conId);
    if (known && known.bucket !== bucket) this.#finished.set(conId, known);
    const price = trade.close;
    const bar =
      known?.bucket === bucket
        ? known
        : { bucket, open: trade.open, high: trade.high, low: trade.low, close: price, volume: 0, value: 0, count: 0 };
    bar.high = micros(Math.max(bar.high, trade.high));
    bar.low = micros(Math.min(bar.low, trade.low));
    bar.close = price;
    bar.volume += trade.volume;
    bar.value += price * trade.volume;
    bar.count += 1;
    this.#building.set(conId, bar);
  }

  /** `3 reqId contract… barSize whatToShow useRth options`. */
  subscribe(client: Client, fields: RequestFields, otherLines: number): void {
    fields.skip(1);
    const requestId = fields.integer();
    const [instrument] = matchInstruments(readContract(fields), this.#floor.exchange.instruments);
    fields.skip(1); // bar size: always five seconds
    const show = fields.text().toUpperCase();
    const regularOnly = fields.flag();
    const problem = this.#problem({ instrument, show, requestId, client, otherLines });
    if (problem || !instrument) {
      const [code, text] = problem ?? [200, 'No security definition has been found for the request'];
      client.error(requestId, code, text);
      return;
    }
    const mine = this.#subscriptions.get(client) ?? new Map<number, Subscription>();
    mine.set(requestId, { instrument, show, regularOnly });
    this.#subscriptions.set(client, mine);
  }

  cancel(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    if (!this.#subscriptions.get(client)?.delete(requestId)) client.error(requestId, 300, `Can't find EId with tickerId:${requestId}`);
  }

  /** Called whenever exchange time has moved. */
  tick(now: EpochMs): void {
    const bucket = Math.floor(now / BAR_MS);
    if (bucket === this.#bucket) return;
    const over = this.#bucket;
    this.#bucket = bucket;
    const start = epochMs(over * BAR_MS);
    for (const [client, subscriptions] of this.#subscriptions) {
      for (const [requestId, subscription] of subscriptions) {
        if (subscription.regularOnly && !isRegularHours(start)) continue;
        const bar = this.#barOf(subscription, start);
        if (bar) client.send(barMessage(requestId, bar));
      }
    }
  }

  #problem(asked: {
    readonly instrument: Instrument | undefined;
    readonly show: string;
    readonly requestId: number;
    readonly client: Client;
    readonly otherLines: number;
  }): readonly [code: number, text: string] | undefined {
    const mine = this.#subscriptions.get(asked.client);
    if (!asked.instrument) return [200, 'No security definition has been found for the request'];
    if (!this.#floor.hasLiveData) return [420, 'Invalid Real-time Query: No market data permissions for this instrument.'];
    if (!SHOWS.includes(asked.show)) return [321, `Error validating request.-'cj' : cause - Invalid what to show: ${asked.show}`];
    if (mine?.has(asked.requestId)) return [102, 'Duplicate ticker ID.'];
    if (asked.otherLines + (mine?.size ?? 0) >= LINES_MAX) return [101, 'Max number of tickers has been reached'];
    return undefined;
  }

  /** Without a print the bar is flat at the last price, volume 0; without any price there is none. */
  #barOf({ instrument, show }: Subscription, at: EpochMs): Bar | undefined {
    const quote = this.#floor.exchange.quote(instrument.conId);
    if (show !== 'TRADES') return flatBar(at, shownPrice(quote, show), -1);
    const bucket = at / BAR_MS;
    const built = [this.#finished.get(instrument.conId), this.#building.get(instrument.conId)].find(bar => bar?.bucket === bucket);
    if (!built) return flatBar(at, quote.last, 0);
    const { open, high, low, close, volume, count } = built;
    return { at, open, high, low, close, volume, wap: volume > 0 ? micros(Math.round(built.value / volume)) : close, count };
  }
}

function shownPrice(quote: Quote, show: string): Micros {
  if (show === 'BID') return quote.bid;
  if (show === 'ASK') return quote.ask;
  return quote.bid > 0 && quote.ask > 0 ? micros(Math.round((quote.bid + quote.ask) / 2)) : quote.last;
}

const flatBar = (at: EpochMs, price: Micros, volume: number): Bar | undefined =>
  price > 0 ? { at, open: price, high: price, low: price, close: price, volume, wap: price, count: volume } : undefined;

/** Message 50. */
const barMessage = (requestId: number, bar: Bar): (string | number)[] => [
  50,
  3,
  requestId,
  Math.floor(bar.at / 1000),
  dollars(bar.open),
  dollars(bar.high),
  dollars(bar.low),
  dollars(bar.close),
  bar.volume,
  dollars(bar.wap),
  bar.count,
];
