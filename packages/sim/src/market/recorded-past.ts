import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { atTime } from '@holdfast/core/calendar';
import { fromDollars, type Micros, micros, type TradeDate } from '@holdfast/core/units';
import type { Bar } from '../exchange-types.js';
import { readDataFile } from './csv-columns.js';

/** Daily bars of a symbol from the year files, of the year of `date` and the one before, older than `date`, oldest first. */
export function readDailyBars(equity: string, symbol: string, date: TradeDate): readonly Bar[] {
  const year = Number(date.slice(0, 4));
  return [year - 1, year]
    .flatMap(of => readYear(join(equity, '1d', `${symbol}.${of}.csv.gz`)))
    .filter(row => row.date < date)
    .map(row => row.bar);
}

function readYear(path: string): readonly { readonly date: TradeDate; readonly bar: Bar }[] {
  return readRows(path).flatMap(row => {
    const [open, high, low, close] = ['open', 'high', 'low', 'close'].map(name => dollars(row[name]));
    const date = dateOf(row.date);
    if (!date || !open || !high || !low || !close) return [];
    const volume = Math.round(Number(row.volume ?? 0)) || 0;
    const wap = micros(Math.round((high + low + close) / 3));
    return [{ date, bar: { at: atTime(date, '00:00'), open, high, low, close, volume, wap, count: 0 } }];
  });
}

export interface Close {
  readonly price: Micros;
  readonly exchange: string;
}

/** The newest close of each symbol before `date`, from `market/closes_<year>.csv.gz`; empty where the file is not. */
export function readCloses(market: string, date: TradeDate): ReadonlyMap<string, Close> {
  const newest = new Map<string, Close & { readonly date: string }>();
  for (const row of readRows(join(market, `closes_${date.slice(0, 4)}.csv.gz`))) {
    const price = dollars(row.close);
    const on = dateOf(row.date);
    const symbol = row.symbol;
    if (!symbol || !price || !on || on >= date || (newest.get(symbol)?.date ?? '') > on) continue;
    newest.set(symbol, { price, exchange: (row.exchange ?? '').toUpperCase(), date: on });
  }
  return newest;
}

/** Rows by header name; none when the file is absent or unreadable: the past is a comfort, the simulated day runs without it. */
function readRows(path: string): readonly Readonly<Record<string, string>>[] {
  if (!existsSync(path)) return [];
  const file = readDataFile(path);
  if (!file.ok) return [];
  const [header = '', ...lines] = file.bytes.toString('latin1').trim().split('\n');
  const names = header.split(',');
  return lines.map(line => {
    const fields = line.split(',');
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? '']));
  });
}

/** Undefined for anything that is no positive price. */
function dollars(text: string | undefined): Micros | undefined {
  const value = Number(text ?? '');
  return Number.isFinite(value) && value > 0 ? fromDollars(value) : undefined;
}

const dateOf = (text: string | undefined): TradeDate | undefined =>
  text && /^\d{4}-\d{2}-\d{2}$/.test(text) ? (text as TradeDate) : undefined;
