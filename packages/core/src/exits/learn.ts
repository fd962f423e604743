import { tradeDateOf } from '../calendar.js';
import type { Contract } from '../contract.js';
import { CLIENT_ID, isEntryRef, isOurs } from '../orders/order.js';
import { bookFilled } from '../orders/step-order.js';
import { boughtLessSold, signedShares, splitExecId } from '../positions/book.js';
import type { Execution } from '../positions/execution.js';
import { type Micros, micros, shares } from '../units.js';
import type { Care } from './care.js';
import { rewriteClosed } from './close.js';
import { alert, type Booked, type Draft, edit, emit, putCare, putOrder, say, setExecution, update, write } from './desk.js';
import { askPrices } from './price-stream.js';
import { clearRejections } from './rejections.js';
import { remainingOfForeign } from './sellable.js';

/**
 * Takes an execution, from whoever told it: pushed to us, answered to a request, or committed by the day trader. Repeats change nothing;
 * a correction replaces what it corrects; a fill of a closed trade reopens it. `tradeId` is given when a row already names it.
 */
export function learnExecution(d: Draft, told: Execution, tradeId: string | null = null): void {
  const { root, revision } = splitExecId(told.execId);
  const known = d.s.executions.get(root);
  if (known && revision <= splitExecId(known.execId).revision) {
    if (known.commission === undefined && told.commission !== undefined) learnCommission(d, told.execId, told.commission, null);
    return;
  }
  const booked: Booked = {
    ...(known?.commission !== undefined ? { commission: known.commission } : {}),
    ...told,
    tradeId: known?.tradeId ?? tradeId ?? tradeOf(d, told),
  };
  setExecution(d, root, booked);
  // An id that has traded was used, row or not.
  if (told.clientId === CLIENT_ID['exit-manager'] && told.orderId >= d.s.nextOrderId) update(d, { nextOrderId: told.orderId + 1 });
  edit(d, 'lastExecution').set(told.conId, d.mono);
  d.touched.add(told.conId);
  write(d, { do: 'write-execution', execution: told, tradeId: booked.tradeId, tradeDate: tradeDateOf(told.at) });
  countIntoOrder(d, told.orderRef);
  if (!isOurs(told.orderRef)) endForeignOrder(d, told);
  if (booked.tradeId !== null && booked.tradeId !== BEFORE_HOLDFAST) takeIntoCare(d, booked, booked.tradeId);
}

/** The trade id of executions that belong to what the account did before Holdfast first met it. */
export const BEFORE_HOLDFAST = 'before';

/** The trade of orders and fills of ours of whose trade nothing is known: what is adopted beside them is that trade. */
export const recoveredId = (d: Draft, conId: number, date = d.s.tradeDate): string => `recovered-${conId}-${date}`;

/** The newest trade that an entry of ours began in that instrument and of whose end nothing is known: its rows were lost, its fills told again. */
function unendedTradeOf(d: Draft, { conId, at }: Execution): string | null {
  let found: Booked | null = null;
  for (const execution of d.s.executions.values()) {
    const { tradeId, orderRef } = execution;
    if (execution.conId !== conId || execution.at > at || !isEntryRef(orderRef)) continue;
    if (tradeId === null || d.s.closed.has(tradeId)) continue;
    if (found === null || execution.at > found.at) found = execution;
  }
  return found?.tradeId ?? null;
}

/** Which trade an execution belongs to: the order's, else (by hand, or with its row lost) the position in care of that instrument. */
function tradeOf(d: Draft, told: Execution): string | null {
  const order = d.s.orders.get(told.orderRef)?.order ?? d.s.entries.get(told.orderRef);
  if (order) return order.tradeId;
  const care = d.s.care.get(told.conId);
  if (isOurs(told.orderRef)) {
    // By convention an entry's trade carries the entry's own orderRef, so that a lost row can be told from the execution.
    if (isEntryRef(told.orderRef)) return told.orderRef;
    return care?.tradeId ?? unendedTradeOf(d, told) ?? recoveredId(d, told.conId, tradeDateOf(told.at));
  }
  if (care) return care.status === 'CLAIMED' ? null : care.tradeId;
  // Done by hand while a trade of ours was still open: it was that position, and what our exits sold besides overshot.
  const closed = [...d.s.closed.values()].find(
    trade => trade.contract.conId === told.conId && trade.openedAt <= told.at && told.at <= lastFillOf(d, trade.tradeId),
  );
  return closed?.tradeId ?? null;
}

const lastFillOf = (d: Draft, tradeId: string): number => executionsOf(d, tradeId).at(-1)?.at ?? 0;

function countIntoOrder(d: Draft, orderRef: string): void {
  if (orderRef === '') return;
  let filled = 0;
  for (const execution of d.s.executions.values()) if (execution.orderRef === orderRef) filled += execution.shares;
  const tracked = d.s.orders.get(orderRef);
  if (!tracked) {
    const entry = d.s.entries.get(orderRef);
    if (entry) edit(d, 'entries').set(orderRef, bookFilled(entry, filled));
    return;
  }
  if (filled > tracked.order.quantity && filled > tracked.order.filled)
    overfilled(d, tracked.order.contract.symbol, orderRef, filled, tracked.order.quantity);
  if (filled > tracked.order.filled) clearRejections(d, tracked.order.contract.conId);
  const { heardFilled } = tracked;
  const isUntold = heardFilled !== null && filled > tracked.order.filled && filled < heardFilled.count;
  putOrder(d, { ...tracked, order: bookFilled(tracked.order, filled), heardFilled: isUntold ? heardFilled : null });
}

const overfilled = (d: Draft, symbol: string, orderRef: string, filled: number, quantity: number): void =>
  alert(d, {
    level: 'warning',
    code: 'OVERFILL',
    symbol,
    happened: `${orderRef} filled ${filled} of ${quantity} shares.`,
    did: 'Booked what was filled; anything held the wrong way round is bought back at once.',
    todo: 'Check the executions in TWS against `./holdfast orders`.',
  });

/** A foreign order is told only in snapshots: its last fill is how its end is heard. */
function endForeignOrder(d: Draft, { permId }: Execution): void {
  const order = d.s.foreign.get(permId);
  if (order && remainingOfForeign(d.s, order) === 0) edit(d, 'foreign').delete(permId);
}

/** Makes sure the trade of an execution is in care: a claim opens, an unknown entry of ours is recovered, a closed trade reopens. */
function takeIntoCare(d: Draft, execution: Booked, tradeId: string): void {
  const { conId } = execution;
  const ended = d.s.closed.get(tradeId);
  if (ended && isFlat(d, ended)) {
    rewriteClosed(d, ended);
    return;
  }
  const known = d.s.care.get(conId);
  const care = known && !ended && isOutdatedClaim(d, known, execution) ? undefined : known;
  if (ended && care && care.tradeId !== tradeId) {
    joinPosition(d, { from: ended, to: care });
    return;
  }
  if (care) {
    if (care.tradeId !== tradeId) setExecution(d, splitExecId(execution.execId).root, { ...execution, tradeId: care.tradeId });
    if (care.status === 'CLAIMED') openCare(d, { ...care, status: 'OPEN', openedAt: execution.at });
    return;
  }
  if (ended) {
    edit(d, 'closed').delete(tradeId);
    openCare(d, { ...ended, status: 'OPEN', exit: null, restStop: false });
    return;
  }
  if (!isEntryRef(execution.orderRef) && !brokerHoldsOf(d, execution.conId, tradeId)) {
    say(d, 'execution-of-ended-trade', { symbol: execution.symbol, tradeId, execId: execution.execId }, 'warn');
    return;
  }
  openCare(d, {
    ...newCare(d, contractOf(d, execution)),
    tradeId,
    // A fill of an exit, with everything else forgotten, left a position of the other side: what overshot is bought back, not adopted.
    side: (execution.side === 'BUY') === (!isOurs(execution.orderRef) || isEntryRef(execution.orderRef)) ? 1 : -1,
    origin: 'entry',
    agentName: 'day-trader',
    openedAt: execution.at,
  });
}

/**
 * An entry has filled whose row has not been read yet, and what is claimed here is another one's: the day trader has given that claim back and
 * entered anew since the last look at the store. The fill stands there under its own trade, and exits under the other would be refused for ever.
 */
const isOutdatedClaim = (d: Draft, { status, tradeId }: Care, { orderRef }: Booked): boolean =>
  status === 'CLAIMED' && isEntryRef(orderRef) && orderRef !== tradeId && !d.s.entries.has(orderRef);

const tradedIn = (d: Draft, tradeId: string): number => boughtLessSold(d.s.byTrade.get(tradeId) ?? []);

/** Whether what is known of a trade sums to nothing held: a corrected price changes its result and opens nothing. */
export const isFlat = (d: Draft, { tradeId, base }: Care): boolean => base + tradedIn(d, tradeId) === 0;

/**
 * A fill of an ended trade was taken back while another position of that instrument is in care: there is one position at the broker, so the
 * shares join it, at its own reference price, for which the ended trade hands them over. Both results together are what the executions say.
 */
function joinPosition(d: Draft, { from, to }: { from: Care; to: Care }): void {
  const net = from.base + tradedIn(d, from.tradeId);
  const reference = to.levels?.reference ?? from.levels?.reference;
  if (reference === undefined) return;
  const levels = from.levels ?? { reference, target: reference, stop: reference, disaster: reference };
  const handedOver: Care = { ...from, base: from.base - net, levels: { ...levels, reference } };
  edit(d, 'closed').set(from.tradeId, handedOver);
  rewriteClosed(d, handedOver);
  const joined: Care = { ...to, base: to.base + net };
  if (to.status === 'CLAIMED') openCare(d, { ...joined, status: 'OPEN', openedAt: d.at });
  else putCare(d, joined);
  say(d, 'shares-came-back', { symbol: to.contract.symbol, shares: net, from: from.tradeId, to: to.tradeId }, 'warn');
}

/**
 * With the rows lost, a fill of an exit that is heard before the answer which tells of its entry belongs to no trade that is known then. It is that entry's:
 * kept apart, what it sold would be held, and sold once more.
 */
function rejoinEarly(d: Draft): void {
  for (const execution of d.s.executions.values()) {
    const { conId, tradeId, execId, at } = execution;
    if (tradeId !== recoveredId(d, conId, tradeDateOf(at)) || d.s.closed.has(tradeId) || d.s.care.get(conId)?.tradeId === tradeId) continue;
    const began = unendedTradeOf(d, execution);
    if (began === null) continue;
    setExecution(d, splitExecId(execId).root, { ...execution, tradeId: began });
    write(d, { do: 'write-execution', execution, tradeId: began, tradeDate: tradeDateOf(at) });
    d.touched.add(conId);
  }
}

/**
 * Trades on record whose position nobody holds in care: their row was lost, or another process booked the fill first. Taken up at the first
 * complete answer, where the broker holds shares of that sign; a trade that vanished stays closed. One that began with an entry of ours and has
 * ended by its executions, but not by its row (that was lost with the store), is taken up too: it is closed once more. So is one whose entry was
 * taken back whole: what it cost and the day's block are all that is left of it.
 */
export function recoverTrades(d: Draft): void {
  rejoinEarly(d);
  const nets = new Map<string, { net: number; first: Booked; hasLeft: boolean; hasTraded: boolean }>();
  for (const execution of [...d.s.executions.values()].sort((a, b) => a.at - b.at)) {
    const { tradeId, side, shares: quantity } = execution;
    if (tradeId === null || tradeId === BEFORE_HOLDFAST || d.s.closed.has(tradeId) || d.s.care.has(execution.conId)) continue;
    const { net, first, hasLeft, hasTraded } = nets.get(tradeId) ?? { net: 0, first: execution, hasLeft: false, hasTraded: false };
    const leaves = side !== first.side && quantity > 0;
    nets.set(tradeId, { net: net + signedShares(execution), first, hasLeft: hasLeft || leaves, hasTraded: hasTraded || quantity > 0 });
  }
  for (const [tradeId, { net, first, hasLeft, hasTraded }] of nets) {
    const inCare = (d.s.holdings.get(first.conId)?.quantity ?? 0) - (d.s.baseline?.get(first.conId) ?? 0);
    const isHeld = net !== 0 && Math.sign(inCare) === Math.sign(net);
    const hasEnded = net === 0 && (hasLeft || !hasTraded) && isEntryRef(first.orderRef);
    if (isHeld || hasEnded) takeIntoCare(d, first, tradeId);
  }
  reopenEnded(d);
}

/**
 * Trades that ended, by their rows, and whose executions sum to just what the broker holds: the day trader has booked that its entry was taken back
 * while no exit manager lived. Where something was done by hand that belongs to no trade, the position is that.
 */
function reopenEnded(d: Draft): void {
  for (const [tradeId, ended] of d.s.closed) {
    const { conId } = ended.contract;
    const net = ended.base + tradedIn(d, tradeId);
    const inCare = (d.s.holdings.get(conId)?.quantity ?? 0) - (d.s.baseline?.get(conId) ?? 0);
    if (net === 0 || inCare !== net || d.s.care.has(conId)) continue;
    if ([...d.s.executions.values()].some(execution => execution.conId === conId && execution.tradeId === null)) continue;
    const [first] = executionsOf(d, tradeId);
    if (first) takeIntoCare(d, first, tradeId);
  }
}

/**
 * Takes up the trade whose executions sum to just the position that the broker tells: a fill of it was taken back, its end was not known here, and
 * the word about the position came second. Adopted as another trade it would lose its levels, and its result would stay as it was (I3, I6).
 */
export function recoverTradeOf(d: Draft, { conId, net }: { readonly conId: number; readonly net: number }): boolean {
  const told = [...d.s.executions.values()].filter(execution => execution.conId === conId);
  for (const { tradeId } of told) {
    if (tradeId === null || tradeId === BEFORE_HOLDFAST || d.s.closed.has(tradeId) || tradedIn(d, tradeId) !== net) continue;
    const [first] = executionsOf(d, tradeId);
    if (!first) continue;
    takeIntoCare(d, first, tradeId);
    return d.s.care.has(conId);
  }
  return false;
}

/** A correction or late fill of a trade that this process has not seen end opens it again only where the broker holds what it sums to. */
function brokerHoldsOf(d: Draft, conId: number, tradeId: string): boolean {
  const net = tradedIn(d, tradeId);
  const inCare = (d.s.holdings.get(conId)?.quantity ?? 0) - (d.s.baseline?.get(conId) ?? 0);
  return net !== 0 && Math.sign(net) === Math.sign(inCare);
}

/** A position in care from now on: its P&L stream is asked for, since that is what its stop is watched by (A6). */
export function openCare(d: Draft, care: Care): void {
  putCare(d, care);
  if (d.s.link.isUp) {
    askPrices(d, care.contract.conId);
    if (care.contract.tick <= 0) askContract(d, care.contract);
  }
}

export const askContract = (d: Draft, contract: Contract): void => {
  emit(d, { do: 'request-contract', requestId: contract.conId, symbol: contract.symbol });
};

export const newCare = (d: Draft, contract: Contract): Care => ({
  tradeId: '',
  account: d.s.account,
  contract,
  side: 1,
  origin: 'adopted',
  base: 0,
  agentName: 'operator',
  openedAt: d.at,
  levels: null,
  peak: null,
  jumpSeenAt: null,
  status: 'OPEN',
  exit: null,
  generation: 0,
  failedSells: 0,
  transient: null,
  retryAt: null,
  restRetryAt: null,
  quarantinedAt: null,
  restStop: false,
  withdrawAskedAt: null,
  suspendedUntil: null,
  sendRetryAt: null,
  signal: null,
});

/** What is known of the instrument; a tick of 0 means: ask the broker before placing anything. */
export function contractOf(d: Draft, told: Pick<Execution, 'conId' | 'symbol'>): Contract {
  const known = d.s.contracts.get(told.conId) ?? [...d.s.entries.values()].find(order => order.contract.conId === told.conId)?.contract;
  if (known) return known;
  return {
    conId: told.conId,
    symbol: told.symbol,
    secType: 'STK',
    exchange: 'SMART',
    primaryExchange: '',
    currency: 'USD',
    tick: micros(0),
    multiplier: 1,
  };
}

/** The commission of a fill, in a message of its own and later than the fill. Returns whether it was news. */
export function learnCommission(d: Draft, execId: string, commission: Micros, realizedPnl: Micros | null): boolean {
  const { root } = splitExecId(execId);
  const known = d.s.executions.get(root);
  if (!known || known.commission === commission) return false;
  setExecution(d, root, { ...known, commission });
  write(d, { do: 'write-commission', execId: known.execId, commission, realizedPnl });
  d.touched.add(known.conId);
  return true;
}

/** Executions of one trade, in the order of their time. */
export const executionsOf = (d: Draft, tradeId: string): readonly Booked[] =>
  [...(d.s.byTrade.get(tradeId) ?? [])].sort((a, b) => a.at - b.at || (a.execId < b.execId ? -1 : 1));

/** Average price of one side of a trade, in whichever order its executions come; null when there was none. */
export function averagePriceOf(
  executions: readonly Execution[],
  side: Execution['side'],
): { readonly price: Micros | null; readonly quantity: number } {
  let value = 0;
  let quantity = 0;
  for (const execution of executions) {
    if (execution.side !== side) continue;
    value += execution.price * execution.shares;
    quantity += execution.shares;
  }
  return { price: quantity > 0 ? micros(Math.round(value / quantity)) : null, quantity: shares(quantity) };
}
