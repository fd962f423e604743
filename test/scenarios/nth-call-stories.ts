import { ACME, quoteOf } from '@holdfast/sim/list-source';
import { readCommands } from '@holdfast/store/commands';
import { storeFailure } from '@holdfast/store/faults';
import type { Stage, StageOptions } from './stage.js';

/** One walk along the exit path, short, with a known good end. */
export interface Story {
  readonly name: string;
  readonly options: StageOptions;
  /** Undisturbed: brings the desk to where the calls begin to count. */
  readonly arrange: (s: Stage) => void;
  /** Under the fault. `live` lets time pass, with a supervisor and a gateway that come back. */
  readonly act: (s: Stage, live: (ms: number) => void) => void;
  /** Shares held in the end: protected then, and nothing at rest when there are none. */
  readonly ends: number;
  /** Why the symbol is closed for the day; null = it is not. */
  readonly reason: string | null;
  /** What else must be true in the end, in words when it is not. */
  readonly also?: (s: Stage) => readonly string[];
}

const DEEP = 5_000;
const CALM = [quoteOf('09:45:00', 49.98, 50.0, DEEP)];
const FALL = [
  ...CALM,
  quoteOf('09:45:06', 49.5, 49.52, DEEP),
  quoteOf('09:45:07', 49.49, 49.51, DEEP),
  quoteOf('09:45:14', 49.48, 49.5, DEEP),
];
const LATE = [quoteOf('15:44:50', 49.98, 50.0, DEEP)];

function held(s: Stage): void {
  s.run(1_000);
  s.buys(100, 50.05);
  s.run(1_000);
}

/** Short by hand, and adopted: the marks move so that they can be believed. */
const SHORT_MARKET = [
  ...CALM,
  quoteOf('09:45:03', 49.97, 49.99, DEEP),
  quoteOf('09:45:05', 49.98, 50.0, DEEP),
  quoteOf('09:45:12', 50.6, 50.62, DEEP),
  quoteOf('09:45:13', 50.61, 50.63, DEEP),
  quoteOf('09:45:20', 50.62, 50.64, DEEP),
];

export const STORIES: readonly Story[] = [
  {
    name: 'stop touched, guarded',
    options: { market: FALL },
    arrange: s => {
      held(s);
      s.runTo('09:45:05');
      s.run(900);
    },
    act: (_s, live) => live(3_000),
    ends: 0,
    reason: 'stop',
  },
  {
    name: 'stop touched, monitored',
    options: { market: FALL, rules: { protection: 'monitored' } },
    arrange: s => {
      held(s);
      s.runTo('09:45:05');
      s.run(900);
    },
    act: (_s, live) => live(3_000),
    ends: 0,
    reason: 'stop',
  },
  {
    name: 'entry filled, exits placed',
    options: { market: CALM },
    arrange: s => s.run(1_000),
    act: (s, live) => {
      s.buys(100, 50.05, { settles: false });
      live(1_500);
    },
    ends: 100,
    reason: null,
  },
  {
    name: 'target filled at the broker',
    options: { market: [...CALM, quoteOf('09:45:06', 50.95, 50.97, DEEP)] },
    arrange: s => {
      held(s);
      s.runTo('09:45:05');
      s.run(900);
    },
    act: (_s, live) => live(1_500),
    ends: 0,
    reason: 'target',
  },
  {
    name: 'a part sold by hand, exits shrink',
    options: { market: CALM },
    arrange: held,
    act: (s, live) => {
      s.exchange.manualTrade(ACME.conId, 'SELL', 30);
      live(2_000);
    },
    ends: 70,
    reason: null,
  },
  {
    name: 'started over an unanswered sale that only the emergency file knows',
    options: { market: FALL },
    arrange: s => {
      held(s);
      s.runTo('09:45:05');
      s.run(900);
      s.broker.onSend = what => what.do !== 'place' || what.order.role !== 'exit';
      s.storeFaults = {
        before: ({ kind }) => {
          if (kind === 'begin') throw storeFailure('busy');
        },
        afterCommit: () => undefined,
      };
      s.run(3_000);
      s.storeFaults = null;
      s.killExitManager();
    },
    act: (s, live) => {
      s.startExitManager();
      live(3_000);
    },
    ends: 0,
    reason: 'stop',
  },
  {
    name: 'flat before the close',
    options: { market: LATE, from: '15:44:50' },
    arrange: s => {
      held(s);
      s.runTo('15:44:59');
      s.run(500);
    },
    act: (_s, live) => live(3_000),
    ends: 0,
    reason: 'end-of-day',
  },
  {
    name: 'rest-stops on command',
    options: { market: CALM },
    arrange: held,
    act: (s, live) => {
      s.commands('rest-stops');
      live(2_000);
    },
    ends: 100,
    reason: null,
    also: s => [
      ...readCommands(s.reader, 'exit-manager', s.exchangeTime).map(({ kind }) => `the command ${kind} was never answered`),
      // A process that started since watches the stop itself again.
      ...(s.starts > 1 || s.resting().includes('SELL 100 STP 49.55') ? [] : ['the stop does not rest at its real level']),
    ],
  },
  {
    name: 'liquidate-all on command',
    options: { market: CALM },
    arrange: held,
    act: (s, live) => {
      s.commands('liquidate-all');
      live(2_000);
    },
    ends: 0,
    reason: 'liquidate',
    also: s => readCommands(s.reader, 'exit-manager', s.exchangeTime).map(({ kind }) => `the command ${kind} was never answered`),
  },
  {
    name: 'a short by hand is adopted',
    options: { market: SHORT_MARKET.slice(0, 3) },
    arrange: s => s.run(1_000),
    act: (s, live) => {
      s.exchange.manualTrade(ACME.conId, 'SELL', 40);
      live(6_000);
    },
    ends: -40,
    reason: null,
  },
  {
    name: 'the stop of a short is touched',
    options: { market: SHORT_MARKET },
    arrange: s => {
      s.run(1_000);
      s.exchange.manualTrade(ACME.conId, 'SELL', 40);
      s.runTo('09:45:11');
      s.run(900);
    },
    act: (_s, live) => live(3_000),
    ends: 0,
    reason: 'stop',
  },
];
