import { isRegularHours } from '@holdfast/core/calendar';
import type { Contract } from '@holdfast/core/contract';
import type { BrokerBar, EventBody } from '@holdfast/core/events';
import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import type { GatewayClient } from './broker-client.js';
import { contractOf, quoteEvent } from './broker-translate.js';
import type { ExchangeEvent, ExchangePort, Instrument, MarketUpdate } from './exchange-types.js';
import { rankInstruments } from './market/ranking.js';

/** Account values and portfolio are told again after so long, and at once when a position changes (reference §4). */
const REFRESH_MS = 180_000;
/** A scan's whole list is told this often. */
const SCAN_MS = 30_000;
const SCAN_ROWS_MAX = 50;
/** A real-time bar is stamped with its last five seconds: so a longer one closes the worker's bar the moment it arrives. */
const STAMP_BEFORE_END_MS = 5_000;

export interface FeedParts {
  readonly exchange: ExchangePort;
  /** Length of the bars told: 5 s as the broker does it, 30 s where a campaign can't afford six messages for one. */
  readonly barMs: number;
  readonly isDelayed: boolean;
  clients(): readonly GatewayClient[];
  tellAccount(client: GatewayClient): void;
  tellPortfolio(client: GatewayClient): void;
}

interface Building {
  open: Micros;
  high: Micros;
  low: Micros;
  close: Micros;
  volume: number;
  /** Sum of price × shares. */
  value: number;
}

/**
 * What flows without being asked again: quotes, bars, P&L marks, account values, scans. The hot path of a simulated day: a tick costs a few
 * look-ups, and an allocation only for a message that somebody subscribed.
 */
export class Feed {
  private instruments: readonly Instrument[] = [];
  private readonly byConId = new Map<number, Instrument>();
  private readonly contracts = new WeakMap<Instrument, Contract>();
  private readonly building = new Map<number, Building>();
  private barEndsAt = 0;
  private secondAt = 0;
  private refreshAt = 0;
  private isAccountStale = false;

  constructor(private readonly parts: FeedParts) {
    this.refreshAt = parts.exchange.now + REFRESH_MS;
    this.barEndsAt = this.boundaryAfter(parts.exchange.now);
  }

  /** A day may bring new previous closes, so what is known of instruments follows the exchange. */
  instrument(conId: number): Instrument {
    const { instruments } = this.parts.exchange;
    if (instruments !== this.instruments) {
      this.instruments = instruments;
      this.byConId.clear();
      for (const instrument of instruments) this.byConId.set(instrument.conId, instrument);
    }
    const known = this.byConId.get(conId);
    if (!known) throw new Error(`the simulated exchange has no instrument ${conId}`);
    return known;
  }

  /** The market moved. Not called while the gateway's line to the broker is down: nothing is told then, nor made up later. */
  hear({ quote, update, at }: Extract<ExchangeEvent, { kind: 'quote' }>): void {
    const { conId } = quote;
    if (at >= this.barEndsAt) this.closeBars(at);
    let told: EventBody | null = null;
    let isBarWanted = false;
    for (const client of this.parts.clients()) {
      const { pnl, moved, quotes, bars } = client.streams;
      if (pnl.size > 0 && pnl.has(conId)) moved.add(conId);
      if (bars.size > 0 && bars.has(conId)) isBarWanted = true;
      if (quotes.size === 0 || !quotes.has(conId)) continue;
      told ??= quoteEvent(quote, this.instrument(conId).previousClose, this.parts.isDelayed);
      client.say(told);
    }
    if (isBarWanted && update.trade) this.build(conId, update.trade);
  }

  /** A holding changed: its value did, and account and portfolio are told at once. */
  positionChanged(conId: number): void {
    this.isAccountStale = true;
    for (const { streams } of this.parts.clients()) {
      if (!streams.pnl.has(conId)) continue;
      streams.pnl.set(conId, micros(0));
      streams.moved.add(conId);
    }
  }

  subscribePnl(client: GatewayClient, conId: number): void {
    if (client.streams.pnl.has(conId)) return;
    client.streams.pnl.set(conId, micros(0));
    client.streams.moved.add(conId);
  }

  subscribeBars(client: GatewayClient, conId: number): void {
    if (!this.parts.isDelayed) {
      client.streams.bars.add(conId);
      return;
    }
    const text = `no real-time bars for ${this.instrument(conId).symbol}: Invalid Real-time Query: No market data permissions`;
    client.say({ kind: 'notice', code: 420, text, severity: 'warning' });
  }

  /** As after `reqMktData`: the line's newest state at once. */
  subscribeQuotes(client: GatewayClient, conId: number): void {
    if (client.streams.quotes.has(conId)) return;
    client.streams.quotes.add(conId);
    const quote = this.parts.exchange.quote(conId);
    if (quote.at > 0) client.say(quoteEvent(quote, this.instrument(conId).previousClose, this.parts.isDelayed));
  }

  subscribeScan(client: GatewayClient, requestId: number, code: string): void {
    client.streams.scan = { requestId, code, nextAt: this.parts.exchange.now };
    this.tellScan(client);
  }

  /** Exchange time has moved: bars that are over, and once a second what changed in it. */
  advance(): void {
    const { now } = this.parts.exchange;
    if (now >= this.barEndsAt) this.closeBars(now);
    if (now < this.secondAt) return;
    this.secondAt = now - (now % 1_000) + 1_000;
    this.second();
  }

  second(): void {
    const { exchange } = this.parts;
    const isRefresh = exchange.now >= this.refreshAt;
    if (isRefresh) this.refreshAt = exchange.now + REFRESH_MS;
    for (const client of this.parts.clients()) {
      const { streams } = client;
      if (streams.moved.size > 0) this.tellMoved(client);
      if (streams.scan !== null && exchange.now >= streams.scan.nextAt) this.tellScan(client);
      if (!streams.account || (!isRefresh && !this.isAccountStale)) continue;
      this.parts.tellAccount(client);
      if (isRefresh) this.parts.tellPortfolio(client);
    }
    this.isAccountStale = false;
  }

  private tellMoved(client: GatewayClient): void {
    const { pnl, moved } = client.streams;
    for (const conId of moved) {
      const { quantity, mark } = this.parts.exchange.position(conId);
      if (quantity === 0 || pnl.get(conId) === mark) continue;
      pnl.set(conId, mark);
      client.say({ kind: 'pnl-mark', conId, quantity, price: mark });
    }
    moved.clear();
  }

  private tellScan(client: GatewayClient): void {
    const { scan } = client.streams;
    if (scan === null) return;
    const { exchange } = this.parts;
    scan.nextAt = epochMs(exchange.now + SCAN_MS);
    const ranked = rankInstruments(scan.code, exchange.instruments, conId => exchange.quote(conId));
    const rows = ranked.slice(0, SCAN_ROWS_MAX).map(({ conId, symbol }, rank) => ({ rank, conId, symbol }));
    client.say({ kind: 'scanner', requestId: scan.requestId, rows });
  }

  // ---- bars ----

  private boundaryAfter(at: number): number {
    return (Math.floor(at / this.parts.barMs) + 1) * this.parts.barMs;
  }

  private build(conId: number, trade: NonNullable<MarketUpdate['trade']>): void {
    const bar = this.building.get(conId);
    if (!bar) {
      const { open, high, low, close, volume } = trade;
      this.building.set(conId, { open, high, low, close, volume, value: close * volume });
      return;
    }
    if (trade.high > bar.high) bar.high = trade.high;
    if (trade.low < bar.low) bar.low = trade.low;
    bar.close = trade.close;
    bar.volume += trade.volume;
    bar.value += trade.close * trade.volume;
  }

  /** The bar that was forming is over; periods in which nothing was asked of us (a night, an outage) are not made up. */
  private closeBars(now: number): void {
    const at = epochMs(this.barEndsAt - STAMP_BEFORE_END_MS);
    const isLate = now >= this.barEndsAt + this.parts.barMs;
    this.barEndsAt = this.boundaryAfter(now);
    const told = new Map<number, EventBody | null>();
    for (const client of this.parts.clients()) {
      for (const conId of client.streams.bars) {
        let body = told.get(conId);
        if (body === undefined) {
          const bar = this.barOf(conId, at, isLate);
          body = bar && { kind: 'bar', conId, bar };
          told.set(conId, body);
        }
        if (body !== null) client.say(body);
      }
    }
    this.building.clear();
  }

  /** Without a print the bar is flat at the last price, volume 0, in regular hours; without any price there is none. */
  private barOf(conId: number, at: EpochMs, isLate: boolean): BrokerBar | null {
    const built = this.building.get(conId);
    if (built) {
      const { open, high, low, close, volume, value } = built;
      return { at, open, high, low, close, volume, wap: volume > 0 ? micros(Math.round(value / volume)) : close };
    }
    const { last } = this.parts.exchange.quote(conId);
    if (isLate || last <= 0 || !isRegularHours(at)) return null;
    return { at, open: last, high: last, low: last, close: last, volume: 0, wap: last };
  }

  /** Made once per instrument: contracts are compared and kept by the thousand. */
  contract(conId: number): Contract {
    const instrument = this.instrument(conId);
    const known = this.contracts.get(instrument);
    if (known) return known;
    const made = contractOf(instrument);
    this.contracts.set(instrument, made);
    return made;
  }
}
