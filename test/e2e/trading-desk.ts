import { readPositions } from '@holdfast/store/positions';
import Database from 'better-sqlite3';
import type { TestDesk } from './harness.js';
import { openRefereedDesk, type RefereedDesk, type RefereedOptions } from './refereed-desk.js';
import { waitFor } from './waiting.js';

/** The history's VWAP is 50.10 and it moves a dollar per bar: above VWAP the standard rule buys, below it does not. */
export const WANTED = 50.21;
export const UNWANTED = 50;

/**
 * A desk whose day trader follows ACME, with nothing started yet. Forty exchange seconds per second while all is quiet, so that a
 * 30-second bar takes most of a second; entries live five seconds.
 */
export async function openTradingDesk(options: RefereedOptions & { readonly watchlist?: readonly string[] } = {}): Promise<RefereedDesk> {
  const { watchlist = ['ACME'], ...rest } = options;
  const desk = await openRefereedDesk({
    ...rest,
    config: { mode: 'demo', entries: { watchlist, scanner: { enabled: false }, ttlSeconds: 5 }, ...options.config },
    gateway: { start: '10:00:00', speed: 40, waitFor: [2, 10], ...options.gateway },
  });
  desk.walk(UNWANTED);
  return desk;
}

/** Rows of active_positions: symbol, status, shares. */
export const claims = (desk: TestDesk): string[] =>
  desk.look(db => readPositions(db).map(({ contract, status, quantity }) => `${contract.symbol} ${status} ${quantity}`));

/** Lets so many seconds pass at the exchange. */
export async function exchangeSeconds(desk: RefereedDesk, seconds: number): Promise<void> {
  const { exchange } = desk.room.gateway;
  const until = exchange.now + seconds * 1_000;
  await waitFor(`${seconds} s at the exchange`, () => exchange.now >= until, { withinMs: 60_000, lastSeen: desk.story });
}

/** Codes of today's decisions and alerts about a symbol, in order, as somebody with a SQL shell would look for them. */
export function recorded(desk: TestDesk, table: 'decisions' | 'alerts', symbol: string | null): string[] {
  const db = new Database(desk.files.store, { readonly: true });
  try {
    const rows = db.prepare(`select code from ${table} where symbol is ? order by rowid`).all(symbol);
    return rows.map(row => String((row as { code: string }).code));
  } finally {
    db.close();
  }
}
