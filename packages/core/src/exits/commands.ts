import { isFinal } from '../orders/order.js';
import type { CommandRow } from '../shared-view.js';
import { type Draft, update, type Waiting, write } from './desk.js';
import { exitOrders, heldShares } from './sellable.js';
import { beginExit } from './steer.js';

/** `rest-stops` gives up after this long and says which symbols are still without. */
const REST_STOPS_WAIT_MS = 8_000;

/** Commands from the operator, the supervisor or the day trader: executed once, answered in the same commit. */
export function hearCommand(d: Draft, command: CommandRow): void {
  switch (command.kind) {
    case 'liquidate-all':
      exitEvery(d, command, () => true, 'liquidate');
      return;
    case 'exit-request':
      if (d.s.isMinimal) answer(d, command.id, 'refused', 'minimal after repeated crashes: hard stop, target and end of day only');
      else exitEvery(d, command, symbol => symbol === command.payload.symbol, String(command.payload.reason ?? 'exit-request'));
      return;
    case 'flatten':
      exitEvery(d, command, symbol => symbol === command.payload.symbol, String(command.payload.reason ?? 'manual'));
      return;
    case 'rest-stops':
      update(d, { restAll: true, waiting: [...d.s.waiting, { id: command.id, kind: 'rest-stops', since: d.mono }] });
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

const answer = (d: Draft, id: number, status: 'done' | 'refused', text: string): void =>
  write(d, { do: 'answer-command', id, status, answer: text });

function exitEvery(d: Draft, command: CommandRow, isMeant: (symbol: string) => boolean, reason: string): void {
  const meant = [...d.s.care.values()].filter(
    care => isMeant(care.contract.symbol) && (care.status !== 'CLAIMED' || heldShares(d.s, care) !== 0),
  );
  for (const care of meant) if (!care.exit) beginExit(d, care, reason, `command ${command.id}`);
  answer(
    d,
    command.id,
    'done',
    `${meant.length} position(s) on the way out: ${meant.map(({ contract }) => contract.symbol).join(' ') || 'none in care'}`,
  );
}

/** Answers `rest-stops` once the broker works a stop at the real level for every position, or says which are without. */
export function answerWaiting(d: Draft): void {
  if (d.s.waiting.length === 0) return;
  const without = [...d.s.care.values()].filter(
    care => heldShares(d.s, care) !== 0 && !restsAtRealLevel(d, care.contract.conId, care.levels?.stop ?? null),
  );
  const isDone = without.length === 0;
  const rest: Waiting[] = [];
  for (const waiting of d.s.waiting) {
    if (isDone) answer(d, waiting.id, 'done', `${d.s.care.size} position(s) have a stop resting at the real level`);
    else if (d.mono - waiting.since >= REST_STOPS_WAIT_MS)
      answer(d, waiting.id, 'refused', `no resting stop confirmed for ${without.map(({ contract }) => contract.symbol).join(' ')}`);
    else rest.push(waiting);
  }
  if (rest.length !== d.s.waiting.length) update(d, { waiting: rest });
}

const restsAtRealLevel = (d: Draft, conId: number, stop: number | null): boolean =>
  exitOrders(d.s, conId).some(
    ({ order, modified }) =>
      !isFinal(order) && order.status === 'SUBMITTED' && modified === null && order.type === 'STP' && order.stopPrice === stop,
  );
