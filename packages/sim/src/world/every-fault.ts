import { GATEWAY_FAULTS, LINE_FAULTS } from '../broker-faults.js';
import type { MarketEvent } from '../exchange-types.js';
import { STORE_SPELLS } from '../store-faults.js';

/** Faults of processes, people, the machine and the calendar, by the names under which the world counts them. */
const WORLD_FAULTS = [
  'kill exit-manager',
  'kill day-trader',
  'kill supervisor',
  'kill everything',
  'kill before send',
  'kill after send',
  'kill before commit',
  'kill after commit',
  'hang before send',
  'hang after send',
  'hang before commit',
  'hang after commit',
  'hang exit-manager',
  'hang day-trader',
  'hang supervisor',
  'adoption',
  'second supervisor',
  'hand sell',
  'hand sell while an exit works',
  'hand add',
  'hand open long',
  'hand open short',
  'hand order',
  'command flatten',
  'command rest-stops',
  'command liquidate-all',
  'command halt',
  'command resume',
  'kill switch',
  'store stranger',
  'store lost',
  'store corrupt',
  'store replaced',
  'clock step',
  'suspend',
  'half day',
  'gap through the stop',
] as const;

/** What only the night between two simulated days can bring. */
const NIGHT_FAULTS: readonly string[] = ['day turns', 'clocks change', 'nightly restart', 'market split', 'market split-like-jump'];

const MARKET_FAULTS: readonly MarketEvent['kind'][] = [
  'opening-gap',
  'overnight-jump',
  'late-open',
  'jump',
  'crash',
  'flash',
  'halt',
  'resume',
  'halt-to-close',
  'wide-spread',
  'thin',
  'empty-quote',
  'crazy-print',
  'stale',
];

/** Every kind that must have bitten in a long campaign; one that never did is a hole in the simulation. */
export const everyFault = ({ seeds, days }: { readonly seeds: number; readonly days: number }): readonly string[] => [
  ...(days > seeds ? NIGHT_FAULTS : []),
  ...WORLD_FAULTS,
  ...GATEWAY_FAULTS,
  ...LINE_FAULTS,
  ...STORE_SPELLS.map(spell => `store ${spell}`),
  ...MARKET_FAULTS.map(kind => `market ${kind}`),
];
