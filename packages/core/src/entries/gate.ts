import type { Contract } from '../contract.js';
import type { QuoteUpdate } from '../events.js';
import { sizeEntry } from '../risk/sizing.js';
import { checkSpread } from '../risk/spread.js';
import { addBps, bps, type EpochMs, type Micros, micros, type Shares, toTick } from '../units.js';
import { activeSymbols, closedReason, committedMoney } from './active.js';
import { type DayTraderState, isReconciled } from './desk.js';
import type { Watched } from './watched.js';

/** A signal that may be acted on, with what it would buy; or the first rule that says no. */
export type Passage =
  | { readonly ok: true; readonly contract: Contract; readonly limitPrice: Micros; readonly quantity: Shares; readonly limitedBy: string }
  | Refusal;

interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly detail: string;
}

const refuse = (code: string, detail: string): Refusal => ({ ok: false, code, detail });

/**
 * May this signal be acted on? From what is known in memory, rules top to bottom; the store checks claim, block, baseline, kill switch and
 * guard once more in the claim's own transaction. Arming comes last, so that an unarmed desk records what it would have bought.
 */
export function passGate(s: DayTraderState, watched: Watched, at: EpochMs): Passage {
  const { contract } = watched;
  if (!contract) return refuse('NO_CONTRACT', 'the contract is not known yet');
  const refused = mayEnter(s) ?? mayEnterSymbol(s, watched, contract) ?? quoteServes(s, watched, at);
  if (refused) return refused;
  const { quote } = watched;
  if (!quote) return refuse('NO_QUOTE', 'no quote yet');
  const passage = size(s, contract, quote);
  if (passage.ok && !s.rules.entriesEnabled)
    return refuse('NOT_ARMED', `entries are not armed; would buy ${passage.quantity} at ${passage.limitPrice / 1e6} at most`);
  return passage;
}

/** No guard, no entry (DESIGN §1): and nothing while this process itself is not sure of its orders. */
function mayEnter(s: DayTraderState): Refusal | null {
  const { killSwitch, guard } = s.view;
  if (killSwitch.on) return refuse('KILL_SWITCH', `entries are off until a person resumes (${killSwitch.reason ?? 'no reason given'})`);
  if (s.isHalted) return refuse('KILL_SWITCH', 'entries are halted by command');
  if (s.isCancelOnly) return refuse('CANCEL_ONLY', 'started only to withdraw entries');
  if (!isReconciled(s)) return refuse('NOT_READY', `the day trader is ${s.link.phase}`);
  if (!guard.alive || guard.phase !== 'READY')
    return refuse('EXIT_MANAGER_NOT_READY', `no guard, no entry: the exit manager is ${guard.alive ? guard.phase : 'not running'}`);
  return null;
}

function mayEnterSymbol(s: DayTraderState, { shut }: Watched, contract: Contract): Refusal | null {
  const { symbol, conId } = contract;
  const closedFor = closedReason(s, symbol);
  if (closedFor !== null) return refuse('CLOSED_TODAY', `${symbol} was closed on ${s.tradeDate} (${closedFor})`);
  if (shut?.on === s.tradeDate) return refuse(shut.code, shut.detail);
  const active = activeSymbols(s);
  const status = active.get(symbol);
  if (status !== undefined) return refuse('ALREADY_ACTIVE', `${symbol} is already ${status}`);
  const held = s.view.baseline.find(({ contract }) => contract.conId === conId || contract.symbol === symbol);
  if (held) return refuse('BASELINE', `the account held ${held.quantity} ${symbol} before: hands off`);
  if (active.size >= s.rules.maxPositions)
    return refuse('MAX_POSITIONS', `${active.size} positions and claims, at most ${s.rules.maxPositions}`);
  return null;
}

function quoteServes(s: DayTraderState, { quote, quotedAt }: Watched, at: EpochMs): Refusal | null {
  if (!quote || quotedAt === null) return refuse('NO_QUOTE', 'no quote yet');
  if (quote.halted) return refuse('HALTED', 'trading in it is halted');
  if (quote.delayed && !s.rules.delayedDataAllowed) return refuse('DELAYED_DATA', 'delayed quotes may not drive entries here');
  if (at - quotedAt > s.rules.quoteAgeMsMax) return refuse('STALE_QUOTE', `the quote is ${at - quotedAt} ms old`);
  const spread = checkSpread({ bid: quote.bid, ask: quote.ask, stopBps: bps(s.rules.stopBps) });
  return spread.ok ? null : refuse(spread.code, spread.detail);
}

/** The smallest of allocation, buying power and what other entries have left of it. Zero shares is a refusal that names its limit. */
function size(s: DayTraderState, contract: Contract, quote: QuoteUpdate): Passage {
  const { rules, funds } = s;
  const { netLiquidation, buyingPower, spentSince, isReady } = funds;
  if (netLiquidation === null || buyingPower === null)
    return refuse('FUNDS_UNKNOWN', 'the account has not told its net liquidation and buying power');
  if (!isReady) return refuse('ACCOUNT_NOT_READY', 'the broker says that account values are not valid now');
  const limitPrice = toTick(addBps(quote.ask, bps(rules.limitBufferBps)), contract.tick, 'up');
  const sizing = sizeEntry({
    allocation: rules.allocation,
    equity: netLiquidation,
    buyingPower,
    caps: [{ name: 'buying power left by other entries', amount: micros(buyingPower - spentSince - committedMoney(s)) }],
    limitPrice,
    multiplier: contract.multiplier,
  });
  if (!sizing.ok) return refuse(sizing.code, sizing.detail);
  return { ok: true, contract, limitPrice, quantity: sizing.shares, limitedBy: sizing.limitedBy };
}
