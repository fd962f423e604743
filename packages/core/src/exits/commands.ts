import { isFinal } from '../orders/order.js';
import type { CommandRow } from '../shared-view.js';
import { type Draft, update, type Waiting, write } from './desk.js';
import { exitOrders, heldShares } from './sellable.js';
import { beginExit } from './steer.js';

/** `rest-stops` gives up after this long and says which symbols are still without. */
const REST_STOPS_WAIT_MS = 8_000;

/**
 * Commands from the operator, the supervisor or the day trader: executed once, answered in the same commit. One that waits for the broker
 * stays pending in the table, so that it outlives this process, and may be told again.
 */
export function hearCommand(d: Draft, command: CommandRow): void {
  if (d.s.waiting.some(waiting => waiting.command.id === command.id)) return;
  switch (command.kind) {
    case 'liquidate-all':
    case 'flatten':
      exitEvery(d, command);
      return;
    case 'exit-request':
      if (d.s.isMinimal) answer(d, command.id, 'refused', 'minimal after repeated crashes: hard stop, target and end of day only');
      else exitEvery(d, command);
      return;
    case 'rest-stops':
      update(d, { restAll: true });
      wait(d, command);
      for (const conId of d.s.care.keys()) d.touched.add(conId);
      return;
    case 'halt':
      // Concerns entries; exits are never blocked.
      if (command.id > 0) answer(d, command.id, 'done', "exits go on; entries are the day trader's");
      return;
    default:
      answer(d, command.id, 'refused', `the exit manager knows no command "${command.kind}"`);
  }
}

const wait = (d: Draft, command: CommandRow): void => update(d, { waiting: [...d.s.waiting, { command, since: d.mono }] });

const answer = (d: Draft, id: number, status: 'done' | 'refused', text: string): void =>
  write(d, { do: 'answer-command', id, status, answer: text });

const reasonOf = ({ kind, payload }: CommandRow): string =>
  kind === 'liquidate-all' ? 'liquidate' : String(payload.reason ?? (kind === 'flatten' ? 'manual' : kind));

/** What is known goes at once. Before the reconcile that is not all there is: it is looked at again, and answered, when READY. */
function exitEvery(d: Draft, command: CommandRow): void {
  const isMeant = (symbol: string): boolean => command.kind === 'liquidate-all' || symbol === command.payload.symbol;
  const meant = [...d.s.care.values()].filter(
    care => isMeant(care.contract.symbol) && (care.status !== 'CLAIMED' || heldShares(d.s, care) !== 0),
  );
  for (const care of meant) if (!care.exit) beginExit(d, care, reasonOf(command), `command ${command.id}`);
  if (d.s.link.phase !== 'READY') {
    wait(d, command);
    return;
  }
  answer(
    d,
    command.id,
    'done',
    `${meant.length} position(s) on the way out: ${meant.map(({ contract }) => contract.symbol).join(' ') || 'none in care'}`,
  );
}

/** Carries on what waits: exits when READY, stops once they rest. */
export function answerWaiting(d: Draft): void {
  const { waiting } = d.s;
  if (waiting.length === 0) return;
  update(d, { waiting: [] });
  for (const one of waiting) {
    if (one.command.kind !== 'rest-stops') exitEvery(d, one.command);
    else if (!answerRestStops(d, one)) update(d, { waiting: [...d.s.waiting, one] });
  }
}

/** Answers once the broker works a stop at the real level for every position, or says which are without. False: not yet. */
function answerRestStops(d: Draft, { command, since }: Waiting): boolean {
  const without = [...d.s.care.values()].filter(
    care => heldShares(d.s, care) !== 0 && !restsAtRealLevel(d, care.contract.conId, care.levels?.stop ?? null),
  );
  if (without.length > 0 && d.mono - since < REST_STOPS_WAIT_MS) return false;
  if (without.length === 0) answer(d, command.id, 'done', `${d.s.care.size} position(s) have a stop resting at the real level`);
  else answer(d, command.id, 'refused', `no resting stop confirmed for ${without.map(({ contract }) => contract.symbol).join(' ')}`);
  return true;
}

const restsAtRealLevel = (d: Draft, conId: number, stop: number | null): boolean =>
  exitOrders(d.s, conId).some(
    ({ order, modified }) =>
      !isFinal(order) && order.status === 'SUBMITTED' && modified === null && order.type === 'STP' && order.stopPrice === stop,
  );
