import { mono } from '@holdfast/engine/live';
import type { WorkerApp } from '../e2e/harness.js';
import { pause } from '../e2e/waiting.js';
import { FLAT_MINUTES_BEFORE_CLOSE, restingOf, type ShortDay } from './short-day.js';
import type { SoakViolation } from './tally.js';

/** What a quiet phase found wrong. */
export type Finding = Pick<SoakViolation, 'invariant' | 'symbol' | 'detail'>;

/** A gateway that comes back after 3 s of outage, a hang seen after 5: then READY within 10 s, and the books agree within as much again. */
const READY_MS_MAX = 20_000;
const AGREE_MS_MAX = 15_000;
/**
 * An exit that an answer leaves out is doubted when a second answer agrees, ten seconds later (`waitsForSecondAnswer`). Where it has filled, but to
 * less than it was to grow to while its sender was killed, the rest is waited for another two seconds (`FILL_UNTOLD_MS`); then its place is taken.
 */
const PROTECTED_MS_MAX = 15_000;

const WORKERS: readonly WorkerApp[] = ['exit-manager', 'day-trader'];

const isReady = ({ desk }: ShortDay, worker: WorkerApp): boolean => {
  const beat = desk.heartbeat(worker);
  return beat?.phase === 'READY' && mono() - beat.mono < 1_000 && desk.owns(beat.pid, worker);
};

/** Waits until `isSo` or the time is up; returns the machine milliseconds it took, or null. */
async function within(ms: number, isSo: () => boolean, isOver: () => boolean): Promise<number | null> {
  const began = mono();
  while (mono() - began < ms) {
    if (isSo()) return mono() - began;
    if (isOver()) return null;
    await pause(20);
  }
  return isSo() ? mono() - began : null;
}

/**
 * Faults have stopped: the desk gets well by itself. READY (I11), store == broker (I6), and everything held has at the broker what its
 * protection mode promises (I2). Returns how long it took, and what was missing.
 */
export async function getsWell(
  day: ShortDay,
  isOver: () => boolean,
): Promise<{ readonly ms: number | null; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const ready = await within(READY_MS_MAX, () => WORKERS.every(worker => isReady(day, worker)), isOver);
  if (isOver()) return { ms: null, findings };
  if (ready === null) {
    for (const worker of WORKERS.filter(one => !isReady(day, one))) {
      const beat = day.desk.heartbeat(worker);
      const word = beat ? `${beat.phase}, last beat ${Math.round(mono() - beat.mono)} ms ago` : 'no heartbeat';
      findings.push({
        invariant: 'I11',
        symbol: '',
        detail: `the ${worker} is not READY ${READY_MS_MAX / 1_000} s after the last fault (${word})`,
      });
    }
    return { ms: null, findings };
  }
  let differences = day.differences();
  const agreed = await within(
    AGREE_MS_MAX,
    () => {
      differences = day.differences();
      return differences.length === 0;
    },
    isOver,
  );
  if (agreed === null && !isOver()) findings.push(...differences);
  let naked: readonly string[] = [];
  const settled = await within(
    PROTECTED_MS_MAX,
    () => {
      naked = unprotected(day);
      return naked.length === 0;
    },
    isOver,
  );
  if (settled === null && !isOver())
    findings.push(
      ...naked.map(symbol =>
        isFlatTime(day)
          ? { invariant: 'I7', symbol, detail: 'held, trading, and everything was to be flat' }
          : { invariant: 'I2', symbol, detail: `held, and ${day.mode} protection does not rest at the broker` },
      ),
    );
  return { ms: agreed === null || settled === null ? null : ready + agreed + settled, findings };
}

const isFlatTime = ({ exchange, session }: ShortDay): boolean => exchange.now > session.close - FLAT_MINUTES_BEFORE_CLOSE * 60_000;

/** What is held and trades, but has no target, or no stop where the mode wants one. A market sale under way is the best protection. */
function unprotected(day: ShortDay): readonly string[] {
  if (isFlatTime(day))
    return day
      .inCare()
      .filter(({ conId }) => day.exchange.isTrading(conId))
      .map(({ symbol }) => symbol);
  return day
    .inCare()
    .filter(({ conId }) => day.exchange.isTrading(conId))
    .filter(({ conId }) => {
      const resting = restingOf(day, conId);
      if (resting.includes('MKT')) return false;
      const hasTarget = resting.includes('LMT');
      return !hasTarget || (day.mode !== 'monitored' && !resting.includes('STP'));
    })
    .map(({ symbol }) => symbol);
}

/**
 * Time passes at full speed. In the middle somebody sells part of a position by hand, in real time: the exits must shrink before the price
 * may reach them.
 */
export async function passes(
  day: ShortDay,
  ms: number,
  { handSale, isOver }: { handSale: boolean; isOver: () => boolean },
): Promise<boolean> {
  const until = mono() + ms;
  const held = day.inCare().filter(({ conId, quantity }) => quantity >= 20 && day.exchange.isTrading(conId));
  const one = held[0];
  const sells = handSale && !isFlatTime(day) && one !== undefined && isReady(day, 'exit-manager');
  if (sells) {
    day.gateway.setSpeed(1);
    day.note(`sold by hand: some ${one.symbol}`);
    day.gateway.manualTrade(one.symbol, 'SELL', Math.floor(one.quantity / 20) * 10);
    await pause(2_000);
    day.gateway.setSpeed(day.speed);
  }
  while (mono() < until && !isOver()) await pause(20);
  return sells;
}
