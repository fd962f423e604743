import type { Profiler } from 'node:inspector';

/** Where the time of a simulated day goes, from a sampled profile: every sample belongs to one part of the desk or of its world. */
export type Profile = Profiler.Profile;

export const PARTS = [
  { part: 'exitManager', title: 'exit manager decides' },
  { part: 'dayTrader', title: 'day trader decides' },
  { part: 'loop', title: 'the loop of both workers' },
  { part: 'supervisor', title: 'supervisor' },
  { part: 'store', title: 'store' },
  { part: 'market', title: 'market, exchange, gateway' },
  { part: 'referees', title: 'referees' },
  { part: 'clockwork', title: 'clock, faults, trace' },
  { part: 'rest', title: 'garbage collection and the rest' },
] as const;
export type Part = (typeof PARTS)[number]['part'];

/** By the address of the code, tried from the top; the first that fits. Of core only the three brains: what they call is theirs. */
const PLACES: readonly (readonly [RegExp, Part])[] = [
  [/\/core\/dist\/exit-manager\.js$/, 'exitManager'],
  [/\/core\/dist\/day-trader\.js$/, 'dayTrader'],
  [/\/core\/dist\/supervisor\.js$|\/engine\/dist\/supervis|\/sim\/dist\/world\/supervisor/, 'supervisor'],
  [/\/store\/dist\/|\/better-sqlite3\/|\/kysely\//, 'store'],
  [/\/engine\/dist\//, 'loop'],
  [/\/sim\/dist\/audits\//, 'referees'],
  [/\/sim\/dist\/world\//, 'clockwork'],
  [/\/sim\/dist\//, 'market'],
];

/** Fractions of the whole; they add up to 1. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profile): Readonly<Record<Part, number>> {
  const parts = partsOf(nodes);
  const sums: Record<Part, number> = {
    exitManager: 0,
    dayTrader: 0,
    loop: 0,
    supervisor: 0,
    store: 0,
    market: 0,
    referees: 0,
    clockwork: 0,
    rest: 0,
  };
  let total = 0;
  samples.forEach((id, index) => {
    const micros = timeDeltas[index] ?? 0;
    sums[parts.get(id) ?? 'rest'] += micros;
    total += micros;
  });
  for (const { part } of PARTS) sums[part] = total > 0 ? sums[part] / total : 0;
  return sums;
}

/** Parents come before their children in a profile, so that one pass is enough. */
function partsOf(nodes: Profile['nodes']): ReadonlyMap<number, Part> {
  const parts = new Map<number, Part>();
  for (const { id, callFrame, children = [] } of nodes) {
    const own = PLACES.find(([place]) => place.test(callFrame.url))?.[1];
    // The collector runs wherever something was allocated: that is nobody's part.
    const part = callFrame.functionName === '(garbage collector)' ? 'rest' : (own ?? parts.get(id) ?? 'rest');
    parts.set(id, part);
    for (const child of children) parts.set(child, part);
  }
  return parts;
}
