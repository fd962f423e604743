import { tradeDateOf } from '@holdfast/core/calendar';
import { epochMs, micros } from '@holdfast/core/units';
import { insertCommand } from '@holdfast/store/commands';
import { setKillSwitch } from '@holdfast/store/kill-switch';
import { attempt } from '@holdfast/store/refusal';
import type { Faults } from './faults.js';
import type { World } from './world.js';

/** What people do: trade by hand, press the switch, ask for things. */

const COMMAND_LIVES_MS = 60_000;

const isBaseline = (world: World, conId: number): boolean => world.baseline.some(held => held.conId === conId);

/** Whether there was anything to do. */
type HandAct = (world: World, faults: Faults) => boolean;

/** A person trades while everything works: who trades into a fault of the line may be sold twice, and nobody could have told. */
export const inCalm =
  (act: HandAct) =>
  (world: World, faults: Faults): void => {
    const isCalm = () => world.machine.process('exit-manager')?.phase === 'READY' && world.gateway.isIdle;
    faults.whenCalm(isCalm, () => act(world, faults));
  };

function trade(world: World, order: { conId: number; side: 'BUY' | 'SELL'; quantity: number; kind: string }): boolean {
  if (!world.exchange.isTrading(order.conId)) return false;
  world.bit(order.kind);
  world.exchange.manualTrade(order.conId, order.side, order.quantity);
  return true;
}

const heldInCare = (world: World) =>
  world.exchange.positions().filter(({ conId, quantity }) => quantity !== 0 && !isBaseline(world, conId));

/** Sells (or buys back) part or all of a position in care, at times while its exit is at work. */
export function handSell(world: World, { random }: Faults): boolean {
  const held = heldInCare(world);
  const one = held[random.below(Math.max(1, held.length))];
  if (!one) return false;
  const all = Math.abs(one.quantity);
  const quantity = random.chance(1, 3) ? all : random.between(1, all);
  const isWorking = world.exchange.openOrders().some(({ request }) => request.conId === one.conId && request.type === 'MKT');
  const kind = isWorking ? 'hand sell while an exit works' : 'hand sell';
  return trade(world, { conId: one.conId, side: one.quantity > 0 ? 'SELL' : 'BUY', quantity, kind });
}

/** Sells (or buys back) all of a position at the very moment in which its exit leaves: one of the two crosses through zero. */
export function handRace(world: World, faults: Faults): void {
  world.gateway.race(conId => {
    const { quantity } = world.exchange.position(conId);
    if (!faults.areOver || quantity === 0) return false;
    const side = quantity > 0 ? 'SELL' : 'BUY';
    return trade(world, { conId, side, quantity: Math.abs(quantity), kind: 'hand sell while an exit works' });
  });
}

/** Adds to a position in care. */
export function handBuy(world: World, { random }: Faults): boolean {
  const held = heldInCare(world);
  const one = held[random.below(Math.max(1, held.length))];
  if (!one) return false;
  return trade(world, {
    conId: one.conId,
    side: one.quantity > 0 ? 'BUY' : 'SELL',
    quantity: random.between(1, 60),
    kind: 'hand add',
  });
}

/** Opens a position by hand in a symbol nobody holds, long or short: it is adopted. */
export function handOpen(world: World, { random }: Faults): boolean {
  const active = new Set(world.exchange.positions().flatMap(({ conId, quantity }) => (quantity === 0 ? [] : [conId])));
  for (const { request } of world.exchange.openOrders()) active.add(request.conId);
  const free = world.exchange.instruments.filter(({ conId }) => !active.has(conId));
  const one = free[random.below(Math.max(1, free.length))];
  if (!one) return false;
  const isShort = random.chance(1, 2);
  return trade(world, {
    conId: one.conId,
    side: isShort ? 'SELL' : 'BUY',
    quantity: random.between(1, 80),
    kind: isShort ? 'hand open short' : 'hand open long',
  });
}

/** An order of the operator's own that rests far away, in any symbol: nobody may touch it. */
export function handOrder(world: World, { random }: Faults): void {
  const { instruments } = world.exchange;
  const one = instruments[random.below(instruments.length)];
  if (!one || !world.exchange.isTrading(one.conId)) return;
  const { bid } = world.exchange.quote(one.conId);
  if (bid === 0) return;
  world.bit('hand order');
  world.exchange.place({
    clientId: 0,
    orderId: -1_000_000 - random.below(1_000_000),
    conId: one.conId,
    side: 'BUY',
    quantity: random.between(1, 20),
    type: 'LMT',
    limitPrice: (Math.floor((bid * 6) / 10 / one.tick) * one.tick) as typeof bid,
    tif: 'DAY',
    transmit: true,
  });
}

/** The newest execution of an order of ours. */
const lastOfOurs = ({ exchange }: World) => exchange.executions().findLast(({ clientId, shares }) => clientId !== 0 && shares > 0);

export function correct(world: World): void {
  const last = lastOfOurs(world);
  if (last) world.gateway.gateway.correct(last.execId, { price: micros(last.price + 10_000) });
}

export function bust(world: World): boolean {
  const last = lastOfOurs(world);
  return last !== undefined && world.gateway.gateway.correct(last.execId, { shares: 0 });
}

function command(world: World, kind: string, payload: Record<string, string>): boolean {
  const now = world.time.exchange();
  const asked = attempt(() =>
    insertCommand(world.operator, {
      target: kind === 'halt' || kind === 'resume' ? 'day-trader' : 'exit-manager',
      kind,
      payload,
      tradeDate: tradeDateOf(now),
      expiresAt: epochMs(now + COMMAND_LIVES_MS),
      createdBy: 'operator',
      now,
    }),
  );
  if (asked.ok) world.bit(`command ${kind}`);
  return asked.ok;
}

/** Entries off: what works is withdrawn. On again some minutes later; a day trader that was away meanwhile is told once more. */
export function haltEntries(world: World, faults: Faults): void {
  if (!command(world, 'halt', {})) return;
  faults.lingers(faults.random.between(20_000, 200_000), () => {
    for (const ms of [0, 30_000, 70_000]) world.later(ms, () => command(world, 'resume', {}));
  });
}

export function flatten(world: World, { random }: Faults): void {
  const held = heldInCare(world);
  const one = held[random.below(Math.max(1, held.length))];
  if (one) command(world, 'flatten', { symbol: one.symbol });
}

export const restStops = (world: World): void => void command(world, 'rest-stops', {});

const setSwitch = (world: World, on: boolean): boolean =>
  attempt(() =>
    setKillSwitch(world.operator, { on, reason: on ? 'a person pressed it' : 'released', actor: 'operator', now: world.time.exchange() }),
  ).ok;

/** Released by a person minutes of exchange time later, so that signals come meanwhile. */
function releaseLater(world: World, faults: Faults): void {
  const release = (): boolean => {
    if (!setSwitch(world, false)) return false;
    world.tell({ fact: 'kill-switch', on: false });
    return true;
  };
  world.tell({ fact: 'kill-switch', on: true });
  faults.lingers(faults.random.between(20_000, 900_000), () => {
    world.machine.isHalted = false;
    // A worker that had read the file writes its row a moment later: the person looks again.
    world.later(1_000, release);
    world.later(10_000, release);
  });
}

/** The switch in the store, or the HALT file beside it. */
export function killSwitch(world: World, faults: Faults): void {
  if (faults.random.chance(1, 2)) {
    if (!setSwitch(world, true)) return;
  } else world.machine.isHalted = true;
  world.bit('kill switch');
  releaseLater(world, faults);
}

/**
 * What `liquidate-all` does while there is an exit manager to ask, whatever becomes of that in the middle of it: entries off, everything in care
 * to be sold by it or by its successor. How the tool takes its place is shown with real processes (test/e2e/one-authority.test.ts).
 */
export function liquidate(world: World, faults: Faults): void {
  if (faults.random.chance(1, 2)) return;
  world.machine.isHalted = true;
  setSwitch(world, true);
  command(world, 'liquidate-all', {});
  releaseLater(world, faults);
}
