import { exitSide } from '../events.js';
import { bestMark } from '../market/mark.js';
import { type Order, remainingOf } from '../orders/order.js';
import { type Micros, type Shares, shares } from '../units.js';
import { compareHolding } from './adopt.js';
import type { Care } from './care.js';
import { levelsFrom, rowOf } from './care.js';
import { carry, isCarried } from './carry.js';
import { closeWhenDone } from './close.js';
import { decideExit, needsRestingStop } from './decide-exit.js';
import { alert, type Draft, edit, emit, mayAct, NO_SIGHT, putCare, say, write } from './desk.js';
import { averagePriceOf } from './learn.js';
import { cancelExit } from './place.js';
import { askPricesAgain } from './price-stream.js';
import { protect } from './protect.js';
import { askAboutSilence, repeatCancels, sellOut } from './sell.js';
import { exitOrders, heldShares } from './sellable.js';
import { keepTrail, trail } from './trail.js';

/**
 * Looks at one instrument and does the next thing that is due. Level-triggered: it compares what should be with what is, so it may be
 * called after any event, any number of times, and after any crash.
 */
export function steer(d: Draft, conId: number): void {
  compareHolding(d, conId);
  const care = d.s.care.get(conId);
  if (!care) {
    cancelOrphans(d, conId);
    return;
  }
  const held = heldShares(d.s, care);
  const opened = care.status === 'CLAIMED' && held !== 0 ? put(d, { ...care, status: 'OPEN' }) : care;
  if (opened.status === 'CLAIMED') return;
  if (held === 0) {
    if (opened.status !== 'CLOSING') put(d, { ...opened, status: 'CLOSING' });
    closeWhenDone(d, d.s.care.get(conId) ?? opened);
    return;
  }
  askPricesAgain(d, conId);
  const levelled = setLevels(d, opened, held);
  const decided = decide(d, trail(d, levelled), held);
  if (!mayAct(d) || (decided.sendRetryAt !== null && d.mono < decided.sendRetryAt)) return;
  if (isCarried(d, decided)) {
    carry(d, decided, held);
    return;
  }
  const waitsInQuarantine = decided.quarantinedAt !== null && decided.retryAt !== null && d.mono < decided.retryAt;
  if (decided.exit && !waitsInQuarantine) sellOut(d, decided, held);
  else {
    repeatCancels(d, conId);
    askAboutSilence(d, conId);
    protect(d, decided, held);
  }
}

function put(d: Draft, care: Care): Care {
  putCare(d, care);
  return care;
}

/** Exits without a position: its close was decided while a cancel was under way, or an order outlived a vanished position. */
function cancelOrphans(d: Draft, conId: number): void {
  if (!mayAct(d)) return;
  for (const tracked of exitOrders(d.s, conId))
    if (tracked.order.status === 'SUBMITTED' && !mayProtect(d, conId, tracked.order)) cancelExit(d, tracked);
  repeatCancels(d, conId);
}

/** The broker holds at least so much that nothing explains yet: what rests for it stays until it is known what that is. */
function mayProtect(d: Draft, conId: number, order: Order): boolean {
  const inCare = (d.s.holdings.get(conId)?.quantity ?? 0) - (d.s.baseline?.get(conId) ?? 0);
  const isExpected = d.s.mismatches.has(conId) && inCare !== 0;
  return isExpected && order.side === exitSide(shares(inCare)) && remainingOf(order) <= Math.abs(inCare);
}

/** Own entries: from what was paid. Adopted ones: from the mark at adoption, so that adoption itself never sells (DESIGN §4). */
function setLevels(d: Draft, care: Care, held: Shares): Care {
  if (care.contract.tick <= 0) {
    const contract = d.s.contracts.get(care.contract.conId);
    if (!contract || contract.tick <= 0) return care;
    return setLevels(d, put(d, { ...care, contract }), held);
  }
  const reference = referenceOf(d, care);
  if (reference === null) sayNoPrice(d, care);
  if (reference === null || care.levels?.reference === reference) return care;
  if (care.levels !== null && (care.origin === 'adopted' || care.exit !== null)) return care;
  const next = put(d, { ...care, levels: keepTrail(levelsFrom(reference, care, d.s.rules), care) });
  say(d, 'levels', {
    symbol: care.contract.symbol,
    held,
    reference: reference / 1e6,
    target: (next.levels?.target ?? 0) / 1e6,
    stop: (next.levels?.stop ?? 0) / 1e6,
  });
  return next;
}

/** A position without any price for this long (exchange time) is told to a person, and again as long as it lasts: no level can be set. */
const NO_PRICE_MS = 10_000;
const NO_PRICE_AGAIN_MS = 60_000;
/** A price told so shortly before the adoption is as good as one told after it. */
const PRICED_BEFORE_MS = 5_000;

function sayNoPrice(d: Draft, care: Care): void {
  const sight = d.s.sights.get(care.contract.conId) ?? NO_SIGHT;
  if (d.at - care.openedAt < NO_PRICE_MS) return;
  if (sight.noPriceToldAt !== null && d.at - sight.noPriceToldAt < NO_PRICE_AGAIN_MS) return;
  edit(d, 'sights').set(care.contract.conId, { ...sight, noPriceToldAt: d.at });
  alert(d, {
    level: 'critical',
    code: 'NO_PRICE',
    symbol: care.contract.symbol,
    happened: `${care.contract.symbol} is in care, and the broker has told no price for it.`,
    did: 'Waits for the first mark: levels start from it. Until then nothing rests at the broker.',
    todo: 'Check the P&L stream and market data in TWS; rest a stop there by hand if it stays so.',
  });
}

function referenceOf(d: Draft, care: Care): Micros | null {
  if (care.origin === 'entry') {
    const paid = averagePriceOf(d.s.byTrade.get(care.tradeId) ?? [], care.side > 0 ? 'BUY' : 'SELL').price;
    if (paid !== null) return paid;
  }
  if (care.levels) return care.levels.reference;
  const { book } = d.s.sights.get(care.contract.conId) ?? NO_SIGHT;
  const mark = bestMark(book, { now: d.at, marketMovedAt: d.s.marketMovedAt })?.mark;
  if (!mark) return null;
  // The portfolio's word from before it was adopted may be minutes old: it serves where nothing newer comes.
  const isOld = mark.source === 'portfolio' && mark.receivedAt < care.openedAt - PRICED_BEFORE_MS;
  return isOld && d.at - care.openedAt < NO_PRICE_MS ? null : mark.price;
}

/** Decides once and keeps to it: an exit under way is carried on until flat, whatever the mark does meanwhile. */
function decide(d: Draft, care: Care, held: Shares): Care {
  if (care.exit) return care;
  const decision = decideExit(d, care, held);
  if (decision.kind === 'exit') return beginExit(d, care, decision.reason, decision.detail);
  // The look may have noted something about it.
  const seen = d.s.care.get(care.contract.conId) ?? care;
  const restStop = needsRestingStop(d, seen);
  if (restStop === seen.restStop) return seen;
  if (restStop) sayBlind(d, seen);
  return put(d, { ...seen, restStop });
}

/** An exit that was decided, by a rule, a person or the clock. The position is CLOSING from here on: neither closed nor claimable. */
export function beginExit(d: Draft, care: Care, reason: string, detail: string): Care {
  say(d, 'exit-decided', { symbol: care.contract.symbol, tradeId: care.tradeId, reason, detail });
  emit(d, {
    do: 'write-decision',
    decision: { symbol: care.contract.symbol, strategy: care.agentName, verdict: 'exit', code: reason.toUpperCase(), detail, numbers: {} },
  });
  return put(d, {
    ...care,
    status: 'CLOSING',
    exit: { reason, detail, decidedAt: d.at, attempts: 0, emptyAttempts: 0, lastAttempt: null },
  });
}

const sayBlind = (d: Draft, care: Care): void =>
  alert(d, {
    level: 'warning',
    code: 'MARK_NOT_LIVE',
    symbol: care.contract.symbol,
    happened: `No mark of ${care.contract.symbol} could be shown to be live for ${d.s.rules.blindMs / 1000} s.`,
    did: 'Rests the stop at its real level at the broker until marks move again.',
    todo: 'Check market data and the P&L stream if this lasts; a halt or a thin stock explains it too.',
  });

/** After a bug the symbol is looked at again this often. */
const SUSPENDED_MS = 60_000;

/**
 * `steer`, with a bug kept to its own symbol: what the failed look changed is dropped, the stop rests at its real level if that still
 * works, a person is told, and the others go on (DESIGN §1). The only place where a throw is caught in here.
 */
export function steerGuarded(d: Draft, conId: number, look: (d: Draft, conId: number) => void = steer): void {
  const suspended = d.s.care.get(conId)?.suspendedUntil ?? null;
  if (suspended !== null && d.mono < suspended) return;
  try {
    inOwnDraft(d, own => look(own, conId));
  } catch (bug) {
    suspend(d, conId, bug instanceof Error ? bug.message : String(bug));
  }
}

/** Runs one look on copies; they become the draft's only if it comes to its end. Whom it touched is looked at in any case. */
function inOwnDraft(d: Draft, look: (own: Draft) => void): void {
  const own: Draft = { s: d.s, at: d.at, mono: d.mono, effects: [], copied: [], touched: d.touched };
  look(own);
  d.s = own.s;
  for (const effect of own.effects) emit(d, effect);
  for (const key of own.copied) if (!d.copied.includes(key)) d.copied.push(key);
}

function suspend(d: Draft, conId: number, bug: string): void {
  const care = d.s.care.get(conId);
  if (!care) throw new Error(`instrument ${conId}: ${bug}`);
  const suspended: Care = { ...care, restStop: true, suspendedUntil: (d.mono + SUSPENDED_MS) as Draft['mono'] };
  putCare(d, suspended);
  let protection = 'Its stop rests at the real level.';
  try {
    inOwnDraft(d, own => {
      if (mayAct(own)) protect(own, suspended, heldShares(own.s, suspended));
    });
  } catch (second) {
    protection = `Its resting orders are left as they are (${second instanceof Error ? second.message : String(second)}).`;
  }
  alert(d, {
    level: 'critical',
    code: 'SYMBOL_SUSPENDED',
    symbol: care.contract.symbol,
    happened: `A bug of ours while handling ${care.contract.symbol}: ${bug}`,
    did: `${protection} The other positions go on; this one is looked at again in ${SUSPENDED_MS / 1_000} s.`,
    todo: `Watch ${care.contract.symbol} in TWS, and report this with the run log.`,
  });
}

/** Rows of positions that changed in this step: what a restart needs is in the same commit as the orders that follow from it. */
export function writeChanged(d: Draft, before: ReadonlyMap<number, Care>): void {
  for (const [conId, care] of d.s.care) {
    const isUnchanged = before.get(conId) === care && !(d.copied.includes('executions') && d.touched.has(conId));
    if (isUnchanged || care.status === 'CLAIMED') continue;
    const held = heldShares(d.s, care);
    const entry =
      care.origin === 'entry' ? averagePriceOf(d.s.byTrade.get(care.tradeId) ?? [], care.side > 0 ? 'BUY' : 'SELL').price : null;
    write(d, { do: 'write-position', position: rowOf(care, held, entry, d.at) });
  }
}
