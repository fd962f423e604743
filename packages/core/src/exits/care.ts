import type { Contract } from '../contract.js';
import type { PositionRow, PositionStatus } from '../shared-view.js';
import { addBps, bps, type EpochMs, type Micros, type MonoMs, type Shares, shares, toTick } from '../units.js';
import type { ExitRules } from './rules.js';

/** Prices at which a position is let go. All from one reference: the entry, or the mark at adoption. */
export interface Levels {
  readonly reference: Micros;
  readonly target: Micros;
  readonly stop: Micros;
  readonly disaster: Micros;
}

/** An exit that has been decided. It is carried on until the position is flat, across restarts. */
export interface ExitPlan {
  readonly reason: string;
  readonly detail: string;
  readonly decidedAt: EpochMs;
  /** Market IOC orders sent so far under this plan, and how many in a row found nobody to trade with. */
  readonly attempts: number;
  readonly emptyAttempts: number;
  readonly lastAttempt: MonoMs | null;
}

/** One position (or claim) in the exit manager's care. What must survive a restart is in its row. */
export interface Care {
  readonly tradeId: string;
  readonly account: string;
  readonly contract: Contract;
  /** The direction it was opened in; the held quantity may briefly have the other sign when a sale overshot. */
  readonly side: 1 | -1;
  readonly origin: 'entry' | 'adopted';
  /** Signed shares that no known execution explains. */
  readonly base: number;
  readonly agentName: string;
  readonly openedAt: EpochMs;
  readonly levels: Levels | null;
  /** The best price the stop trails behind; null until the trail is armed. */
  readonly peak: Micros | null;
  /** A breach was seen that fits a split overnight; the broker is being asked for the quantity. */
  readonly jumpSeenAt: MonoMs | null;
  readonly status: PositionStatus;
  readonly exit: ExitPlan | null;
  /** OCA generation of the resting exits. */
  readonly generation: number;
  readonly failedSells: number;
  /** Refusals that spoke of the moment only, since the last sale that traded. */
  readonly transient: { readonly since: MonoMs; readonly last: MonoMs; readonly tries: number } | null;
  /** No new sale before this machine time, after a rejected one. */
  readonly retryAt: MonoMs | null;
  /** No new resting exit before this machine time, after a rejected one. */
  readonly restRetryAt: MonoMs | null;
  readonly quarantinedAt: EpochMs | null;
  /** The stop rests at its real level, because nobody can be sure to watch it. */
  readonly restStop: boolean;
  /** An order did not leave this process: nothing more is tried before this machine time, so that a dead line is not hammered. */
  readonly sendRetryAt: MonoMs | null;
  /** A bug struck while this symbol was handled: only what rests at the broker protects it until then (DESIGN §1). */
  readonly suspendedUntil: MonoMs | null;
  /** When the day trader was last asked to withdraw this trade's entries. */
  readonly withdrawAskedAt: MonoMs | null;
  readonly signal: string | null;
}

/** Levels from a reference price: target +1.8 %, stop −0.9 %, disaster stop twice that by default, mirrored for shorts, on the contract's tick. */
export function levelsFrom(reference: Micros, care: Pick<Care, 'side' | 'contract'>, rules: ExitRules): Levels {
  const { side, contract } = care;
  const away = side > 0 ? 'up' : 'down';
  const at = (ratio: number): Micros => toTick(addBps(reference, bps(ratio * side)), contract.tick, away);
  return { reference, target: at(rules.targetBps), stop: at(-rules.stopBps), disaster: at(-rules.disasterStopBps) };
}

/** The row of active_positions for a position in care holding `held` signed shares. */
export function rowOf(care: Care, held: Shares, entryPrice: Micros | null, now: EpochMs): PositionRow {
  return {
    tradeId: care.tradeId,
    account: care.account,
    contract: care.contract,
    quantity: held,
    entryPrice: entryPrice ?? care.levels?.reference ?? null,
    entryAt: care.openedAt,
    agentName: care.agentName,
    targetPrice: care.levels?.target ?? null,
    stopPrice: care.levels?.stop ?? null,
    status: care.status,
    updatedAt: now,
    metadata: {
      origin: care.origin,
      base: care.base,
      side: care.side,
      disasterPrice: care.levels?.disaster ?? null,
      ...(care.peak === null ? {} : { peak: care.peak }),
      generation: care.generation,
      exit: care.exit && { reason: care.exit.reason, decidedAt: care.exit.decidedAt },
      failedSells: care.failedSells,
      quarantinedAt: care.quarantinedAt,
      signal: care.signal,
    },
  };
}

/** What a row says of a position, after a restart or when the day trader has claimed a symbol. */
export function careFromRow(row: PositionRow, now: EpochMs): Care {
  const { metadata } = row;
  const reference = row.entryPrice;
  const isComplete = reference !== null && row.targetPrice !== null && row.stopPrice !== null && metadata.disasterPrice !== null;
  return {
    tradeId: row.tradeId,
    account: row.account,
    contract: row.contract,
    side: metadata.side,
    origin: metadata.origin,
    base: metadata.base,
    agentName: row.agentName,
    openedAt: row.entryAt ?? now,
    levels: isComplete ? { reference, target: row.targetPrice, stop: row.stopPrice, disaster: metadata.disasterPrice } : null,
    peak: metadata.peak ?? null,
    jumpSeenAt: null,
    status: row.status,
    exit: metadata.exit && { ...metadata.exit, detail: 'carried on after a restart', attempts: 0, emptyAttempts: 0, lastAttempt: null },
    generation: metadata.generation,
    failedSells: metadata.failedSells,
    transient: null,
    retryAt: null,
    restRetryAt: null,
    quarantinedAt: metadata.quarantinedAt,
    restStop: false,
    withdrawAskedAt: null,
    suspendedUntil: null,
    sendRetryAt: null,
    signal: metadata.signal,
  };
}

/** The row of a fresh claim, as the day trader writes it: nothing held yet. */
export function claimRow(claim: {
  readonly tradeId: string;
  readonly account: string;
  readonly contract: Contract;
  readonly side: 1 | -1;
  readonly agentName: string;
  readonly signal: string | null;
  readonly now: EpochMs;
}): PositionRow {
  return {
    tradeId: claim.tradeId,
    account: claim.account,
    contract: claim.contract,
    quantity: shares(0),
    entryPrice: null,
    entryAt: claim.now,
    agentName: claim.agentName,
    targetPrice: null,
    stopPrice: null,
    status: 'CLAIMED',
    updatedAt: claim.now,
    metadata: {
      origin: 'entry',
      base: 0,
      side: claim.side,
      disasterPrice: null,
      generation: 0,
      exit: null,
      failedSells: 0,
      quarantinedAt: null,
      signal: claim.signal,
    },
  };
}
