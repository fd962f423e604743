import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@holdfast/sim/random';
import { ROOT } from '../e2e/harness.js';
import { getsWell, passes } from './calm.js';
import { createHangman } from './hangman.js';
import { type DayPlan, openShortDay, type ShortDay } from './short-day.js';
import { hunt, storm } from './storm.js';
import { count, type SoakViolation, type Tally } from './tally.js';

/** Storm, calm, hunt, calm: so often a day. */
const ROUNDS = 3;
const STORM_MS = [9_000, 15_000] as const;
const HUNT_MS = 6_000;
const PASSING_MS = 2_000;
/** Past this the exchange has closed, and nothing more can be learned. */
const BEFORE_CLOSE_MS = 60_000;

export interface DayRun {
  readonly plan: DayPlan;
  readonly number: number;
  readonly tally: Tally;
  /** Somebody wants it to end now. */
  readonly isOver: () => boolean;
  /** The soak has what it wants: no further storm, but the last one is got over. */
  readonly isEnough: () => boolean;
  readonly say: (line: string) => void;
}

/** Runs one short day and adds it to the tally. Whatever happens, nothing of it runs when this returns. */
export async function runDay({ plan, number, tally, isOver, isEnough, say }: DayRun): Promise<void> {
  const day = await openShortDay(plan);
  const random = createRandom(plan.seed, 'soak');
  const hangman = createHangman(day, tally, random);
  const weather = { day, hangman, tally, random, isOver };
  const found: SoakViolation[] = [];
  const find = (findings: readonly Pick<SoakViolation, 'invariant' | 'symbol' | 'detail'>[]): void => {
    for (const { invariant, symbol, detail } of findings) found.push({ invariant, seed: plan.seed, day: number, symbol, detail });
  };
  const calm = async (): Promise<boolean> => {
    const { ms, findings } = await getsWell(day, isOver);
    if (ms !== null) tally.recoveryMs.push(ms);
    find(findings);
    return findings.length === 0 && !isOver();
  };
  try {
    hangman.startSupervisor();
    let goesOn = await calm();
    // The first start is no recovery.
    tally.recoveryMs.pop();
    for (let round = 1; goesOn && !isEnough() && round <= ROUNDS && day.exchange.now < day.session.close - BEFORE_CLOSE_MS; round += 1) {
      await storm(weather, random.between(...STORM_MS));
      if (!(await calm())) break;
      if (await passes(day, PASSING_MS, { handSale: round % 2 === 1, isOver })) count(tally.faults, 'sold by hand');
      await hunt(weather, HUNT_MS);
      if (!(await calm())) break;
      await passes(day, PASSING_MS, { handSale: false, isOver });
      goesOn = await calm();
      tally.recoveryMs.pop();
    }
    find(day.seen());
    const surprise = hangman.surprise();
    if (surprise !== null) find([{ invariant: 'A4', symbol: '', detail: surprise }]);
    day.tell(tally);
  } finally {
    hangman.end();
    tally.violations.push(...found);
    if (found.length > 0) say(`evidence: ${keep(day, number, found)}`);
    await day.close();
  }
}

/** Copies store, logs and what was done to the day to where they outlive it. */
function keep(day: ShortDay, number: number, found: readonly SoakViolation[]): string {
  const folder = join(ROOT, 'var', 'soak', `seed-${day.seed}-day-${number}-${day.mode}`);
  mkdirSync(folder, { recursive: true });
  cpSync(day.desk.folder, folder, { recursive: true });
  const { exchange } = day;
  const fills = exchange
    .executions()
    .map(
      one => `${one.at} ${one.side} ${one.shares} ${one.symbol} @ ${one.price / 1e6} client ${one.clientId} ${one.orderRef} ${one.execId}`,
    );
  const orders = [...exchange.openOrders(), ...exchange.completedOrders()].map(
    ({ request, status, filled, reason, acceptedAt, finishedAt }) =>
      `${acceptedAt}–${finishedAt ?? ''} ${request.clientId}/${request.orderId} conId ${request.conId} ${request.side} ${request.quantity} ${request.type} ${request.tif} ${status} filled ${filled} ${request.orderRef ?? ''} ${reason ?? ''}`,
  );
  const words = [...found.map(one => JSON.stringify(one)), '', ...day.notes, '', ...fills, '', ...orders];
  writeFileSync(join(folder, 'story.txt'), `${words.join('\n')}\n`);
  return folder;
}
