import { sessionOf, tradeDate } from '@holdfast/core/calendar';
import { CLIENT_ID, isEntryRef, isOurs } from '@holdfast/core/orders/order';
import { isoTime, micros } from '@holdfast/core/units';
import { mono } from '@holdfast/engine/live';
import type { WorldFact } from '@holdfast/sim/audits/facts';
import { createReferee } from '@holdfast/sim/audits/referee';
import { type BooksView, compareWithStore } from '@holdfast/sim/audits/store-agrees';
import type { Violation } from '@holdfast/sim/audits/violation';
import { createExchange } from '@holdfast/sim/exchange';
import type { ExchangeEvent, ExchangePort } from '@holdfast/sim/exchange-types';
import { startGateway, type WireMessage } from '@holdfast/sim/gateway/gateway';
import { createSyntheticDay } from '@holdfast/sim/market/synthetic';
import { readDailyPnl } from '@holdfast/store/daily';
import type { Db } from '@holdfast/store/db';
import { readExecutions } from '@holdfast/store/executions';
import { readPositions } from '@holdfast/store/positions';
import { readRoundTrips } from '@holdfast/store/reports';
import { placeDesk } from '../e2e/harness.js';
import { waitFor } from '../e2e/waiting.js';
import { createExposure, NOTHING } from './exposure.js';
import { openLine } from './line.js';
import { swayingMarket } from './swaying-market.js';
import { count, type Tally } from './tally.js';
import { createTroubles } from './troubles.js';

/**
 * One short trading day: a synthetic market that can be pushed, the gateway and its referees in this process, a line in between that can go
 * bad, and a desk of real processes with a store of its own.
 */

export type Mode = 'guarded' | 'monitored' | 'resting';
export const MODES: readonly Mode[] = ['guarded', 'monitored', 'resting'];

export interface DayPlan {
  readonly seed: number;
  /** New York time at which the day is met. */
  readonly start: string;
  readonly speed: number;
  readonly mode: Mode;
  /** Whether three crashes in a minute make the next exit manager a minimal one, as they do in production. */
  readonly isMinimalAllowed: boolean;
}

export type ShortDay = Awaited<ReturnType<typeof openShortDay>>;

export const DATE = tradeDate('2026-03-09');
const ACCOUNT = 'DU1234567';
const BASELINE_SYMBOL = 'KOLA';
const BASELINE_SHARES = 50;
/**
 * A supervisor that is stopped for 12 s starts nobody meanwhile; then come its first look, the start, and perhaps one more kill on the way.
 * Without such a stop the exposure report says how long it really was.
 */
const UNGUARDED_MS_MAX = 25_000;

/** desk.yaml's session.flatMinutesBeforeClose as it is by default. */
export const FLAT_MINUTES_BEFORE_CLOSE = 15;

/** Entries often, so that there is something to lose: what is asked of a signal is less than by default. The bounds of risk stay. */
const ENTRIES = {
  allocation: 0.1,
  maxPositions: 8,
  ttlSeconds: 30,
  scanner: { enabled: false },
  strategies: { standard: { rsiMax: 90, atrBpsMin: 5 }, gapAndGo: { rsiMax: 90 } },
};

export async function openShortDay({ seed, start, speed, mode, isMinimalAllowed }: DayPlan) {
  const source = swayingMarket(createSyntheticDay({ seed, date: DATE }));
  const session = sessionOf(DATE);
  const spare = source.instruments.find(({ symbol }) => symbol === BASELINE_SYMBOL);
  if (!spare) throw new Error(`the synthetic market does not list ${BASELINE_SYMBOL}`);
  const baseline = { conId: spare.conId, quantity: BASELINE_SHARES };
  const holdings = [{ ...baseline, averageCost: spare.previousClose }];
  const exchange = createExchange({ source, session, account: ACCOUNT, seed, holdings });
  const referee = createReferee({
    instruments: source.instruments,
    baseline: [baseline],
    session,
    protection: mode,
    flatMinutesBeforeClose: FLAT_MINUTES_BEFORE_CLOSE,
    bounds: { unguardedMsMax: UNGUARDED_MS_MAX },
  });
  const exposure = createExposure(new Set([baseline.conId]));
  let onMessage: ((message: WireMessage) => void) | null = null;
  let onEvent: ((event: ExchangeEvent, machineAt: number) => void) | null = null;
  let orders = 0;
  const gateway = await startGateway({
    exchange,
    source,
    port: 0,
    speed,
    start,
    waitFor: [CLIENT_ID['exit-manager'], CLIENT_ID['day-trader']],
    onExchangeEvent: (event, machineAt) => {
      referee.observe(event, machineAt);
      exposure.observe(event, machineAt);
      onEvent?.(event, machineAt);
    },
    onClient: ({ clientId, connected, machineNow }) => {
      if (connected) referee.connected(clientId, machineNow);
      else referee.disconnected(clientId, machineNow);
      if (clientId === CLIENT_ID['exit-manager']) exposure.line(connected, machineNow);
    },
    onMessage: message => {
      if (message.direction === 'in' && Number(message.fields[0]) === 3) orders += 1;
      onMessage?.(message);
    },
  });
  const line = await openLine(gateway.port);
  const desk = placeDesk(
    {
      config: {
        mode: 'demo',
        account: ACCOUNT,
        exits: { protection: mode },
        entries: { ...ENTRIES, watchlist: source.instruments.map(({ symbol }) => symbol) },
        // A storm is many orders a minute for good reasons; the cap has its own tests.
        wireCap: { ordersPerMinute: 600 },
        log: { level: 'debug' },
      },
      supervision: {
        backoffFirstMs: 50,
        backoffMsMax: 150,
        parkAfterCrashes: 1_000_000,
        ...(isMinimalAllowed ? {} : { minimalWindowMs: 1 }),
      },
    },
    line.port,
  );
  const look = <T>(read: (db: Db) => T): T | null => {
    try {
      return desk.look(read);
    } catch (error) {
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return null;
      throw error;
    }
  };
  const troubles = createTroubles(fact => referee.tell(fact, { at: exchange.now, machine: mono() }));
  const notes: string[] = [];
  const began = mono();
  const watching = setInterval(() => {
    const at = mono();
    exposure.beat(desk.heartbeat('exit-manager'), at);
  }, 10);

  return {
    seed,
    speed,
    mode,
    source,
    session,
    exchange,
    gateway,
    line,
    desk,
    exposure,
    baseline,
    /** The gateway is away for so long; with `rollbackIds` the last order ids are issued again after it. */
    outage: (ms: number, rollbackIds?: number): void => {
      if (rollbackIds === undefined) gateway.outage(ms);
      else gateway.restart(ms, rollbackIds);
      troubles.begin('broker', ms);
    },
    /** Nothing passes for so long, in either direction, and no connection closes. */
    mute: (ms: number): void => {
      line.mute(ms);
      troubles.begin('line', ms);
    },
    /** For a while orders and cancels reach the exchange this much later. */
    lateOrders: (ms: number, forMs: number): void => {
      gateway.holdOrders(ms);
      troubles.begin('line', forMs, () => gateway.holdOrders(0));
    },
    /** Ends all that, and waits until the gateway accepts connections. */
    heal: async (): Promise<void> => {
      line.heal();
      await waitFor('the gateway to be back', () => gateway.truth().accepting);
      troubles.end();
    },
    /** Facts that the referees cannot see at the exchange. */
    tellReferee: (fact: WorldFact): void => referee.tell(fact, { at: exchange.now, machine: mono() }),
    /** A stopped exit manager has a connection and cannot react: for the referees it is away. */
    isAwake: (awake: boolean): void => {
      const id = CLIENT_ID['exit-manager'];
      if (!awake) referee.disconnected(id, mono());
      else if (gateway.truth().clients.includes(id)) referee.connected(id, mono());
    },
    /** What was done to this day, for whoever must find out what went wrong. */
    note: (words: string): void => {
      notes.push(`${isoTime(exchange.now).slice(11, 23)} +${((mono() - began) / 1_000).toFixed(3)} ${words}`);
    },
    notes,
    onMessage: (look: ((message: WireMessage) => void) | null): void => {
      onMessage = look;
    },
    onEvent: (look: ((event: ExchangeEvent, machineAt: number) => void) | null): void => {
      onEvent = look;
    },
    /** What the referees have seen so far. */
    seen: () => referee.report(),
    /** I6: where store and exchange differ now. */
    differences: (): readonly Violation[] =>
      look(db => compareWithStore(truthOf(exchange, baseline.conId), storeView(db), { at: exchange.now })) ?? [
        { invariant: 'I6', at: exchange.now, symbol: '', detail: 'the store is locked' },
      ],
    /** What the store calls a position or a claim; null while somebody who was stopped in the middle of a commit keeps it locked. */
    activeInStore: (): readonly number[] | null => look(db => readPositions(db).map(({ contract }) => contract.conId)),
    /** Everything in care at the exchange. */
    inCare: () => exchange.positions().filter(({ conId, quantity }) => conId !== baseline.conId && quantity !== 0),
    /** Adds the day to the tally. */
    tell: (tally: Tally): void => {
      tally.days += 1;
      tally.orders += orders;
      tally.entries += [...exchange.openOrders(), ...exchange.completedOrders()].filter(({ request }) =>
        isEntryRef(request.orderRef ?? ''),
      ).length;
      tally.executions += exchange.executions().length;
      for (const { exitReason } of desk.look(db => readRoundTrips(db, DATE))) count(tally.exits, exitReason);
      const now = exposure.report(mono());
      const known = tally.exposure[mode] ?? NOTHING;
      tally.exposure[mode] = {
        unwatchedMs: Math.max(known.unwatchedMs, now.unwatchedMs),
        nakedMs: Math.max(known.nakedMs, now.nakedMs),
        newNakedMs: Math.max(known.newNakedMs, now.newNakedMs),
        unwatched: known.unwatched + now.unwatched,
        naked: known.naked + now.naked,
      };
    },
    close: async (): Promise<void> => {
      clearInterval(watching);
      troubles.end();
      onMessage = null;
      onEvent = null;
      await desk.close();
      await line.close();
      await gateway.close();
    },
  };
}

/** Everything but the baseline; realized is what each round trip brought, from the first purchase to flat, commissions included. */
function truthOf(exchange: ExchangePort, spare: number): BooksView {
  const positions = exchange.positions().filter(({ conId, quantity }) => conId !== spare && quantity !== 0);
  const executions = exchange.executions().filter(({ conId }) => conId !== spare);
  const open = new Map<number, { shares: number; cash: number }>();
  let realized = 0;
  for (const { conId, side, shares, price, commission } of executions) {
    const round = open.get(conId) ?? { shares: 0, cash: 0 };
    const sign = side === 'SELL' ? 1 : -1;
    round.shares -= sign * shares;
    round.cash += sign * shares * price - commission;
    if (round.shares === 0) {
      realized += round.cash;
      open.delete(conId);
    } else open.set(conId, round);
  }
  return { positions, executions, realizedPnl: micros(realized) };
}

const storeView = (db: Db): BooksView => ({
  positions: readPositions(db)
    .filter(({ quantity }) => quantity !== 0)
    .map(({ contract, quantity }) => ({ symbol: contract.symbol, quantity })),
  executions: readExecutions(db, DATE),
  realizedPnl: micros(readDailyPnl(db, DATE).reduce((sum, day) => sum + day.realizedPnl, 0)),
});

/** Working orders of ours in one instrument: the reducing ones, by type. */
export const restingOf = ({ exchange }: Pick<ShortDay, 'exchange'>, conId: number): readonly string[] =>
  exchange
    .openOrders()
    .filter(
      ({ request, status }) =>
        request.conId === conId && request.side === 'SELL' && isOurs(request.orderRef ?? '') && status !== 'PendingCancel',
    )
    .map(({ request }) => request.type);
