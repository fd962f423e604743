import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TradeDate } from '@holdfast/core/units';

/** How finely a symbol's day is recorded, the best first. */
export type Grain = 'seconds-with-quotes' | 'seconds' | 'minutes';

export interface DayFiles {
  readonly symbol: string;
  readonly date: TradeDate;
  readonly grain: Grain;
  readonly trades: string;
  readonly quotes?: string;
}

const RANK: Readonly<Record<Grain, number>> = { 'seconds-with-quotes': 0, seconds: 1, minutes: 2 };

export const byGrain = (left: DayFiles, right: DayFiles): number => RANK[left.grain] - RANK[right.grain];

/** Folders of one data pack. `dir` may name the pack or its `us-equity` folder. */
export function dataFolders(dir: string): { readonly equity: string; readonly market: string } {
  const nested = join(dir, 'us-equity');
  return existsSync(nested) ? { equity: nested, market: join(dir, 'market') } : { equity: dir, market: join(dir, '..', 'market') };
}

const list = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

/** The best files a symbol has for a date, if any. */
export function filesOf(equity: string, symbol: string, date: TradeDate): DayFiles | undefined {
  const seconds = join(equity, '1s', symbol, `${date}.trades.csv.gz`);
  const quotes = join(equity, '1s', symbol, `${date}.quotes.csv.gz`);
  const minutes = join(equity, '1m', symbol, `${date}.trades.csv.gz`);
  if (existsSync(seconds)) {
    return existsSync(quotes)
      ? { symbol, date, grain: 'seconds-with-quotes', trades: seconds, quotes }
      : { symbol, date, grain: 'seconds', trades: seconds };
  }
  return existsSync(minutes) ? { symbol, date, grain: 'minutes', trades: minutes } : undefined;
}

/** Every symbol with prints on the date, in alphabetical order. */
export function symbolsOn(equity: string, date: TradeDate): readonly DayFiles[] {
  const symbols = new Set([...list(join(equity, '1s')), ...list(join(equity, '1m'))]);
  return [...symbols].sort().flatMap(symbol => filesOf(equity, symbol, date) ?? []);
}

/** Dates for which a symbol (or, without one, any symbol) has intraday prints, oldest first. */
export function datesWithPrints(equity: string, symbol?: string): readonly TradeDate[] {
  const dates = new Set<string>();
  for (const grain of ['1s', '1m']) {
    for (const name of symbol === undefined ? list(join(equity, grain)) : [symbol]) {
      for (const file of list(join(equity, grain, name))) if (file.endsWith('.trades.csv.gz')) dates.add(file.slice(0, 10));
    }
  }
  return [...dates].sort() as TradeDate[];
}
