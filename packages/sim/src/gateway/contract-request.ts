import type { Instrument } from '../exchange-types.js';
import type { RequestFields } from './request-fields.js';

/** The contract a client asks about, and which of our instruments it means. */

export interface ContractQuery {
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly exchange: string;
  readonly primaryExchange: string;
  readonly currency: string;
  readonly localSymbol: string;
}

/** conId, symbol, secType, expiry, strike, right, multiplier, exchange, primaryExch, currency, localSymbol, tradingClass: the same in every request. */
export function readContract(fields: RequestFields): ContractQuery {
  const conId = fields.optionalNumber() ?? 0;
  const symbol = fields.text();
  const secType = fields.text().toUpperCase();
  fields.skip(4);
  const exchange = fields.text();
  const primaryExchange = fields.text();
  const currency = fields.text();
  const localSymbol = fields.text();
  fields.skip(1);
  return { conId, symbol, secType, exchange, primaryExchange, currency, localSymbol };
}

const fits = (asked: string, offered: string): boolean => asked === '' || asked.toUpperCase() === offered.toUpperCase();

/** Our instruments that answer the query; a conId alone is enough. `ISLAND` is the old name of NASDAQ and still answers to it. */
export function matchInstruments(query: ContractQuery, instruments: readonly Instrument[]): readonly Instrument[] {
  if (query.secType !== 'STK' && !(query.secType === '' && query.conId > 0)) return [];
  if (!fits(query.currency, 'USD')) return [];
  const named = query.symbol || query.localSymbol;
  if (query.conId === 0 && named === '') return [];
  return instruments.filter(instrument => {
    if (query.conId > 0 && query.conId !== instrument.conId) return false;
    if (named !== '' && !fits(named, instrument.symbol)) return false;
    if (!fits(query.primaryExchange.replace('ISLAND', 'NASDAQ'), instrument.primaryExchange)) return false;
    const venue = query.exchange.replace('ISLAND', 'NASDAQ');
    return fits(venue, 'SMART') || fits(venue, instrument.primaryExchange);
  });
}
