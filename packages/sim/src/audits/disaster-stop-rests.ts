import type { CareLine } from './care-ledger.js';
import { Debt } from './debt.js';
import { type Audit, isRefusedExit, type Stand } from './ground.js';

/**
 * I2 in `guarded`: the disaster stop matters once every process is dead, and nobody knows when that will be. So it, or a nearer one, rests for
 * all that is held whenever the exit manager has had `restWithinMs` of reaction time to put it there, whoever lives.
 *
 * Allowed: while what is held is being sold by orders that trade now; halts and closed hours stop the clock; what the gateway refuses starts
 * it afresh. A split suspends the levels.
 */
export function disasterStopRests({ ground, rules, say }: Stand): Audit {
  const debts = new Map<number, Debt>();
  const said = new Set<number>();
  if (rules.protection !== 'guarded') return {};

  const settle = (conId: number, line: CareLine): void => {
    const isOwed = !line.isSplit && !ground.isLeaving(conId, line) && !ground.isCovered(conId, line, rules.disasterStopBps);
    if (!isOwed) {
      debts.delete(conId);
      said.delete(conId);
      return;
    }
    const debt = debts.get(conId) ?? new Debt(ground);
    debts.set(conId, debt);
    debt.pass(ground.isTrading(conId));
    if (debt.own <= rules.bounds.restWithinMs || said.has(conId)) return;
    said.add(conId);
    say(conId, `${line.held} shares without a disaster stop for ${debt.own} ms in which the exit manager could have placed it`);
  };

  return {
    tick() {
      if (!ground.roster.knowsProcesses) return;
      for (const [conId, line] of ground.held()) settle(conId, line);
      for (const conId of debts.keys()) if (!ground.ledger.known(conId)?.held) debts.delete(conId);
    },
    fact(fact) {
      if (isRefusedExit(fact)) debts.delete(fact.conId);
    },
  };
}
