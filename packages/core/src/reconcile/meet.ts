import type { EventBody } from '../events.js';
import { askSnapshot } from '../exits/adopt.js';
import { type Draft, say, update, updateLink, write } from '../exits/desk.js';
import { BEFORE_HOLDFAST, learnExecution } from '../exits/learn.js';
import { isOurs } from '../orders/order.js';
import { oursOf, takeCovered } from './covered.js';

type Snapshot = Extract<EventBody, { kind: 'snapshot' }>;

/** Net liquidation and cash this close together (micro-dollars) say that nothing is held. */
const NOTHING_HELD = 1_000_000;

/**
 * Whether a positions answer may become the baseline. Right after a gateway start answers may be empty or partial (reference/ibkr-behaviour.md
 * §7), and what is missing from the baseline would be adopted and sold. So it counts when the account's own stream says the same (its
 * portfolio, or no value beside cash), or when a second answer, `positionAgreeMs` later, is equal.
 */
export function mayMeet(d: Draft, told: Snapshot): boolean {
  const held = told.positions.filter(({ account, quantity }) => account === d.s.account && quantity !== 0);
  const holdings = textOf(held.map(({ contract, quantity }) => [contract.conId, quantity]));
  const { portfolio, netLiquidation, cash, first } = d.s.meeting;
  const isEmptyForSure = netLiquidation !== null && cash !== null && Math.abs(netLiquidation - cash) < NOTHING_HELD;
  const isTold = held.length === 0 ? isEmptyForSure : textOf([...portfolio].filter(([, quantity]) => quantity !== 0)) === holdings;
  if (d.s.link.accountReady && isTold) return true;
  const hasAgreed = first !== null && first.holdings === holdings && d.mono - first.at >= d.s.rules.positionAgreeMs;
  if (d.s.link.accountReady && hasAgreed) return true;
  if (first?.holdings !== holdings) update(d, { meeting: { ...d.s.meeting, first: { holdings, at: d.mono } } });
  updateLink(d, { snapshot: null, lastSnapshotAt: d.mono });
  if (first === null) say(d, 'meeting-the-account', { holdings, waitsForMs: d.s.rules.positionAgreeMs }, 'warn');
  return false;
}

const textOf = (holdings: readonly (readonly [number, number])[]): string =>
  [...holdings]
    .sort(([a], [b]) => a - b)
    .map(([conId, quantity]) => `${conId}:${quantity}`)
    .join(' ');

/** Asks again while the account is being met, a few times within the time that two answers must lie apart. */
export function keepMeeting(d: Draft): void {
  const { link, rules } = d.s;
  if (d.s.baseline !== null || link.phase !== 'RECONCILING' || link.snapshot !== null) return;
  if (d.mono - (link.lastSnapshotAt ?? d.mono) >= rules.positionAgreeMs / 4) askSnapshot(d, true);
}

/** What the account holds when Holdfast first meets it is the operator's: hands off, and its earlier executions explain nothing of ours. */
export function meetAccount(d: Draft, told: Snapshot): void {
  const holdings = told.positions
    .filter(({ account }) => account === d.s.account)
    .map(({ contract, quantity }) => ({ contract, quantity: quantity - oursOf(told, { contract, quantity }) }))
    .filter(({ quantity }) => quantity !== 0);
  update(d, { baseline: new Map(holdings.map(({ contract, quantity }) => [contract.conId, quantity])) });
  write(d, { do: 'write-baseline', account: d.s.account, holdings });
  for (const execution of told.executions) learnExecution(d, execution, isOurs(execution.orderRef) ? null : BEFORE_HOLDFAST);
  takeCovered(d, told);
  say(d, 'baseline', {
    account: d.s.account,
    holdings: holdings.map(({ contract, quantity }) => `${contract.symbol}:${quantity}`).join(' '),
  });
}
