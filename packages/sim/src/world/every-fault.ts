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
  'kill switch',
  'store stranger',
  'clock step',
  'suspend',
  'half day',
  'clocks change',
  'day turns',
] as const;

const MARKET_FAULTS: readonly MarketEvent['kind'][] = [
  'opening-gap',
  'overnight-jump',
  'split-like-jump',
  'split',
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
export const EVERY_FAULT: readonly string[] = [
  ...WORLD_FAULTS,
  ...GATEWAY_FAULTS,
  ...LINE_FAULTS,
  ...STORE_SPELLS.map(spell => `store ${spell}`),
  ...MARKET_FAULTS.map(kind => `market ${kind}`),
];
