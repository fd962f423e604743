import { isRegularHours, sessionAt, tradeDateOf } from '../calendar.js';
import { isTradable } from '../contract.js';
import type { BrokerBar, EventBody } from '../events.js';
import { seed } from '../market/indicators.js';
import { type EpochMs, epochMs, monoMs } from '../units.js';
import { alert, type Draft, dropWatched, edit, emit, isReconciled, putWatched, record, requestId, say } from './desk.js';
import { ENTRY_BAR_MS, type Watched } from './watched.js';

/** The adapter answers for the broker within 60 s; this is for an answer lost on the way. */
const REQUEST_MS_MAX = 75_000;
/** An identical history request within 15 s is a pacing violation (IB docs, "Historical data limitations"). */
const RETRY_AFTER_MS = 16_000;
/** A farm that is down at the start looks like an unknown symbol, so the broker is asked twice. */
const CONTRACT_TRIES_MAX = 2;
const HISTORY_TRIES_MAX = 3;
/** 30-second bars can be asked for at most this far back (IB docs, duration and bar size). */
const HISTORY_SECONDS_MAX = 28_800;
const HISTORY_SECONDS_MIN = 7_200;
const HISTORY_STEP_SECONDS = 1_800;

/**
 * The analysis pool (A11): takes symbols from unknown to followed, at most `analysisWorkers` requests in flight. Per symbol: the contract,
 * daily bars for the previous close, 30-second bars for the indicators' past; then bars and quotes stream.
 */
export function pumpAnalysis(d: Draft): void {
  if (!isReconciled(d.s) || d.s.isCancelOnly) return;
  let free = d.s.rules.analysisWorkers;
  for (const { request } of d.s.watch) if (request) free -= 1;
  for (const watched of d.s.watch) {
    if (watched.request && d.mono - watched.request.askedAt >= REQUEST_MS_MAX) {
      failed(d, watched, 'no answer');
      free += 1;
    } else if (free > 0 && isDue(d, watched)) {
      ask(d, watched);
      free -= 1;
    }
  }
}

const isDue = (d: Draft, { request, stage, isDropped, notBefore }: Watched): boolean =>
  request === null && stage !== 'live' && !isDropped && (notBefore === null || d.mono >= notBefore);

function ask(d: Draft, watched: Watched): void {
  const { symbol, contract, stage } = watched;
  const id = requestId(d);
  putWatched(d, { ...watched, request: { id, askedAt: d.mono }, notBefore: null });
  if (stage === 'contract' || contract === null) {
    emit(d, { do: 'request-contract', requestId: id, symbol });
    return;
  }
  if (stage === 'daily') {
    emit(d, { do: 'request-history', requestId: id, contract, duration: '2 D', barSize: '1 day', rthOnly: true });
    return;
  }
  const duration = `${historySeconds(d.at)} S`;
  emit(d, { do: 'request-history', requestId: id, contract, duration, barSize: '30 secs', rthOnly: false });
}

/** Two hours, or back to half an hour before today's open: VWAP counts from the open. At 14:00 that is 18,000 s. */
function historySeconds(at: EpochMs): number {
  const sinceOpen = (at - sessionAt(at).open) / 1_000 + HISTORY_STEP_SECONDS;
  const wanted = Math.min(HISTORY_SECONDS_MAX, Math.max(HISTORY_SECONDS_MIN, sinceOpen));
  return Math.ceil(wanted / HISTORY_STEP_SECONDS) * HISTORY_STEP_SECONDS;
}

const asking = (d: Draft, id: number): Watched | undefined => d.s.watch.find(({ request }) => request?.id === id);

export function hearContract(d: Draft, told: Extract<EventBody, { kind: 'contract' }>): void {
  const watched = asking(d, told.requestId);
  if (!watched) return;
  const { contract } = told;
  if (!isTradable(contract) || contract.tick <= 0) {
    drop(d, watched, 'NOT_TRADABLE', `${contract.secType} in ${contract.currency}: only US stocks and ETFs are entered`);
    return;
  }
  const twin = d.s.symbols.get(contract.conId);
  if (twin !== undefined && twin !== watched.symbol) {
    dropWatched(d, watched.symbol);
    return;
  }
  edit(d, 'symbols').set(contract.conId, watched.symbol);
  edit(d, 'contracts').set(contract.conId, contract);
  advance(d, { ...watched, contract });
}

/** One warning, one decision row, and the symbol is left alone for the day: never a crash loop over a typing error. */
export function hearContractUnknown(d: Draft, told: Extract<EventBody, { kind: 'contract-unknown' }>): void {
  const watched = asking(d, told.requestId);
  if (!watched) return;
  if (watched.tries + 1 < CONTRACT_TRIES_MAX) retry(d, watched);
  else drop(d, watched, 'UNKNOWN_SYMBOL', told.text);
}

function drop(d: Draft, watched: Watched, code: string, detail: string): void {
  putWatched(d, { ...watched, request: null, isDropped: true, lastRecorded: `reject/${code}` });
  record(d, { symbol: watched.symbol, strategy: 'watchlist', verdict: 'reject', code, detail, numbers: {} });
  alert(d, {
    level: 'warning',
    code,
    symbol: watched.symbol,
    happened: `${watched.symbol} from the ${watched.source} cannot be followed: ${detail}.`,
    did: 'Leaves it out until the next trading day; every other symbol is followed.',
    todo: watched.source === 'watchlist' ? 'Correct the symbol in the watchlist, or take it out.' : 'Nothing.',
  });
}

export function hearHistory(d: Draft, told: Extract<EventBody, { kind: 'history' }>): void {
  const watched = asking(d, told.requestId);
  if (!watched) return;
  if (watched.stage === 'daily') advance(d, withPreviousClose(watched, told.bars, d.at));
  else advance(d, withHistory(watched, told.bars, d.at));
}

export function hearHistoryFailed(d: Draft, told: Extract<EventBody, { kind: 'history-failed' }>): void {
  const watched = asking(d, told.requestId);
  if (watched) failed(d, watched, told.text);
}

/** Without history it is followed all the same: the indicators warm up from live bars, and the gap comes from the quote. */
function failed(d: Draft, watched: Watched, why: string): void {
  const isLast = watched.tries + 1 >= HISTORY_TRIES_MAX && watched.stage !== 'contract';
  say(d, 'analysis-failed', { symbol: watched.symbol, stage: watched.stage, why, goesOn: isLast }, 'warn');
  if (!isLast) retry(d, watched);
  else advance(d, watched.stage === 'history' ? { ...watched, completeSince: d.at } : watched);
}

const retry = (d: Draft, watched: Watched): void =>
  putWatched(d, { ...watched, request: null, tries: watched.tries + 1, notBefore: monoMs(d.mono + RETRY_AFTER_MS) });

function advance(d: Draft, watched: Watched): void {
  const hasClose = watched.previousClose?.of === tradeDateOf(d.at);
  const stage = watched.stage === 'contract' && !hasClose ? 'daily' : watched.stage === 'history' ? 'live' : 'history';
  putWatched(d, { ...watched, stage, request: null, tries: 0, notBefore: null });
  if (stage !== 'live' || !watched.contract) return;
  emit(d, { do: 'subscribe-bars', contract: watched.contract });
  emit(d, { do: 'subscribe-quotes', contract: watched.contract });
}

/** The newest daily bar before today is the previous close; today's own, still forming, is told as well. */
function withPreviousClose(watched: Watched, bars: readonly BrokerBar[], at: EpochMs): Watched {
  const today = tradeDateOf(at);
  const previous = bars.findLast(bar => tradeDateOf(bar.at) < today && bar.close > 0);
  return previous ? { ...watched, previousClose: { price: previous.close, of: today } } : watched;
}

/** The bar that is still forming is left out: its parts come live. */
function withHistory(watched: Watched, bars: readonly BrokerBar[], at: EpochMs): Watched {
  const whole = bars.filter(bar => bar.at + ENTRY_BAR_MS <= at);
  const reachesBackTo = epochMs(at - historySeconds(at) * 1_000);
  const completeSince = epochMs(Math.min(watched.completeSince ?? at, reachesBackTo));
  const seeded = { ...watched, indicators: seed(whole, watched.indicators), completeSince };
  return whole.reduce(withOpening, seeded);
}

/** Remembers the first trade of the regular session, if the bars are known to be complete since before it. */
export function withOpening(watched: Watched, bar: BrokerBar): Watched {
  if (bar.volume <= 0 || !isRegularHours(bar.at)) return watched;
  const { open, date } = sessionAt(bar.at);
  if (watched.openingTrade?.on === date || watched.completeSince === null || watched.completeSince > open) return watched;
  return { ...watched, openingTrade: { price: bar.open, on: date } };
}
