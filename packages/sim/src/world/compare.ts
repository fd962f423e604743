import { tradeDateOf } from '@holdfast/core/calendar';
import { isFinal, isOurs } from '@holdfast/core/orders/order';
import { type Micros, micros } from '@holdfast/core/units';
import { readExecutions } from '@holdfast/store/executions';
import { readLiveOrders } from '@holdfast/store/orders';
import { readPositions } from '@holdfast/store/positions';
import { readRoundTrips } from '@holdfast/store/reports';
import { type BooksView, compareWithStore } from '../audits/store-agrees.js';
import type { Violation } from '../audits/violation.js';
import type { World } from './world.js';

/** I6 at a quiet moment: the exchange's books against ours, the baseline left out of both. */
export function compareDesk(world: World): readonly Violation[] {
  const date = tradeDateOf(world.time.exchange());
  // A trade that began on an earlier day has executions the exchange no longer tells; its P&L was compared share by share meanwhile.
  const whole = symbolsTradedWhole(world);
  return compareWithStore(truthOf(world, whole), storeOf(world, date, whole), { at: world.time.exchange() });
}

const isCared = ({ baseline }: World, conId: number): boolean => !baseline.some(held => held.conId === conId);

const caredExecutions = (world: World) => world.exchange.executions().filter(({ conId }) => isCared(world, conId));
const caredPositions = (world: World) =>
  world.exchange.positions().filter(({ conId, quantity }) => isCared(world, conId) && quantity !== 0);

/**
 * Symbols whose executions of today begin and end flat, and whose result the desk can know: when a store is lost and an older copy takes its
 * place, trades that ended before are rebuilt from the executions of the day by their entries. One that was opened by hand had no entry;
 * its fills are told again and compared, but that they were a trade of ours stood in the lost file alone.
 */
function symbolsTradedWhole(world: World): ReadonlySet<string> {
  const net = new Map<string, number>();
  for (const { symbol, side, shares } of caredExecutions(world))
    net.set(symbol, (net.get(symbol) ?? 0) + (side === 'BUY' ? shares : -shares));
  const held = new Set(caredPositions(world).map(({ symbol }) => symbol));
  const { stoodAt } = world.place;
  if (stoodAt !== null)
    for (const { symbol, orderRef, at } of caredExecutions(world)) if (at <= stoodAt && !isOurs(orderRef)) net.delete(symbol);
  return new Set([...net].flatMap(([symbol, sum]) => (sum === 0 && !held.has(symbol) ? [symbol] : [])));
}

function truthOf(world: World, whole: ReadonlySet<string>): BooksView {
  const executions = caredExecutions(world);
  let realized = 0;
  for (const { symbol, side, shares, price, commission } of executions) {
    if (whole.has(symbol)) realized += (side === 'SELL' ? 1 : -1) * shares * price - commission;
  }
  const symbols = new Map(world.exchange.instruments.map(({ conId, symbol }) => [conId, symbol]));
  return {
    positions: caredPositions(world),
    executions,
    realizedPnl: micros(realized),
    orders: world.exchange
      .openOrders()
      .filter(({ request }) => isOurs(request.orderRef ?? ''))
      .map(({ request }) => ({ orderRef: request.orderRef ?? '', symbol: symbols.get(request.conId) ?? '' })),
  };
}

function storeOf(world: World, date: ReturnType<typeof tradeDateOf>, whole: ReadonlySet<string>): BooksView {
  const { operator } = world;
  const rows = readPositions(operator);
  const earned = readRoundTrips(operator, date).reduce(
    (sum: number, trip: { symbol: string; pnl: Micros | null }) => sum + (whole.has(trip.symbol) ? (trip.pnl ?? 0) : 0),
    0,
  );
  return {
    positions: rows.filter(({ quantity }) => quantity !== 0).map(({ contract, quantity }) => ({ symbol: contract.symbol, quantity })),
    // What the operator does in the baseline may be on record too: it is his, and nobody's to compare. Fills of earlier days the exchange no
    // longer tells.
    executions: readExecutions(operator, date).filter(({ conId, at }) => isCared(world, conId) && tradeDateOf(at) === date),
    realizedPnl: micros(earned),
    orders: readLiveOrders(operator, date)
      .filter(order => !isFinal(order))
      .map(({ orderRef, contract }) => ({ orderRef, symbol: contract.symbol })),
    claims: rows.filter(({ quantity }) => quantity === 0).map(({ contract, status }) => ({ symbol: contract.symbol, status })),
  };
}
