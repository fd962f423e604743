import { phaseAt, tradeDateOf } from '../calendar.js';
import type { BrokerBar, QuoteUpdate } from '../events.js';
import { addPart, type Bar, closeBars } from '../market/bars.js';
import { addBar, openingGapBps, read } from '../market/indicators.js';
import { priceFromQuote } from '../market/mark.js';
import { decideEntry, type Verdict } from '../strategies/decide-entry.js';
import { numbersOf, type Signal, type SymbolView } from '../strategies/strategy.js';
import { type Bps, type EpochMs, epochMs, micros } from '../units.js';
import { withOpening } from './analysis.js';
import { type Draft, putWatched, record, update, watchedOf } from './desk.js';
import { enter } from './enter.js';
import { passGate } from './gate.js';
import { addQuote } from './quote-part.js';
import { ENTRY_BAR_MS, type Watched } from './watched.js';

/** Last parts arrive a little after their period; a bar is closed by the clock after this grace. */
const GRACE_MS = 1_500;

const watchedAs = (d: Draft, conId: number): Watched | undefined => {
  const symbol = d.s.symbols.get(conId);
  return symbol === undefined ? undefined : watchedOf(d.s, symbol);
};

export function hearQuote(d: Draft, conId: number, quote: QuoteUpdate): void {
  const watched = watchedAs(d, conId);
  if (!watched) return;
  const quoted: Watched = { ...watched, quote, quotedAt: d.at };
  if (!quote.delayed || quoted.hasBars || !d.s.rules.delayedDataAllowed) {
    putWatched(d, quoted);
    return;
  }
  const { part, finished } = addQuote(quoted.quotePart, quote, d.at);
  const next = { ...quoted, quotePart: part };
  if (finished) takePart(d, next, finished);
  else putWatched(d, next);
}

/** A 5-second bar; what it closes is decided on. */
export function hearBar(d: Draft, conId: number, part: BrokerBar): void {
  const watched = watchedAs(d, conId);
  if (watched) takePart(d, watched.hasBars ? watched : { ...watched, hasBars: true }, part);
}

function takePart(d: Draft, watched: Watched, part: BrokerBar): void {
  const { builder, closed } = addPart(watched.builder, part);
  barsClosed(d, withOpening({ ...watched, builder }, part), closed);
}

/** Once per 30 s of exchange time: bars whose last part never came are closed by the clock. */
export function sweepBars(d: Draft): void {
  if (d.at < d.s.sweepAt) return;
  update(d, { sweepAt: nextSweep(d.at) });
  for (const watched of d.s.watch) {
    if (!watched.builder.forming) continue;
    const { builder, closed } = closeBars(watched.builder, d.at, GRACE_MS);
    if (closed.length > 0) barsClosed(d, { ...watched, builder }, closed);
  }
}

export const nextSweep = (at: EpochMs): EpochMs => epochMs((Math.floor((at - GRACE_MS) / ENTRY_BAR_MS) + 1) * ENTRY_BAR_MS + GRACE_MS);

function barsClosed(d: Draft, watched: Watched, closed: readonly Bar[]): void {
  if (closed.length === 0) {
    putWatched(d, watched);
    return;
  }
  const next = { ...watched, indicators: closed.reduce(addBar, watched.indicators) };
  putWatched(d, next);
  if (!d.s.isCancelOnly && phaseAt(d.at, d.s.strategyRules.phases) === 'trading') decideFor(d, next);
}

/** One look at one symbol, at the close of its bar: strategy first, then the gate, then the claim. */
function decideFor(d: Draft, watched: Watched): void {
  const verdict = decideEntry(viewOf(watched, d.at), d.at, d.s.strategyRules);
  if (!verdict.ok) {
    recordRefusal(d, watched, verdict);
    return;
  }
  const passage = passGate(d.s, watched, d.at);
  if (passage.ok) enter(d, watched, { signal: verdict.signal, passage });
  else recordGateRefusal(d, watched, { signal: verdict.signal, code: passage.code, detail: passage.detail });
}

function viewOf(watched: Watched, at: EpochMs): SymbolView {
  const { symbol, indicators, quote, quotedAt } = watched;
  const reading = read(indicators);
  const isNewer = quotedAt !== null && quotedAt >= (indicators.lastAt ?? 0) + ENTRY_BAR_MS;
  const price = (isNewer && quote ? priceFromQuote(quote) : undefined) ?? reading.lastClose ?? micros(0);
  return { symbol, price, reading, gapBps: gapOf(watched, at) };
}

/** Today's opening trade against the previous close; where the bars do not tell them, the quote's open and close do. */
function gapOf({ previousClose, openingTrade, quote }: Watched, at: EpochMs): Bps | undefined {
  const today = tradeDateOf(at);
  const before = previousClose?.of === today ? previousClose.price : quote?.close;
  const opening = openingTrade?.on === today ? openingTrade.price : quote?.open;
  return before === undefined || opening === undefined ? undefined : openingGapBps(before, opening);
}

/** Conditions that last: recorded when they begin, not at every bar. */
const LASTING: ReadonlySet<string> = new Set([
  'ALREADY_ACTIVE',
  'CLOSED_TODAY',
  'BASELINE',
  'MAX_POSITIONS',
  'KILL_SWITCH',
  'EXIT_MANAGER_NOT_READY',
  'NOT_READY',
  'REJECTED_TODAY',
]);

/** No signal: recorded when the reason changes. */
function recordRefusal(d: Draft, watched: Watched, refused: Extract<Verdict, { ok: false }>): void {
  const key = `hold/${refused.code}`;
  if (watched.lastRecorded === key) return;
  putWatched(d, { ...watched, lastRecorded: key });
  const last = refused.refusals.at(-1);
  record(d, {
    symbol: watched.symbol,
    strategy: last?.strategy ?? 'day-trader',
    verdict: 'hold',
    code: refused.code,
    detail: refused.detail,
    numbers: Object.assign({}, ...refused.refusals.map(({ rules }) => numbersOf(rules))),
  });
}

/** A signal that was not acted on. */
export function recordGateRefusal(
  d: Draft,
  watched: Watched,
  { signal, code, detail }: { readonly signal: Pick<Signal, 'strategy' | 'rules'>; readonly code: string; readonly detail: string },
): void {
  const key = `reject/${code}`;
  if (watched.lastRecorded === key && LASTING.has(code)) return;
  putWatched(d, { ...watched, lastRecorded: key });
  record(d, { symbol: watched.symbol, strategy: signal.strategy, verdict: 'reject', code, detail, numbers: numbersOf(signal.rules) });
}
