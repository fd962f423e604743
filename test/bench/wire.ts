import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CLIENT_ID } from '@holdfast/core/orders/order';
import { readPositions } from '@holdfast/store/positions';
import { waitFor } from '../e2e/waiting.js';
import type { Answer } from './answer-clock.js';
import { BARE_CLIENT_ID } from './bare-client-id.js';
import type { BenchOptions } from './benches.js';
import type { BenchResult } from './report.js';
import { figure, type Spread, spreadOf } from './statistics.js';
import { openWireDesk, SPEED, type WireDesk } from './wire-desk.js';

/**
 * Wire to wire: the bytes of the price that confirms a touched stop go to the socket → the first bytes of the answer are read at the gateway.
 * The real exit manager (its own process, its store on disk) and a bare `@stoqey/ib` script take turns before the same gateway.
 */

const EXIT_MANAGER = CLIENT_ID['exit-manager'];
const GUARDED = ['GA', 'GB', 'GC', 'GD', 'GE'] as const;
const NAKED = ['NA', 'NB', 'NC', 'ND', 'NE'] as const;
const BARE_RESTING = ['BA', 'BB', 'BC', 'BD', 'BE'] as const;
const BARE_NAKED = ['BF', 'BG', 'BH', 'BI', 'BJ'] as const;
const SHARES = 100;
/** Adopted at $50 the stop is 49.55 and the disaster stop 49.10: between them only the watched stop acts. */
const CALM = 50;
const STOP = 49.55;
const BREACHES = [49.4, 49.38] as const;

type Series = {
  readonly guarded: number[];
  readonly sale: number[];
  readonly whole: number[];
  readonly naked: number[];
};
const newSeries = (): Series => ({ guarded: [], sale: [], whole: [], naked: [] });

/** Stops of each kind before one desk, as many as a busy day has; then a fresh desk, store and processes. */
const STOPS_PER_DESK = 20;

export async function benchWire({ quick, say }: BenchOptions): Promise<BenchResult> {
  const [wanted, perDesk] = quick ? [2, 2] : [200, STOPS_PER_DESK];
  const ours = newSeries();
  const bare = newSeries();
  while (Math.min(...Object.values(ours).map(times => times.length)) < wanted) {
    await oneDesk(perDesk, ours, bare);
    say(`wire: ${ours.guarded.length} of ${wanted} stops`);
  }
  return resultOf(ours, bare);
}

/** A gateway, an exit manager and a bare client, all new; they are asked in turns. */
async function oneDesk(stops: number, ours: Series, bare: Series): Promise<void> {
  const desk = await openWireDesk({ guarded: GUARDED, naked: NAKED, baseline: [...BARE_RESTING, ...BARE_NAKED] });
  let script: ChildProcess | null = null;
  try {
    script = startBareClient(desk);
    await waitFor('the bare client’s resting orders', () => desk.restingOf(BARE_CLIENT_ID).length === BARE_RESTING.length);
    for (let stop = 0; stop < stops; stop++) {
      await stopGuarded(desk, at(GUARDED, stop), ours);
      await stopBareResting(desk, at(BARE_RESTING, stop), bare);
      await stopNaked(desk, at(NAKED, stop), ours);
      await stopBareNaked(desk, at(BARE_NAKED, stop), bare);
    }
  } finally {
    script?.kill('SIGKILL');
    await desk.close();
  }
}

const at = (symbols: readonly string[], index: number): string => symbols[index % symbols.length] ?? '';

function startBareClient(desk: WireDesk): ChildProcess {
  const idsOf = (symbols: readonly string[]): string => symbols.map(symbol => desk.conIdOf(symbol)).join(',');
  const file = fileURLToPath(new URL('bare-client.ts', import.meta.url));
  const args = [file, String(desk.port), String(STOP), idsOf(BARE_RESTING), idsOf(BARE_NAKED)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A position with target and disaster stop at work; its stop is touched; cancel, cancel, sale. */
async function stopGuarded(desk: WireDesk, symbol: string, series: Series): Promise<void> {
  desk.buy(symbol, SHARES);
  await waitFor(`target and disaster stop of ${symbol}`, () => desk.restingOf(EXIT_MANAGER, symbol).length === 2, { lastSeen: desk.story });
  // The first cancel is the target's; the sale follows the word that the disaster stop is gone, too.
  const disaster = desk.restingOf(EXIT_MANAGER, symbol).find(order => order.request.type === 'STP');
  const times = await breach(desk, { clientId: EXIT_MANAGER, symbol, cancels: disaster?.request.orderId ?? 0 });
  if (times) {
    series.guarded.push(times.first);
    series.sale.push(times.sale);
    series.whole.push(times.whole);
  }
  await endOfTrade(desk, symbol);
}

/** A position whose resting orders the broker refuses; its stop is touched; the sale. */
async function stopNaked(desk: WireDesk, symbol: string, series: Series): Promise<void> {
  const before = desk.refusals(symbol);
  desk.buy(symbol, SHARES);
  await waitFor(`two refused orders of ${symbol}`, () => desk.refusals(symbol) === before + 2, { lastSeen: desk.story });
  const times = await breach(desk, { clientId: EXIT_MANAGER, symbol, cancels: null });
  if (times) series.naked.push(times.first);
  await endOfTrade(desk, symbol);
}

async function stopBareResting(desk: WireDesk, symbol: string, series: Series): Promise<void> {
  const [order] = desk.restingOf(BARE_CLIENT_ID, symbol);
  const times = await breach(desk, { clientId: BARE_CLIENT_ID, symbol, cancels: order?.request.orderId ?? 0 });
  if (times) {
    series.guarded.push(times.first);
    series.sale.push(times.sale);
    series.whole.push(times.whole);
  }
  desk.market.move(desk.conIdOf(symbol), CALM);
  await waitFor(`a new resting order of ${symbol}`, () => desk.restingOf(BARE_CLIENT_ID, symbol).length === 1);
}

async function stopBareNaked(desk: WireDesk, symbol: string, series: Series): Promise<void> {
  const times = await breach(desk, { clientId: BARE_CLIENT_ID, symbol, cancels: null });
  if (times) series.naked.push(times.first);
  desk.market.move(desk.conIdOf(symbol), CALM);
  await desk.pastSecond();
}

interface Breach {
  readonly clientId: number;
  readonly symbol: string;
  /** The order whose end lets the sale go, or null where nothing rests. */
  readonly cancels: number | null;
}

/** Milliseconds. The last two are 0 where nothing rests. */
interface Times {
  /** The confirming price → the first bytes of the answer. */
  readonly first: number;
  /** The word that the last resting order is cancelled → the sale. */
  readonly sale: number;
  /** The confirming price → the sale. */
  readonly whole: number;
}

/**
 * Two prices in a row beyond the stop; the clock starts with the second. Null where the first was enough: the three-minute portfolio update, which
 * agrees with it, came in between.
 */
async function breach(desk: WireDesk, { clientId, symbol, cancels }: Breach): Promise<Times | null> {
  const conId = desk.conIdOf(symbol);
  const { start, told } = desk.clock.secondBreach(conId, STOP);
  const answers = desk.clock.time(clientId, cancels === null ? [start] : [start, desk.clock.cancelled(cancels)]);
  desk.market.move(conId, BREACHES[0]);
  await waitFor(`the first price of ${symbol} beyond its stop`, () => told() >= 1, { lastSeen: desk.story });
  desk.market.move(conId, BREACHES[1]);
  let heard: readonly Answer[] | null = null;
  void answers.then(words => {
    heard = words;
  });
  const [first, sale] = await waitFor(`the answer about ${symbol}`, (): readonly Answer[] | null => heard, { lastSeen: desk.story });
  if (!first) return null;
  const expected = cancels === null ? 'order' : 'cancel';
  if (first.kind !== expected) throw new Error(`expected ${expected} as the first word about ${symbol}\n${desk.story()}`);
  return { first: first.ms, sale: sale?.ms ?? 0, whole: sale ? sale.readAt - (first.readAt - first.ms) : 0 };
}

/** Flat, booked and forgotten: the next purchase of the symbol is a new trade. */
async function endOfTrade(desk: WireDesk, symbol: string): Promise<void> {
  await waitFor(`${symbol} closed in the store`, () => readPositions(desk.db).every(row => row.contract.symbol !== symbol), {
    lastSeen: desk.story,
  });
  desk.market.move(desk.conIdOf(symbol), CALM);
  await desk.pastSecond();
}

const LEGS = [
  ['guarded', 'confirming price → cancel of what rests'],
  ['sale', 'last “Cancelled” → market sale'],
  ['naked', 'confirming price → market sale, nothing rests'],
  ['whole', 'confirming price → market sale, both cancels confirmed'],
] as const;

function resultOf(ours: Series, bare: Series): BenchResult {
  const legs = LEGS.map(([key, name]) => {
    const [holdfast, script] = [spreadOf(ours[key]), spreadOf(bare[key])];
    return { key, name, holdfast, script, ratio: { p50: holdfast.p50 / script.p50, p99: holdfast.p99 / script.p99 } };
  });
  const cells = ({ p50, p99 }: Spread): string[] => [figure(p50), figure(p99)];
  return {
    name: 'wire',
    title: 'Wire to wire (ms)',
    columns: ['leg', 'samples', 'Holdfast p50', 'p99', 'bare script p50', 'p99', 'ratio p50', 'ratio p99'],
    rows: legs.map(({ name, holdfast, script, ratio }) => [
      name,
      String(holdfast.count),
      ...cells(holdfast),
      ...cells(script),
      ratio.p50.toFixed(2),
      ratio.p99.toFixed(2),
    ]),
    notes: [
      'The rule believes a breach at the second price in a row beyond the stop, so the clock starts when the bytes of that second P&L message are handed to the socket; it stops when the gateway has read the order or cancel. The script answers the second one as well.',
      'Holdfast: the real exit manager from the built files, its store on disk, nothing switched off. Script: `@stoqey/ib` alone in a process of its own, without a store, its limiter out of reach and Nagle’s algorithm off. Both before the same gateway in one run, taking turns.',
      `Exchange time ran at ${SPEED}×, so that a price comes every ${1000 / SPEED} ms. Every ${2 * STOPS_PER_DESK} stops, a busy day’s worth, the desk is made anew, store and processes. Every sample counts, the first after a start too, but for the few stops that a portfolio update had confirmed before the second price. First sample: Holdfast ${figure(ours.guarded[0] ?? 0)} ms, script ${figure(bare.guarded[0] ?? 0)} ms.`,
      'The last line: Holdfast cancels the target, waits for the word, cancels the disaster stop, waits for the word, sells; the script cancels its one order and sells. The design’s bound for it is 2 s.',
      'Nothing rests only where the broker refused the target and the disaster stop; the gateway was told to.',
    ],
    data: {
      unit: 'ms',
      speed: SPEED,
      legs: Object.fromEntries(legs.map(({ key, holdfast, script, ratio }) => [key, { holdfast, script, ratio }])),
    },
  };
}
