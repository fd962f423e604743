import type { EventBody } from '../events.js';
import { activeSymbols } from './active.js';
import { alert, type Draft, dropWatched, edit, emit, putWatched, requestId, say, update, updateLink, watchedOf } from './desk.js';
import { NO_QUOTE_PART } from './quote-part.js';
import { newWatched, type Watched } from './watched.js';

const MINUTE_MS = 60_000;

/** Follows the watchlist (and the scan) on a connection that is new or has lost its data. What is known of a symbol is kept. */
export function startFollowing(d: Draft): void {
  if (d.s.isCancelOnly || d.s.link.followedSession === d.s.link.session) return;
  updateLink(d, { followedSession: d.s.link.session });
  if (d.s.watch.length === 0) takeWatchlist(d);
  for (const watched of d.s.watch) putWatched(d, asNew(watched));
  if (!d.s.rules.useScanner) return;
  const id = requestId(d);
  update(d, { scan: { requestId: id, takenAt: d.s.scan?.takenAt ?? null } });
  emit(d, { do: 'subscribe-scanner', requestId: id, scan: d.s.rules.scanCode });
}

const asNew = (watched: Watched): Watched => ({
  ...watched,
  stage: watched.contract ? 'daily' : 'contract',
  request: null,
  tries: 0,
  notBefore: null,
  quote: null,
  quotedAt: null,
  hasBars: false,
  quotePart: NO_QUOTE_PART,
});

function takeWatchlist(d: Draft): void {
  const { watchlist, symbolsMax } = d.s.rules;
  const symbols = [...new Set(watchlist)];
  for (const symbol of symbols.slice(0, symbolsMax)) putWatched(d, newWatched(symbol, 'watchlist'));
  if (symbols.length <= symbolsMax) return;
  alert(d, {
    level: 'warning',
    code: 'WATCHLIST_TOO_LONG',
    symbol: null,
    happened: `The watchlist has ${symbols.length} symbols; market-data lines allow for ${symbolsMax}.`,
    did: `Follows the first ${symbolsMax}.`,
    todo: 'Shorten the watchlist, or raise the limit if the account has more market-data lines.',
  });
}

/** The data of this connection are gone (1101): asked for anew once reconciled. */
export function forgetStreams(d: Draft): void {
  for (const { stage, contract } of d.s.watch) {
    if (stage !== 'live' || !contract) continue;
    emit(d, { do: 'unsubscribe-bars', conId: contract.conId });
    emit(d, { do: 'unsubscribe-quotes', conId: contract.conId });
  }
  updateLink(d, { followedSession: 0 });
}

/** Takes over the scan's list every 15 minutes of exchange time: newcomers are followed, what has left it and is not held is dropped. */
export function hearScan(d: Draft, told: Extract<EventBody, { kind: 'scanner' }>): void {
  const { scan, rules } = d.s;
  if (!scan || scan.requestId !== told.requestId) return;
  if (scan.takenAt !== null && d.at - scan.takenAt < rules.scanRefreshMinutes * MINUTE_MS) return;
  update(d, { scan: { ...scan, takenAt: d.at } });
  const best = [...told.rows].sort((a, b) => a.rank - b.rank).slice(0, rules.scanRowsMax);
  const wanted = new Set(best.map(({ symbol }) => symbol));
  dropLeavers(d, wanted);
  for (const symbol of wanted) {
    if (d.s.watch.length < rules.symbolsMax && !watchedOf(d.s, symbol)) putWatched(d, newWatched(symbol, 'scanner'));
  }
  say(d, 'scan-taken', { rows: told.rows.length, followed: d.s.watch.length });
}

function dropLeavers(d: Draft, wanted: ReadonlySet<string>): void {
  const active = activeSymbols(d.s);
  for (const { symbol, source, contract, stage } of d.s.watch) {
    if (source !== 'scanner' || wanted.has(symbol) || active.has(symbol)) continue;
    dropWatched(d, symbol);
    if (!contract) continue;
    edit(d, 'symbols').delete(contract.conId);
    if (stage !== 'live') continue;
    emit(d, { do: 'unsubscribe-bars', conId: contract.conId });
    emit(d, { do: 'unsubscribe-quotes', conId: contract.conId });
  }
}

/** A new trading date: yesterday's refusals are over, and there is another previous close to ask for. */
export function beginDate(d: Draft): void {
  for (const watched of d.s.watch) {
    const stage = watched.contract ? (watched.stage === 'live' ? 'daily' : watched.stage) : 'contract';
    putWatched(d, { ...watched, stage, isDropped: false, shut: null, rejections: 0, tries: 0, lastRecorded: '' });
  }
}
