import type { MonoMs } from '@holdfast/core/units';
import type { Audit, Stand } from './ground.js';
import type { Measurements } from './measures.js';

type Owed = 'exit-manager' | 'day-trader';
const WORKERS: readonly Owed[] = ['exit-manager', 'day-trader'];

/**
 * I11: when faults stop, the system is READY again within the bound, without a person: the exit manager within `exitManagerReadyMs`, the
 * day trader within `dayTraderReadyMs` of machine time, and they stay so while it is quiet (a lapse has the same bound).
 *
 * Allowed: a parked day trader where the policy parks; a worker that a person stopped on purpose; any time in which the broker cannot be
 * reached, for then nobody can be READY.
 */
export function getsWell({ ground, rules, say }: Stand, measured: Measurements): Audit {
  const within = { 'exit-manager': rules.bounds.exitManagerReadyMs, 'day-trader': rules.bounds.dayTraderReadyMs };
  const unwanted = new Set<string>();
  const parked = new Set<string>();
  let mayPark = true;
  let isQuiet = false;
  let isFirst = true;
  const since = new Map<Owed, MonoMs>();
  const said = new Set<Owed>();
  /** Still to be measured since faults ended. */
  const unmeasured = new Map<Owed, MonoMs>();

  const settle = (worker: Owed): void => {
    const isExcused = unwanted.has(worker) || (parked.has(worker) && mayPark);
    const isOwed = isQuiet && ground.roster.knowsProcesses && ground.roster.brokerIsReachable && !isExcused;
    if (!isOwed || ground.roster.isReady(worker)) {
      const began = unmeasured.get(worker);
      if (isOwed && began !== undefined) {
        unmeasured.delete(worker);
        measured.readyMs[worker].push(ground.machine - began);
      }
      since.delete(worker);
      said.delete(worker);
      return;
    }
    const began = since.get(worker) ?? ground.machine;
    since.set(worker, began);
    if (ground.machine - began <= within[worker] || said.has(worker)) return;
    said.add(worker);
    say(null, `the ${worker} is not READY ${Math.round(ground.machine - began)} ms after faults ended (bound ${within[worker]})`);
  };
  const settleAll = (): void => {
    for (const worker of WORKERS) settle(worker);
  };

  return {
    fact(fact) {
      if (fact.fact === 'faults') {
        const hadFaults = !isQuiet && !isFirst;
        isFirst = false;
        isQuiet = !fact.active;
        since.clear();
        said.clear();
        unmeasured.clear();
        if (isQuiet && hadFaults) for (const worker of WORKERS) unmeasured.set(worker, ground.machine);
      } else if (fact.fact === 'parked') setMember(parked, fact.worker, fact.parked);
      else if (fact.fact === 'wanted') setMember(unwanted, fact.worker, !fact.wanted);
      else if (fact.fact === 'policy') mayPark = fact.mayPark;
      settleAll();
    },
    tick: settleAll,
  };
}

function setMember(set: Set<string>, name: string, isIn: boolean): void {
  if (isIn) set.add(name);
  else set.delete(name);
}
