import { tradeDateOf } from '@holdfast/core/calendar';
import { epochMs } from '@holdfast/core/units';
import type { Violation } from '@holdfast/sim/audits/violation';
import type { PaceReport } from '@holdfast/sim/gateway/pace';
import { insertCommand } from '@holdfast/store/commands';
import { compareBooks, inCare } from './books.js';
import type { Kill } from './chaos.js';
import type { Stage } from './stage.js';
import { livingProcesses } from './workshop.js';

/** What a day came to, judged at the exchange. */
export interface DemoOutcome {
  readonly violations: readonly Violation[];
  readonly kills: readonly Kill[];
  readonly isFlat: boolean;
  readonly isWholeDay: boolean;
  readonly isBaselineUntouched: boolean;
  readonly baseline: { readonly symbol: string; readonly quantity: number };
  readonly pace: PaceReport;
}

/** Last commissions and closes take a moment: the comparison of the books may be repeated for so long, machine time. */
const SETTLE_MS_MAX = 10_000;
const STOP_MS_MAX = 30_000;
/** Exchange time, which may run fast. */
const STOP_EXPIRES_MS = 3_600_000;

/** The verdict of all referees. Taken while everything still runs: only then "when faults stop, store == broker" (I6) means something. */
export async function judge(stage: Stage): Promise<DemoOutcome> {
  const { machine, gateway, exchange, workshop, baseline, referee, chaos, run } = stage;
  // The day is over: what is left is waiting for last words, and that happens in real time.
  const { pace } = gateway.truth();
  gateway.setSpeed(1);
  const until = machine.mono() + SETTLE_MS_MAX;
  const hasOpenCare = (): boolean => run.until === undefined && inCare(exchange, baseline).length > 0;
  let disagreements = compareBooks(workshop.db, exchange, baseline);
  while ((disagreements.length > 0 || hasOpenCare() || chaos?.isWaiting) && machine.mono() < until) {
    chaos?.look();
    await machine.sleep(100);
    disagreements = compareBooks(workshop.db, exchange, baseline);
  }
  const held = exchange.positions().find(({ conId }) => conId === baseline.conId)?.quantity ?? 0;
  return {
    violations: [...referee.report(), ...disagreements],
    kills: chaos?.kills ?? [],
    isFlat: inCare(exchange, baseline).length === 0,
    isWholeDay: exchange.now >= stage.close,
    isBaselineUntouched: held === baseline.quantity && exchange.executions().every(({ conId }) => conId !== baseline.conId),
    baseline: { symbol: run.day.baseline.symbol, quantity: held },
    pace,
  };
}

/** The graceful stop that a person would ask for; whoever is still there after it is killed by the caller, by pid. */
export async function stopInOrder(stage: Stage): Promise<void> {
  const { machine, workshop, exchange, supervisor } = stage;
  insertCommand(workshop.db, {
    target: 'supervisor',
    kind: 'stop',
    payload: { force: true },
    tradeDate: tradeDateOf(exchange.now),
    expiresAt: epochMs(exchange.now + STOP_EXPIRES_MS),
    createdBy: 'demo',
    now: exchange.now,
  });
  const until = machine.mono() + STOP_MS_MAX;
  while (machine.mono() < until && livingProcesses(machine, workshop, supervisor).length > 0) await machine.sleep(50);
}
