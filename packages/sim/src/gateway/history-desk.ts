import { isRegularHours, sessionAt } from '@holdfast/core/calendar';
import { type EpochMs, epochMs } from '@holdfast/core/units';
import type { Bar, Instrument } from '../exchange-types.js';
import { matchInstruments } from './contract-request.js';
import type { Client, Floor } from './floor.js';
import { DAY_MS, type HistoryRequest, readHistoryRequest, type Span, spanOf } from './history-request.js';
import { dollars } from './order-messages.js';
import { DELAY_MS } from './quote-history.js';
import type { RequestFields } from './request-fields.js';
import type { Field } from './wire.js';
import { wireDate, wireTime } from './wire-time.js';

const UPDATE_MS = 5_000;

interface Kept {
  readonly request: HistoryRequest;
  readonly instrument: Instrument;
  readonly barMs: number;
}

/** Historical bars: one message with all of them, oldest first; with keepUpToDate the current bar again every five seconds. */
export class HistoryDesk {
  readonly #floor: Floor;
  readonly #kept = new Map<Client, Map<number, Kept>>();
  #updates: number;

  constructor(floor: Floor) {
    this.#floor = floor;
    this.#updates = Math.floor(floor.exchange.now / UPDATE_MS);
  }

  forget(client: Client): void {
    this.#kept.delete(client);
  }

  request(client: Client, fields: RequestFields): void {
    const request = readHistoryRequest(fields);
    const { requestId } = request;
    const [instrument] = matchInstruments(request.contract, this.#floor.exchange.instruments);
    if (!instrument) {
      client.error(requestId, 200, 'No security definition has been found for the request');
      return;
    }
    const span = spanOf(request, this.#visibleUntil());
    if (!span.ok) {
      client.error(requestId, span.code, span.detail);
      return;
    }
    const bars = this.#bars(instrument, request, span);
    if (bars.length === 0) {
      const what = `${instrument.symbol}@SMART ${request.show.charAt(0)}${request.show.slice(1).toLowerCase()}`;
      client.error(requestId, 162, `Historical Market Data Service error message:HMDS query returned no data: ${what}`);
      return;
    }
    const rows = bars.flatMap(bar => barFields(bar, request, { barMs: span.barMs, version: client.version }));
    client.send([17, requestId, wireTime(span.from, client.version), wireTime(span.to, client.version), bars.length, ...rows]);
    if (!request.keepUpToDate) return;
    const kept = this.#kept.get(client) ?? new Map<number, Kept>();
    kept.set(requestId, { request, instrument, barMs: span.barMs });
    this.#kept.set(client, kept);
  }

  /** An answered request is unknown by then, which the broker calls 366; one that is kept up to date is confirmed with 162. */
  cancel(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    if (this.#kept.get(client)?.delete(requestId)) {
      client.error(requestId, 162, `Historical Market Data Service error message:API historical data query cancelled: ${requestId}`);
    } else client.error(requestId, 366, `No historical data query found for ticker id:${requestId}`);
  }

  /** Called whenever exchange time has moved. */
  tick(now: EpochMs): void {
    const updates = Math.floor(now / UPDATE_MS);
    if (updates === this.#updates) return;
    this.#updates = updates;
    for (const [client, requests] of this.#kept) {
      for (const { request, instrument, barMs } of requests.values()) {
        const from = epochMs(Math.floor((now - 1) / barMs) * barMs);
        const bar = this.#bars(instrument, request, { ok: true, barMs, from, to: now }).at(-1);
        if (bar) client.send(updateMessage(bar, request, { barMs, version: client.version }));
      }
    }
  }

  /** Without a subscription the last quarter of an hour is not shown. */
  #visibleUntil(): EpochMs {
    const { now } = this.#floor.exchange;
    return this.#floor.hasLiveData ? now : epochMs(now - DELAY_MS);
  }

  #bars(instrument: Instrument, request: HistoryRequest, { barMs, from, to }: Span): readonly Bar[] {
    const bars = this.#floor.source.history(instrument.conId, barMs, from, to).filter(bar => bar.at < to);
    if (barMs >= DAY_MS) return this.#withToday(instrument, bars, to);
    return request.regularOnly ? bars.filter(bar => isRegularHours(bar.at)) : bars;
  }

  /** The current day's bar is made of the exchange's own day so far: a source knows how its day will end. */
  #withToday(instrument: Instrument, bars: readonly Bar[], to: EpochMs): readonly Bar[] {
    const today = sessionAt(this.#floor.exchange.now);
    const before = bars.filter(bar => bar.at < today.preOpen && sessionAt(bar.at).date !== today.date);
    const { open, high, low, last, volume } = this.#floor.exchange.quote(instrument.conId);
    if (to < today.open || open === 0) return before;
    return [...before, { at: today.preOpen, open, high, low, close: last, volume, wap: last, count: 0 }];
  }
}

function barDate(
  bar: Bar,
  { formatDate }: HistoryRequest,
  { barMs, version }: { readonly barMs: number; readonly version: number },
): string {
  if (barMs >= DAY_MS) return wireDate(bar.at);
  return formatDate === 2 ? String(Math.floor(bar.at / 1000)) : wireTime(bar.at, version);
}

/** Volume, average and count belong to trades; other kinds carry −1. */
const tradeFields = (bar: Bar, { show }: HistoryRequest): { volume: Field; wap: Field; count: Field } =>
  show === 'TRADES' || show === 'ADJUSTED_LAST'
    ? { volume: bar.volume, wap: dollars(bar.wap), count: bar.count }
    : { volume: -1, wap: -1, count: -1 };

function barFields(bar: Bar, request: HistoryRequest, form: { readonly barMs: number; readonly version: number }): Field[] {
  const { volume, wap, count } = tradeFields(bar, request);
  return [barDate(bar, request, form), dollars(bar.open), dollars(bar.high), dollars(bar.low), dollars(bar.close), volume, wap, count];
}

/** Message 90: close before high and low. */
function updateMessage(bar: Bar, request: HistoryRequest, form: { readonly barMs: number; readonly version: number }): Field[] {
  const { volume, wap, count } = tradeFields(bar, request);
  const date = barDate(bar, request, form);
  return [90, request.requestId, count, date, dollars(bar.open), dollars(bar.close), dollars(bar.high), dollars(bar.low), wap, volume];
}
