import { tradeDateOf } from '@holdfast/core/calendar';
import { isSettled } from '@holdfast/core/exit-manager';
import { isFinal } from '@holdfast/core/orders/order';
import { micros } from '@holdfast/core/units';
import { type BooksView, compareWithStore } from '@holdfast/sim/audits/store-agrees';
import type { Synchronous } from '@holdfast/store/db';
import { readExecutions } from '@holdfast/store/executions';
import { readOrdersOf } from '@holdfast/store/orders';
import { readRoundTrips } from '@holdfast/store/reports';
import { loadView } from '@holdfast/store/view';
import type { Story } from './nth-call-stories.js';
import { Stage } from './stage.js';

/** What is done to a stage while a story acts. */
export interface Fault {
  /** Installed on the stage when the calls begin to count. */
  arm(s: Stage): void;
  disarm(s: Stage): void;
  readonly hasFired: boolean;
  /** In words: the call that failed. */
  readonly what: string;
}

interface Outcome {
  readonly hasFired: boolean;
  readonly problems: readonly string[];
  /** For a person, when there are problems. */
  readonly told: string;
}

/** In which the exit manager must have got well by itself: longer than any doubt and any deadline of one question. */
const QUIET_MS = 16_000;
const SILENT_QUIET_MS = 40_000;
const QUIET_STEP_MS = 3_000;
/** The gateway is dialled again after so long. */
const REDIAL_MS = 300;
const STEP_MS = 100;

export interface How {
  /** kill −9 at the first turn after the fault. */
  readonly dies?: boolean;
  /** Of the store: OFF, which skips what makes durable, unless said otherwise. */
  readonly synchronous?: Synchronous;
  /** An order whose fate nobody tells takes its deadlines: asked about after 10 s, a new connection after 10 more. */
  readonly isSilent?: boolean;
}

function playUnder(story: Story, fault: Fault, { dies = false, synchronous = 'OFF', isSilent = false }: How): Outcome {
  const s = new Stage({ ...story.options, synchronous, ...(isSilent && { bounds: { exitWithinMs: SILENT_QUIET_MS } }) });
  const problems: string[] = [];
  try {
    story.arrange(s);
    fault.arm(s);
    let hasDied = false;
    const live = (ms: number): void => {
      liveOn(s, ms, () => {
        if (!dies || hasDied || !fault.hasFired || s.stopped) return;
        hasDied = true;
        s.killExitManager();
        s.startExitManager();
      });
    };
    story.act(s, live);
    fault.disarm(s);
    problems.push(...wellAfter(s, story, isSilent ? SILENT_QUIET_MS : QUIET_MS));
  } catch (error) {
    problems.push(`thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    s.close();
  }
  return { hasFired: fault.hasFired, problems, told: `${story.name}: ${fault.what}\n${problems.join('\n')}\n${s.story.join('\n')}` };
}

/** What is still wrong when it has had its time to get well; done with as soon as nothing is, and nothing is under way that could change it. */
function wellAfter(s: Stage, story: Story, msMax: number): readonly string[] {
  for (let passed = 0; ; passed += QUIET_STEP_MS) {
    liveOn(s, QUIET_STEP_MS, () => undefined);
    const problems = problemsOf(s, story);
    if (passed >= msMax || (problems.length === 0 && isSettled(s.exitManager.state))) return problems;
  }
}

/** Time passes; a supervisor starts what ended itself, and a lost connection is made anew. */
function liveOn(s: Stage, ms: number, turn: () => void): void {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    if (s.stopped) {
      s.killExitManager();
      s.startExitManager();
    }
    if (!s.broker.isUp && passed % REDIAL_MS === 0) s.broker.connect();
    s.run(STEP_MS);
    turn();
  }
}

/** Everything that is not as it should be when the faults are over. */
function problemsOf(s: Stage, { ends, reason, also }: Story): string[] {
  const found = s.referee.report().map(({ invariant, detail }) => `${invariant} ${detail}`);
  const { phase, backlog } = s.exitManager.facts();
  if (phase !== 'READY') found.push(`I11 phase ${phase}`);
  if (s.kept() > 0) found.push(`I6 ${s.kept()} steps are still in the emergency file`);
  if (backlog > 0) found.push(`I6 ${backlog} steps are not in the store`);
  if (s.position() !== ends) found.push(`held ${s.position()}, expected ${ends}`);
  if (s.heldInStore() !== s.position()) found.push(`I6 the store holds ${s.heldInStore()}, the broker ${s.position()}`);
  found.push(...restingProblems(s, ends), ...bookProblems(s), ...orderProblems(s));
  const closed = s.closedToday().map(block => block.reason);
  const expected = reason === null ? [] : [reason];
  if (closed.join() !== expected.join()) found.push(`closed today for [${closed.join()}], expected [${expected.join()}]`);
  if (also) found.push(...also(s));
  return found;
}

function restingProblems(s: Stage, ends: number): string[] {
  const resting = s.resting();
  if (ends === 0) return resting.map(line => `orphan ${line}`);
  const side = ends > 0 ? 'SELL' : 'BUY';
  const expected = [`${side} ${Math.abs(ends)} LMT`, `${side} ${Math.abs(ends)} STP`];
  const kinds = resting.map(line => line.split(' ').slice(0, 3).join(' ')).toSorted();
  return kinds.join() === expected.join() ? [] : [`I2 rests ${resting.join(', ') || 'nothing'}, expected ${expected.join(', ')}`];
}

function bookProblems(s: Stage): string[] {
  const date = tradeDateOf(s.exchangeTime);
  const told = s.exchange.executions();
  const trips = readRoundTrips(s.reader, date);
  const earned = told.reduce(
    (sum, { side, shares, price, commission }) => sum + (side === 'SELL' ? 1 : -1) * shares * price - commission,
    0,
  );
  const booked = trips.reduce((sum, { pnl }) => sum + (pnl ?? 0), 0);
  // An adopted position earns from the mark at its adoption, and an open one nothing yet.
  const isComparable = s.position() === 0 && trips.every(({ origin }) => origin === 'entry');
  const truth: BooksView = {
    positions: [],
    executions: told.map(({ execId, symbol, side, shares, price, orderRef }) => ({ execId, symbol, side, shares, price, orderRef })),
    realizedPnl: micros(isComparable ? earned : 0),
  };
  const store: BooksView = { positions: [], executions: readExecutions(s.reader, date), realizedPnl: micros(isComparable ? booked : 0) };
  return compareWithStore(truth, store, { at: s.exchangeTime }).map(({ invariant, detail }) => `${invariant} ${detail}`);
}

/** Of the exit manager's orders the store believes alive exactly those that are, and no position has two rows. */
function orderProblems(s: Stage): string[] {
  const date = tradeDateOf(s.exchangeTime);
  const alive = readOrdersOf(s.reader, date).filter(order => order.worker === 'exit-manager' && !isFinal(order) && order.status !== 'LOST');
  const working = s.exchange.openOrders().filter(({ request }) => request.clientId === 10);
  const refs = (list: readonly (string | undefined)[]): string => list.toSorted().join(', ') || 'none';
  const [ours, theirs] = [refs(alive.map(({ orderRef }) => orderRef)), refs(working.map(({ request }) => request.orderRef))];
  const found = ours === theirs ? [] : [`I6 the store believes alive ${ours}, at the broker ${theirs}`];
  const { positions } = loadView(s.reader, { worker: 'day-trader', tradeDate: date, now: s.exchangeTime });
  if (s.position() === 0 && positions.length > 0) found.push(`I6 flat, and the store has ${positions.map(({ status }) => status).join()}`);
  return found;
}

/** The end of a loop that does not end: far more calls than any story makes. */
const NTH_MAX = 400;

export interface Counted {
  /** Stories in which the fault fired. */
  readonly fired: number;
  readonly failures: readonly string[];
}

/** n = 1, 2, 3 … until the story comes to its end without the fault having fired. */
export function untilUntouched(story: Story, faultOf: (nth: number) => Fault, how: How = {}): Counted {
  const failures: string[] = [];
  for (let nth = 1; nth <= NTH_MAX; nth += 1) {
    const { hasFired, problems, told } = playUnder(story, faultOf(nth), how);
    if (problems.length > 0) failures.push(`n = ${nth}${how.dies ? ', then kill -9' : ''}: ${told}`);
    if (!hasFired) return { fired: nth - 1, failures };
  }
  throw new Error(`${story.name}: the fault still fired at call ${NTH_MAX}`);
}
