import type { EpochMs } from '@holdfast/core/units';
import type { CareLine } from './care-ledger.js';
import { type Audit, exitSideOf, type Ground, type Rules } from './ground.js';
import type { Measurements } from './measures.js';
import { ENTRY_CLIENT, isExitClient } from './violation.js';

/**
 * No referee: measures how long an entry's shares wait for their exits to work at the exchange (DESIGN §8, "entry filled → target and disaster
 * stop working"), where nothing disturbed. `monitored` rests a target alone.
 */
export function watchArming({ ground, rules }: { ground: Ground; rules: Rules }, measured: Measurements): Audit {
  const filledAt = new Map<number, EpochMs>();

  const isArmed = (conId: number, line: CareLine): boolean => {
    const resting = ground.potential(conId, exitSideOf(line), ({ request }) => isExitClient(request.clientId));
    if (resting < Math.abs(line.held)) return false;
    return rules.protection === 'monitored' || ground.isCovered(conId, line, rules.disasterStopBps);
  };

  return {
    execution({ execution, line, before }) {
      const { conId, clientId } = execution;
      if (line.held === 0 || clientId !== ENTRY_CLIENT) filledAt.delete(conId);
      else if (before === 0 && ground.roster.canReact && !ground.isHandsOff(conId)) filledAt.set(conId, ground.now);
    },
    order({ order }) {
      const { conId } = order.request;
      const since = filledAt.get(conId);
      const line = since === undefined ? undefined : ground.ledger.known(conId);
      if (since === undefined || !line || line.held === 0 || !isArmed(conId, line)) return;
      filledAt.delete(conId);
      measured.fillToArmedMs.push(ground.now - since);
    },
    fact() {
      if (!ground.roster.canReact) filledAt.clear();
    },
  };
}
