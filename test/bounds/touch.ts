import { sessionOf } from '@holdfast/core/calendar';
import { fromDollars } from '@holdfast/core/units';
import { markOf } from '@holdfast/sim/audits/violation';
import { createExchange } from '@holdfast/sim/exchange';
import type { ExchangeEvent } from '@holdfast/sim/exchange-types';
import { startGateway } from '@holdfast/sim/gateway/gateway';
import { BENCH_DATE, benchMarket } from '../bench/bench-market.js';
import { placeDesk } from '../e2e/harness.js';
import { pause, waitFor } from '../e2e/waiting.js';
import { createArmingClock } from './arming-clock.js';

/** Adopted at $50 the stop is 49.55 and the disaster stop 49.10: between them only the watched stop acts. */
const CALM = 50;
const BEYOND = 49.4;
const STOP = fromDollars(49.55);
const SHARES = 100;
/** Trades go on below the stop, a few a second: the P&L stream speaks once a second, when the value has changed. */
const WOBBLE_MS = 150;
/** So many positions at a time, each touched at an instant of its own. */
const AT_ONCE = 8;

export interface TouchTimes {
  /** The quote that puts the mark at or below the stop → a marketable exit accepted by the exchange, the cancels included. */
  readonly touches: readonly number[];
  /** Bought by hand → target and disaster stop working. */
  readonly adopted: readonly number[];
}

/** With the real supervisor and both workers, exchange time at 1×, guarded protection, nothing wrong. Milliseconds. */
export async function measureTouches(n: number, say: (line: string) => void): Promise<TouchTimes> {
  const symbols = Array.from({ length: AT_ONCE }, (_, index) => `T${String.fromCharCode(65 + index)}`);
  const market = benchMarket(symbols);
  const exchange = createExchange({ source: market, session: sessionOf(BENCH_DATE), startingCash: fromDollars(1_000_000) });
  const clock = createArmingClock(0);
  const touchedAt = new Map<number, number>();
  const touches: number[] = [];
  const gateway = await startGateway({
    exchange,
    source: market,
    port: 0,
    start: '09:31',
    onExchangeEvent: (event, machineAt) => {
      clock.observe(event, machineAt);
      observe(event, machineAt);
    },
  });
  function observe(event: ExchangeEvent, machineAt: number): void {
    if (event.kind === 'quote' && markOf(event.quote) <= STOP && !touchedAt.has(event.quote.conId))
      touchedAt.set(event.quote.conId, machineAt);
    if (event.kind !== 'order' || event.order.request.clientId !== 10 || event.order.request.type !== 'MKT') return;
    const began = touchedAt.get(event.order.request.conId);
    // The order speaks again when it fills: only its first word counts.
    if (began === undefined || Number.isNaN(began)) return;
    touches.push(machineAt - began);
    touchedAt.set(event.order.request.conId, Number.NaN);
  }
  const desk = placeDesk(
    { config: { mode: 'paper', entries: { scanner: { enabled: false }, watchlist: symbols }, wireCap: { ordersPerMinute: 600 } } },
    gateway.port,
  );
  let begun = 0;
  const one = async (symbol: string, conId: number): Promise<void> => {
    await pause(Math.random() * 3_000);
    while (begun < n) {
      begun += 1;
      const armed = clock.times.length;
      touchedAt.delete(conId);
      gateway.manualTrade(symbol, 'BUY', SHARES);
      const resting = (): number =>
        exchange.openOrders().filter(({ request }) => request.conId === conId && request.clientId === 10).length;
      await waitFor(`target and disaster stop of ${symbol}`, () => resting() === 2, { lastSeen: desk.story });
      await pause(1_500 + Math.random() * 1_500);
      let cents = 0;
      const wobble = (): void => {
        cents = (cents + 1) % 4;
        market.move(conId, BEYOND - cents / 100);
      };
      wobble();
      const wobbling = setInterval(wobble, WOBBLE_MS);
      try {
        await waitFor(`${symbol} flat`, () => exchange.positions().every(line => line.conId !== conId || line.quantity === 0), {
          lastSeen: desk.story,
        });
      } finally {
        clearInterval(wobbling);
      }
      // Back above the stop, and the P&L stream of the closed position is over.
      market.move(conId, CALM);
      await pause(1_500);
      if (touches.length % 20 === 0 && clock.times.length > armed) say(`${touches.length} of ${n} touched stops`);
    }
  };
  try {
    desk.start('supervisor');
    await desk.ready('exit-manager');
    await desk.ready('day-trader');
    await Promise.all(exchange.instruments.map(({ symbol, conId }) => one(symbol, conId)));
    return { touches, adopted: clock.times };
  } finally {
    await desk.close();
    await gateway.close();
  }
}
