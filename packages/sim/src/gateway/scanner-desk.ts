import type { EpochMs } from '@holdfast/core/units';
import type { Instrument } from '../exchange-types.js';
import { type Candidate, percent, RANKINGS } from '../market/ranking.js';
import type { Client, Floor } from './floor.js';
import type { RequestFields } from './request-fields.js';
import type { Field } from './wire.js';

/** The list is sent anew this often. */
const REPEAT_MS = 30_000;
const ROWS_MAX = 50;
const SCANNERS_MAX = 10;

/** Limits by their tag in the filter options. */
const FILTERS: Readonly<Record<string, (candidate: Candidate, limit: number) => boolean>> = {
  priceAbove: ({ quote }, limit) => quote.last >= limit * 1e6,
  priceBelow: ({ quote }, limit) => quote.last <= limit * 1e6,
  volumeAbove: ({ quote }, limit) => quote.volume >= limit,
  changePercAbove: ({ change }, limit) => change >= limit,
  changePercBelow: ({ change }, limit) => change <= limit,
};

interface Scan {
  readonly rows: number;
  readonly rank: (candidate: Candidate) => number | undefined;
  readonly limits: readonly (readonly [tag: string, limit: number])[];
}

/** Scanner subscriptions over our instruments: a full list at once and every 30 seconds. */
export class ScannerDesk {
  readonly #floor: Floor;
  readonly #scans = new Map<Client, Map<number, Scan>>();
  #repeats: number;

  constructor(floor: Floor) {
    this.#floor = floor;
    this.#repeats = Math.floor(floor.exchange.now / REPEAT_MS);
  }

  forget(client: Client): void {
    this.#scans.delete(client);
  }

  /** `reqId rows instrument location scanCode abovePrice belowPrice aboveVolume … filterOptions options` (no version from 143 on). */
  subscribe(client: Client, fields: RequestFields): void {
    const requestId = fields.integer();
    const rows = fields.optionalNumber() ?? ROWS_MAX;
    const instrument = fields.text();
    fields.skip(1);
    const code = fields.text();
    const named: [string, number | undefined][] = [
      ['priceAbove', fields.optionalNumber()],
      ['priceBelow', fields.optionalNumber()],
      ['volumeAbove', fields.optionalNumber()],
    ];
    fields.skip(14); // market capitalisation, ratings, maturity, coupons, option volume, setting pairs, stock type
    const limits = [...named, ...readTags(fields.text())].filter((one): one is [string, number] => one[1] !== undefined);
    const rank = RANKINGS[code];
    const unknown = limits.find(([tag]) => FILTERS[tag] === undefined);
    const mine = this.#scans.get(client) ?? new Map<number, Scan>();
    const problem =
      (instrument !== 'STK' && `instrument ${instrument} has no scanner here`) ||
      (!rank && `scan code ${code} is not known here, there are ${Object.keys(RANKINGS).join(', ')}`) ||
      (unknown && `filter ${unknown[0]} is not known here, there are ${Object.keys(FILTERS).join(', ')}`) ||
      (mine.size >= SCANNERS_MAX && `only ${SCANNERS_MAX} simultaneous API scanner subscriptions are allowed`);
    if (problem || !rank) {
      client.error(requestId, 162, `Historical Market Data Service error message:${problem}`);
      return;
    }
    const scan: Scan = { rows: Math.min(rows > 0 ? rows : ROWS_MAX, ROWS_MAX), rank, limits };
    mine.set(requestId, scan);
    this.#scans.set(client, mine);
    client.send(this.#list(requestId, scan));
  }

  cancel(client: Client, fields: RequestFields): void {
    fields.skip(1);
    const requestId = fields.integer();
    if (!this.#scans.get(client)?.delete(requestId))
      client.error(requestId, 365, `No scanner subscription found for ticker id:${requestId}`);
  }

  sendParameters(client: Client): void {
    const types = Object.keys(RANKINGS).map(code => `<ScanType><displayName>${code}</displayName><scanCode>${code}</scanCode></ScanType>`);
    const instruments = '<InstrumentList><Instrument><name>US Stocks</name><type>STK</type></Instrument></InstrumentList>';
    const body = `<ScanParameterResponse>${instruments}<ScanTypeList>${types.join('')}</ScanTypeList></ScanParameterResponse>`;
    client.send([19, 1, `<?xml version="1.0" encoding="UTF-8"?>\n${body}`]);
  }

  /** Called whenever exchange time has moved. */
  tick(now: EpochMs): void {
    const repeats = Math.floor(now / REPEAT_MS);
    if (repeats === this.#repeats) return;
    this.#repeats = repeats;
    for (const [client, scans] of this.#scans) for (const [requestId, scan] of scans) client.send(this.#list(requestId, scan));
  }

  /** Message 20. */
  #list(requestId: number, { rows, rank, limits }: Scan): Field[] {
    const found = this.#floor.exchange.instruments
      .flatMap(instrument => {
        const quote = this.#floor.exchange.quote(instrument.conId);
        const change = percent(quote.last, instrument.previousClose);
        if (change === undefined) return [];
        const candidate = { instrument, quote, change };
        const score = rank(candidate);
        if (score === undefined || !limits.every(([tag, limit]) => FILTERS[tag]?.(candidate, limit))) return [];
        return [{ instrument, score }];
      })
      .sort((left, right) => right.score - left.score || left.instrument.conId - right.instrument.conId)
      .slice(0, rows);
    return [20, 3, requestId, found.length, ...found.flatMap(({ instrument }, place) => rowFields(place, instrument))];
  }
}

/** rank, contract, market name, trading class, then distance, benchmark, projection and legs, which stay empty. */
const rowFields = (place: number, { conId, symbol }: Instrument): Field[] => [
  place,
  conId,
  symbol,
  'STK',
  '',
  0,
  '',
  'SMART',
  'USD',
  symbol,
  symbol,
  symbol,
  '',
  '',
  '',
  '',
];

/** `priceAbove=5;volumeAbove=1000;` */
const readTags = (text: string): [string, number | undefined][] =>
  text
    .split(';')
    .filter(Boolean)
    .map(pair => {
      const [tag = '', value = ''] = pair.split('=');
      return [tag, value !== '' && Number.isFinite(Number(value)) ? Number(value) : undefined];
    });
