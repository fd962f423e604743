import { type Contract, isTradable } from '../contract.js';
import type { BrokerPosition } from '../events.js';
import { isOurs } from '../orders/order.js';
import { boughtLessSold, splitExecId } from '../positions/book.js';
import type { Execution } from '../positions/execution.js';
import { shares } from '../units.js';
import { closeVanished } from './close.js';
import {
  alert,
  askExecutions,
  type Booked,
  type Draft,
  edit,
  emit,
  freshMismatch,
  type Mismatch,
  putCare,
  requestId,
  say,
  setExecution,
  updateLink,
} from './desk.js';
import { newCare, openCare, recoveredId, recoverTradeOf } from './learn.js';
import { exitOrders, heldShares } from './sellable.js';
import { relevel } from './split.js';

/** Executions are asked for at once when a position is not explained, and then this often until it is (DESIGN §3). */
const ASK_EXECUTIONS_EVERY_MS = 10_000;
const ASK_OFTEN_EVERY_MS = 1_000;
const ASK_OFTEN_FOR_MS = 5_000;
const FRESH_EXECUTION_MS = 10_000;
/** A position may lag behind the executions told beside it by some seconds (reference §4): what it holds back is looked at again so soon after. */
const EARLY_LOOKS_MS = [1_000, 3_000, 6_000] as const;
const NEW_LINK_MS = 120_000;
const VANISH_AFTER_CONNECT_MS = 60_000;

export function noteContract(d: Draft, contract: Contract): void {
  const known = d.s.contracts.get(contract.conId);
  if (!known || (known.tick <= 0 && contract.tick > 0)) edit(d, 'contracts').set(contract.conId, contract);
}

/** Takes what the broker says of one holding. Fractions and foreign instruments are hands-off and said so. */
export function hearPosition(d: Draft, told: BrokerPosition): void {
  const { contract, quantity } = told;
  if (told.account !== d.s.account) return;
  const { conId } = contract;
  const known = d.s.contracts.get(conId);
  noteContract(d, contract);
  if (!isTradable(contract) || !Number.isSafeInteger(quantity)) {
    if (!known) say(d, 'hands-off', { symbol: contract.symbol, secType: contract.secType, currency: contract.currency, quantity }, 'warn');
    return;
  }
  edit(d, 'holdings').set(conId, { quantity, heardAt: d.mono });
  d.touched.add(conId);
  const mismatch = d.s.mismatches.get(conId);
  if (!mismatch) return;
  if (mismatch.quantity !== quantity) edit(d, 'mismatches').set(conId, freshMismatch(quantity, d.mono));
  else if (d.mono - mismatch.since >= d.s.rules.positionAgreeMs)
    edit(d, 'mismatches').set(conId, { ...mismatch, answers: mismatch.answers + 1 });
}

/**
 * Compares the broker's position with what we can explain, for one instrument. What executions explain is adopted on sight; what they do
 * not is asked about at once, and believed after two answers far enough apart (DESIGN §3, "order of trust").
 */
export function compareHolding(d: Draft, conId: number): void {
  const holding = d.s.holdings.get(conId);
  if (!holding || d.s.baseline === null || d.s.link.phase !== 'READY') return;
  const care = d.s.care.get(conId);
  const held = care ? heldShares(d.s, care) : 0;
  const difference = holding.quantity - (d.s.baseline.get(conId) ?? 0) - held;
  if (difference === 0) {
    if (d.s.mismatches.has(conId)) edit(d, 'mismatches').delete(conId);
    return;
  }
  // An instrument the account held before is the operator's as a whole, also what he adds to it, until he says `adopt` (I12).
  if (!care && d.s.baseline.has(conId)) return;
  // Executions and position agree: no matter which was told first. A trade that they are on record for is that trade still, not another one.
  if (!care && recoverTradeOf(d, { conId, net: difference })) return;
  if (held === 0 && adoptExplained(d, conId, difference)) return;
  const executedAt = d.s.lastExecution.get(conId);
  if (executedAt !== undefined && holding.heardAt < executedAt && d.mono - executedAt <= FRESH_EXECUTION_MS) return;
  waitForAgreement(d, conId, difference);
}

const looseOf = (d: Draft, conId: number): readonly Booked[] =>
  [...d.s.executions.values()].filter(execution => execution.conId === conId && execution.tradeId === null);

/**
 * Whether an answer soon after a connect tells fills by hand in an instrument of which nothing is held by its own word: right after a gateway start
 * positions may be missing (DESIGN §3), and with nothing in care nobody else would ask before the minute's reconcile.
 */
export function lacksPosition(d: Draft, told: readonly Pick<Execution, 'conId' | 'orderRef'>[]): boolean {
  if (d.mono - (d.s.link.upSince ?? 0) >= NEW_LINK_MS) return false;
  const byHand = new Set(told.filter(({ orderRef }) => !isOurs(orderRef)).map(({ conId }) => conId));
  return [...byHand].some(conId => {
    if (d.s.care.has(conId) || d.s.baseline?.has(conId) === true) return false;
    return (d.s.holdings.get(conId)?.quantity ?? 0) === 0 && boughtLessSold(looseOf(d, conId)) !== 0;
  });
}

/** Executions that belong to no trade add up to just this position: opened by hand or by another tool, and adopted on sight (A5). */
function adoptExplained(d: Draft, conId: number, difference: number): boolean {
  const loose = looseOf(d, conId);
  if (loose.length === 0 || boughtLessSold(loose) !== difference) return false;
  // By hand in a symbol that is claimed: one position, one trade.
  const tradeId = d.s.care.get(conId)?.tradeId ?? adoptedId(d, conId);
  for (const execution of loose) {
    const assigned = { ...execution, tradeId };
    setExecution(d, splitExecId(execution.execId).root, assigned);
    emit(d, { do: 'write-execution', execution: assigned, tradeId, tradeDate: d.s.tradeDate });
  }
  adopt(d, conId, { tradeId, quantity: difference, base: 0 });
  return true;
}

/** A trade of its own; where exits of ours rest for it whose rows were lost with the store, the one they were taken up for. */
function adoptedId(d: Draft, conId: number): string {
  const tradeId = recoveredId(d, conId);
  if (exitOrders(d.s, conId).some(({ order }) => order.tradeId === tradeId)) return tradeId;
  return `adopted-${conId}-${d.s.tradeDate}-${d.s.lease}-${requestId(d)}`;
}

function adopt(d: Draft, conId: number, { tradeId, quantity, base }: { tradeId: string; quantity: number; base: number }): void {
  const contract = d.s.contracts.get(conId);
  if (!contract) return;
  const claim = d.s.care.get(conId);
  const care = claim ?? newCare(d, contract);
  openCare(d, {
    ...care,
    tradeId: claim?.tradeId ?? tradeId,
    side: quantity > 0 ? 1 : -1,
    origin: 'adopted',
    base,
    openedAt: d.at,
    status: 'OPEN',
    levels: null,
    peak: null,
  });
  alert(d, {
    level: 'info',
    code: 'POSITION_ADOPTED',
    symbol: contract.symbol,
    happened: `${quantity} ${contract.symbol} appeared that Holdfast did not buy.`,
    did: 'Adopted it: target, stop and disaster stop start from the price now, so adoption itself sells nothing. It will be flat by the close.',
    todo: 'Nothing, if it is yours and should be protected. Close it in TWS if you want it gone earlier.',
  });
}

function waitForAgreement(d: Draft, conId: number, difference: number): void {
  const holding = d.s.holdings.get(conId);
  if (!holding) return;
  const mismatch = d.s.mismatches.get(conId);
  if (!mismatch) {
    edit(d, 'mismatches').set(conId, freshMismatch(holding.quantity, d.mono));
    askExecutions(d, 0);
    say(d, 'position-unexplained', { conId, difference, brokerQuantity: holding.quantity }, 'warn');
    return;
  }
  // An answer can be lost with its connection: at first asked for often, because what rests follows what executions say.
  askExecutions(d, d.mono - mismatch.since < ASK_OFTEN_FOR_MS ? ASK_OFTEN_EVERY_MS : ASK_EXECUTIONS_EVERY_MS);
  const lookAfterMs = EARLY_LOOKS_MS[mismatch.earlyLooks];
  if (lookAfterMs !== undefined && d.mono - mismatch.since >= lookAfterMs && !d.s.link.snapshot) {
    edit(d, 'mismatches').set(conId, { ...mismatch, earlyLooks: mismatch.earlyLooks + 1 });
    askSnapshot(d);
    return;
  }
  const { positionAgreeMs } = d.s.rules;
  if (mismatch.answers < 2) {
    if (d.mono - mismatch.since < positionAgreeMs || d.mono - mismatch.lastAsked < positionAgreeMs) return;
    edit(d, 'mismatches').set(conId, { ...mismatch, lastAsked: d.mono });
    askSnapshot(d);
    return;
  }
  if (d.s.link.accountReady) correct(d, conId, { difference, mismatch });
}

/** Two answers agree and no execution explains them: the broker is right (executions > position answers > store, DESIGN §3). */
function correct(d: Draft, conId: number, { difference, mismatch }: { difference: number; mismatch: Mismatch }): void {
  edit(d, 'mismatches').delete(conId);
  const care = d.s.care.get(conId);
  const held = care ? heldShares(d.s, care) : shares(0);
  if (!care || (care.status === 'CLAIMED' && held === 0)) {
    adopt(d, conId, { tradeId: adoptedId(d, conId), quantity: difference, base: difference });
    return;
  }
  if (held + difference === 0) {
    if (!hasVanished(d, mismatch)) {
      edit(d, 'mismatches').set(conId, { ...mismatch, answers: 1, lastAsked: d.mono });
      return;
    }
    closeVanished(d, care);
    return;
  }
  putCare(d, { ...relevel(d, care), base: care.base + difference });
  alert(d, {
    level: 'warning',
    code: 'QUANTITY_CORRECTED',
    symbol: care.contract.symbol,
    happened: `The broker twice reported ${held + difference} ${care.contract.symbol} where executions say ${held}, and no execution explains it.`,
    did: `Corrected the position by ${difference} shares; its levels start anew from the price now, and its exits are resized.`,
    todo: 'Look for a split, a transfer or a trade older than today in TWS.',
  });
}

/** Positions may be missing from answers for a while after a gateway start: soon after a connect, gone takes a minute to believe. */
const hasVanished = (d: Draft, { since }: Mismatch): boolean => {
  const isNewLink = since - (d.s.link.upSince ?? 0) < NEW_LINK_MS;
  return !isNewLink || d.mono - since >= VANISH_AFTER_CONNECT_MS;
};

/** Asks for open orders of all clients, executions and positions, unless an answer is already under way. */
export function askSnapshot(d: Draft, isFirst = false): void {
  if (!d.s.link.isUp || (d.s.link.snapshot && !isFirst)) return;
  const id = requestId(d);
  updateLink(d, { snapshot: { id, askedAt: d.mono, tries: 1, isFirst } });
  emit(d, { do: 'request-snapshot', id });
}
