import type { ExchangeOrder } from '../exchange-types.js';
import type { CareLine } from './care-ledger.js';
import { Debt } from './debt.js';
import { type Audit, isRefusedExit, isSwallowedExit, type Stand } from './ground.js';
import { isExitClient } from './violation.js';

const isExit = ({ request }: ExchangeOrder): boolean => isExitClient(request.clientId);

/**
 * I1: never an unintended short, or long. Three looks:
 * - an execution of an exit must bring the position nearer to flat and never through it, and never touch the baseline;
 * - what an exit crossed into all the same (excused or not) must be bought back, or sold, within `buyBackMsMax`;
 * - exits that rest must not add up to more than is held for longer than `excessExitsMsMax` (an OCA group counts once).
 *
 * Allowed: a fill that crosses the operator's own trade, or a correction by the exchange, within `operatorGraceMs` of reaction time: nobody
 * could have known, and so is what an order trades whose cancel left within that grace and has not arrived. What is being bought back by orders
 * that trade now, for all of it, waits for the book alone; where the gateway swallows such an order, it was made in time, and the next one has
 * the same patience; where it was refused, the next try comes within `retryWithinMs`. A position that a correction alone turned round is the
 * operator's to judge. Halts and closed hours stop the clocks of the second and third look.
 */
export function neverShort({ ground, rules, say }: Stand): Audit {
  const { bounds } = rules;
  const crossed = new Map<number, Debt>();
  /** What an exit crossed into, and an order that would have ended it was refused. */
  const refused = new Set<number>();
  const excess = new Map<number, Debt>();
  /** By order: the reaction time of its latest cancel. */
  const cancelled = new Map<string, number>();
  const saidCrossed = new Set<string>();
  /** Of instruments whose exits are too many just now. */
  const saidExcess = new Set<number>();
  const once = <K>(said: Set<K>, key: K, { conId, detail }: { readonly conId: number; readonly detail: string }): void => {
    if (said.has(key)) return;
    said.add(key);
    say(conId, detail);
  };

  /** Its cancel left in time and is under way: what it trades until that has arrived nobody can keep back. */
  const wasCancelledInTime = (orderRef: string, line: CareLine): boolean => {
    const at = cancelled.get(orderRef);
    return at !== undefined && ground.reactionMs() - at <= bounds.excessExitsMsMax && ground.isDisturbed(line, at);
  };

  /** Grows the debt of an instrument while `isOwed`, forgets it otherwise; returns what has been owed so far. */
  const owe = (debts: Map<number, Debt>, conId: number, isOwed: boolean): number => {
    if (!isOwed) {
      debts.delete(conId);
      return 0;
    }
    const debt = debts.get(conId) ?? new Debt(ground);
    debts.set(conId, debt);
    debt.pass(ground.isTrading(conId));
    return debt.own;
  };

  const exitsBeyond = (conId: number): number => {
    const held = ground.ledger.known(conId)?.held ?? 0;
    return Math.max(
      ground.potential(conId, 'SELL', isExit) - Math.max(held, 0),
      ground.potential(conId, 'BUY', isExit) - Math.max(-held, 0),
    );
  };

  return {
    execution({ execution, line, before, isCorrection }) {
      const { conId, clientId, execId, orderRef, shares, side } = execution;
      if (isCorrection || !isExitClient(clientId)) return;
      const done = `client ${clientId} ${side === 'BUY' ? 'bought' : 'sold'} ${shares} (${execId}, ${orderRef})`;
      if (ground.isHandsOff(conId)) {
        if (!ground.isEverythingAllowed) say(conId, `${done} in the baseline`);
        return;
      }
      const nearer = before !== 0 && Math.sign(before) !== (side === 'BUY' ? 1 : -1);
      const crosses = Math.sign(line.held) === -Math.sign(before);
      if ((nearer && !crosses) || ground.isDisturbed(line) || wasCancelledInTime(orderRef, line)) return;
      say(conId, `${line.held < 0 ? 'short' : 'long'} ${Math.abs(line.held)} after ${done}, ${before} were held before`);
    },
    fact(fact) {
      if (fact.fact === 'sent' && fact.what === 'cancel') cancelled.set(fact.orderRef, ground.reactionMs());
      if (isRefusedExit(fact) && crossed.has(fact.conId)) refused.add(fact.conId);
      if (isRefusedExit(fact) || isSwallowedExit(fact)) crossed.delete(fact.conId);
    },
    tick() {
      for (const [conId, line] of ground.held()) {
        const owed = owe(crossed, conId, line.crossedAfter !== null && !ground.isLeaving(conId, line));
        if (line.crossedAfter === null) refused.delete(conId);
        if (owed > (refused.has(conId) ? bounds.retryWithinMs : bounds.buyBackMsMax))
          once(saidCrossed, `${conId} ${line.crossedAfter}`, {
            conId,
            detail: `${line.held} shares that an exit overshot into are still held after ${owed} ms`,
          });
      }
      for (const conId of ground.ordered()) {
        if (!ground.hasWorking(conId) && !excess.has(conId)) continue;
        const beyond = ground.isHandsOff(conId) ? 0 : exitsBeyond(conId);
        const owed = owe(excess, conId, beyond > 0);
        if (owed === 0) saidExcess.delete(conId);
        const held = ground.ledger.known(conId)?.held ?? 0;
        if (owed > bounds.excessExitsMsMax)
          once(saidExcess, conId, {
            conId,
            detail: `exits for ${beyond} shares more than the ${held} held have been working for ${owed} ms`,
          });
      }
      for (const conId of crossed.keys()) if (!ground.ledger.known(conId)?.held) crossed.delete(conId);
    },
  };
}
