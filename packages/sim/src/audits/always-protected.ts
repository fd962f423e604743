import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { CareLine } from './care-ledger.js';
import { type Audit, isRefusedExit, isSwallowedExit, type Stand } from './ground.js';
import type { Measurements } from './measures.js';

const BLIND = 'the exit manager sees no live mark and no stop rests at its real level';

interface Exposure {
  /** Machine time without protection, the broker reachable. */
  ms: number;
  /** The same while nobody could reach the broker: measured, never blamed. */
  outageMs: number;
  lookedAt: MonoMs;
  seenAt: EpochMs;
  isSaid: boolean;
  /** The gateway refused what was to protect it: the next try may take longer. */
  isRetry: boolean;
  /** A start of the exit manager hung meanwhile. */
  hadHungStart: boolean;
  why: string;
}

/**
 * I2: a position in care is protected. What protects it:
 * - a marketable exit on its way for all of it;
 * - a stop at its real level, on the right side and for the whole quantity, in every mode; in `resting` nothing less;
 * - else in `monitored` and `guarded`: an exit manager that is awake, connected and reconciled, and whose marks of it flow. Blindness is
 *   forgiven for `blindMsMax` of reaction time (`silentMsMax` where nothing moves at all): by then the stop must rest at its real level;
 * - with every exit manager dead (gone, stopped or never reconnected): the disaster stop, for the whole quantity.
 *
 * Allowed: `unguardedMsMax` of machine time at a stretch (entry filled until armed, killed until READY, while exits change), and once
 * `hungStartMs` more where the successor hung in its start, before a heartbeat of its own: only waiting can tell that from a slow start. Time in which
 * nobody can reach the broker does not count, nor do hours in which stops do not act. A stop or a sale that the gateway refuses starts the
 * clock afresh, with the patience of a retry; one that the gateway swallows starts it afresh without. A split suspends the levels.
 */
export function alwaysProtected({ ground, rules, say }: Stand, measured: Measurements): Audit {
  const { bounds, protection } = rules;
  const exposures = new Map<number, Exposure>();
  /** When the gateway last refused what was to protect it: perhaps before it was needed. */
  const refusedAt = new Map<number, MonoMs>();
  const wasRefused = (conId: number): boolean => ground.machine - (refusedAt.get(conId) ?? -Infinity) <= bounds.retryWithinMs;

  /** Who has just bought, or just heard of it, has had no mark to lose before. */
  const isTooBlind = (conId: number, { openedAfter }: CareLine): boolean => {
    const heldMs = ground.reactionMs() - openedAfter;
    const blindMs = Math.min(heldMs, ground.roster.blindMs(conId, ground.now));
    const stillMs = Math.min(heldMs, ground.roster.stillMs(ground.now));
    return blindMs > bounds.blindMsMax || stillMs > bounds.silentMsMax;
  };

  /** Why nothing protects it now, or null. */
  const exposed = (conId: number, line: CareLine): string | null => {
    const { roster } = ground;
    if (ground.isLeaving(conId, line) || (!line.isSplit && ground.isCovered(conId, line, rules.stopBps))) return null;
    const isDead = roster.guardIsDead;
    if (protection === 'resting' && roster.knowsProcesses) return 'no stop rests at its real level for the whole quantity';
    if (roster.guardIsAble) return isTooBlind(conId, line) && !line.isSplit ? BLIND : null;
    if (isDead && ground.isCovered(conId, line, rules.disasterStopBps)) return null;
    return isDead ? 'neither exit manager nor a resting stop for all of it' : 'the exit manager runs, but is not connected and READY';
  };

  const settle = (conId: number, line: CareLine | undefined): void => {
    const why = !line || line.held === 0 || ground.isHandsOff(conId) || !ground.isRegular ? null : exposed(conId, line);
    const known = exposures.get(conId);
    if (known) {
      // Marks live in exchange time: who sees none is blind for as long as the exchange goes on, however fast.
      const passed = known.why === BLIND ? ground.now - known.seenAt : ground.machine - known.lookedAt;
      if (wasReachable) known.ms += passed;
      else known.outageMs += passed;
      known.lookedAt = ground.machine;
      known.seenAt = ground.now;
      judge(conId, known);
    }
    if (why === null) {
      if (known) measured.exposure({ conId, ms: known.ms, outageMs: known.outageMs, why: known.why });
      exposures.delete(conId);
    } else if (known) known.why = why;
    else
      exposures.set(conId, {
        ms: 0,
        outageMs: 0,
        lookedAt: ground.machine,
        seenAt: ground.now,
        isSaid: false,
        isRetry: wasRefused(conId),
        hadHungStart: false,
        why,
      });
  };

  const judge = (conId: number, exposure: Exposure): void => {
    const msMax = bounds.unguardedMsMax + (exposure.hadHungStart ? bounds.hungStartMs : 0);
    if (exposure.isSaid || exposure.ms <= (exposure.isRetry ? bounds.retryWithinMs : msMax)) return;
    exposure.isSaid = true;
    const held = ground.ledger.known(conId)?.held ?? 0;
    say(
      conId,
      `${held} shares unprotected for ${Math.round(exposure.ms)} ms of ${exposure.why === BLIND ? 'exchange' : 'machine'} time (bound ${msMax}): ${exposure.why}`,
    );
  };

  const settleAll = (): void => {
    for (const [conId, line] of ground.held()) settle(conId, line);
    for (const conId of exposures.keys()) settle(conId, ground.ledger.known(conId));
  };
  let wasReachable = true;

  return {
    order: ({ order }) => {
      const { conId } = order.request;
      const line = ground.ledger.known(conId);
      if (line?.held || exposures.has(conId)) settle(conId, line);
    },
    execution: ({ execution, line }) => settle(execution.conId, line),
    fact(fact) {
      settleAll();
      if (fact.fact === 'process' && ground.roster.hangsInItsStart(fact.processId))
        for (const exposure of exposures.values()) exposure.hadHungStart = true;
      if (isRefusedExit(fact)) refusedAt.set(fact.conId, ground.machine);
      if (isRefusedExit(fact) || isSwallowedExit(fact)) {
        const exposure = exposures.get(fact.conId);
        if (exposure) Object.assign(exposure, { ms: 0, isRetry: exposure.isRetry || isRefusedExit(fact) });
      }
      wasReachable = ground.roster.brokerIsReachable;
    },
    tick: settleAll,
  };
}
