import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Order } from '../orders/order.js';
import { monoMs, shares } from '../units.js';
import { BRACKET, type BracketEvent, type BracketFacts, type BracketPhase, isTriggered, phaseOf, surpriseOf } from './bracket.js';

const EVENTS: readonly BracketEvent[] = ['shares', 'flat', 'decided', 'forgotten', 'restsEnded', 'saleEnded', 'repriced', 'rested', 'sold'];
const PHASES = Object.keys(BRACKET) as BracketPhase[];

/** What an event does to the facts; several where it does not say how many orders stay behind. */
function after(facts: BracketFacts, event: BracketEvent): BracketFacts {
  switch (event) {
    case 'shares':
      return { ...facts, isHeld: true };
    case 'flat':
      return { ...facts, isHeld: false };
    case 'decided':
      return { ...facts, isDecided: true };
    case 'forgotten':
      return { ...facts, isDecided: false };
    case 'restsEnded':
      return { ...facts, rests: 0 };
    case 'saleEnded':
      return { ...facts, sells: 0 };
    case 'repriced':
      return { ...facts, rests: facts.rests - 1, sells: facts.sells + 1 };
    case 'rested':
      return { ...facts, rests: facts.rests + 1 };
    case 'sold':
      return { ...facts, sells: facts.sells + 1 };
  }
}

/** What must never be done, said without the table. */
function forbidden(facts: BracketFacts, event: BracketEvent): boolean {
  if (event === 'rested') return !facts.isHeld || facts.sells > 0;
  if (event === 'sold') return !facts.isHeld || !facts.isDecided || facts.sells > 0 || facts.rests > 0;
  if (event === 'repriced') return !facts.isHeld || !facts.isDecided || facts.rests === 0 || facts.sells > 0;
  return false;
}

const someFacts = fc.record({
  isHeld: fc.boolean(),
  isDecided: fc.boolean(),
  rests: fc.integer({ min: 0, max: 3 }),
  sells: fc.integer({ min: 0, max: 1 }),
});

describe("B1: the bracket's table", () => {
  it('has a cell for every phase and event, and every phase can be reached', () => {
    expect(PHASES.length).toBe(9);
    for (const phase of PHASES) expect(Object.keys(BRACKET[phase]).sort()).toEqual([...EVENTS].sort());
    const reached = new Set<BracketPhase>(['idle']);
    for (let round = 0; round < 9; round += 1)
      for (const phase of [...reached])
        for (const event of EVENTS) {
          const cell = BRACKET[phase][event];
          if (typeof cell === 'string') reached.add(cell);
          else if (Array.isArray(cell)) for (const next of cell) reached.add(next);
        }
    expect([...reached].sort()).toEqual([...PHASES].sort());
  });

  it('says of every state and event what the facts say (all pairs)', () => {
    fc.assert(
      fc.property(someFacts, fc.constantFrom(...EVENTS), (facts, event) => {
        const phase = phaseOf(facts);
        const surprise = surpriseOf(phase, event);
        expect(surprise !== null, `${phase} + ${event}`).toBe(forbidden(facts, event));
        if (surprise !== null) return;
        const cell = BRACKET[phase][event] as BracketPhase | readonly BracketPhase[];
        expect([cell].flat(), `${phase} + ${event}`).toContain(phaseOf(after(facts, event)));
      }),
      { numRuns: 4_000 },
    );
  });

  it('I1: however the table is walked, no sale is sent beside another order that may trade', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), events => {
        let facts: BracketFacts = { isHeld: false, isDecided: false, rests: 0, sells: 0 };
        for (const event of events) {
          if (surpriseOf(phaseOf(facts), event) !== null) continue;
          const next = after(facts, event);
          if (event === 'sold') expect([facts.rests, facts.sells]).toEqual([0, 0]);
          expect(next.sells).toBeLessThanOrEqual(1);
          facts = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a stop that has begun to sell', () => {
  const begun = { order: { type: 'STP', filled: 70, status: 'SUBMITTED' } as Order, isHeldBack: false, missingSince: null };
  it.each<[string, Parameters<typeof isTriggered>[0], boolean]>([
    ['is the sale', begun, true],
    ['is none that a change armed anew', { ...begun, isHeldBack: true }, false],
    [
      'is asked to go once a complete answer leaves it out: what it sells no more was waited for, below the stop (I3, I7; soak, seed 3)',
      { ...begun, missingSince: monoMs(5) },
      false,
    ],
    ['is none before its first share', { ...begun, order: { ...begun.order, filled: shares(0) } }, false],
  ])('%s', (_, tracked, is) => {
    expect(isTriggered(tracked)).toBe(is);
  });
});
