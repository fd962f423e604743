import { resolve } from 'node:path';
import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import type { TradeDate } from '@holdfast/core/units';
import type { Instrument, MarketSource } from '@holdfast/sim/exchange-types';
import { openDataDay } from '@holdfast/sim/market/files';
import { createSyntheticDay } from '@holdfast/sim/market/synthetic';
import type { Machine } from '../machine.js';
import { EXIT, type Problem } from '../problem.js';

/** An ordinary Monday. */
const SYNTHETIC_DATE = '2026-03-09';

export interface DayRequest {
  readonly seed: number;
  readonly data: string | undefined;
  readonly date: string | undefined;
  readonly symbols: readonly string[] | undefined;
}

/** The market of one demo day. */
export interface DemoDay {
  readonly source: MarketSource;
  /** What the day trader may look at. */
  readonly watchlist: readonly string[];
  /** What the account holds before the day and nobody may touch. */
  readonly baseline: Instrument;
}

/** Opens the day asked for: the seeded synthetic one, or recorded files. */
export function openDay(machine: Machine, request: DayRequest): DemoDay | Problem {
  const date = parseDate(request.date ?? SYNTHETIC_DATE);
  if (typeof date !== 'string') return date;
  if (request.data === undefined) return synthetic(request, date);
  if (request.date === undefined)
    return wrong('--data needs a date.', 'Add --date YYYY-MM-DD; ask for any date to see which ones the folder has.');
  const opened = openDataDay({ dir: resolve(machine.cwd, request.data), date, ...(request.symbols && { symbols: request.symbols }) });
  if (!opened.ok) {
    return {
      code: EXIT.unavailable,
      happened: `The recorded day cannot be used (${opened.code}): ${opened.detail}.`,
      did: 'Nothing was started.',
      todo: 'Check --data, --date and --symbols; without --data the demo runs on a synthetic day.',
    };
  }
  // What trades least stays out of the desk's way: it is the stand-in for somebody's long-term holding.
  const quietest = [...opened.report].sort((left, right) => left.updates - right.updates || left.symbol.localeCompare(right.symbol))[0]
    ?.symbol;
  return dayOf({ ...opened.source, name: `${request.data} ${date}` }, quietest);
}

function synthetic({ seed, symbols }: DayRequest, date: TradeDate): DemoDay | Problem {
  const { isTradingDay, note } = sessionOf(date);
  if (!isTradingDay) return wrong(`${date} has no session (${note}).`, 'Choose a trading day for --date, or leave it out.');
  const source = createSyntheticDay({ seed, date });
  const known = source.instruments.map(instrument => instrument.symbol);
  const unknown = (symbols ?? []).filter(symbol => !known.includes(symbol));
  if (unknown.length > 0)
    return wrong(`The synthetic market does not list ${unknown.join(', ')}.`, `It lists: ${known.sort().join(', ')}.`);
  const day = dayOf(source, 'KOLA');
  return symbols === undefined || 'code' in day ? day : { ...day, watchlist: day.watchlist.filter(symbol => symbols.includes(symbol)) };
}

function dayOf(source: MarketSource, baselineSymbol: string | undefined): DemoDay | Problem {
  const baseline = source.instruments.find(instrument => instrument.symbol === baselineSymbol);
  if (!baseline || source.instruments.length < 2)
    return wrong(
      'The day has fewer than two symbols.',
      'Name more with --symbols, or leave it out: one is the holding that is never touched.',
    );
  return { source, baseline, watchlist: source.instruments.map(instrument => instrument.symbol).sort() };
}

function parseDate(text: string): TradeDate | Problem {
  try {
    return tradeDate(text);
  } catch {
    return wrong(`"${text}" is no date.`, 'Write it as YYYY-MM-DD, for example 2026-03-09.');
  }
}

const wrong = (happened: string, todo: string): Problem => ({ code: EXIT.usage, happened, did: 'Nothing was started.', todo });
