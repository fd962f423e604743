import { failNthCall, type NthFaultPlan } from '@holdfast/sim/store-faults';
import { fileFailure, type StoreCallKind } from '@holdfast/store/faults';
import { afterAll, describe, expect, it } from 'vitest';
import { type Fault, type How, untilUntouched } from './nth-call.js';
import { STORIES } from './nth-call-stories.js';
import { Killed } from './worker-start.js';

/**
 * Issue 3, item 6: every store call on the exit path fails once, the first, the second, the third …, until the story ends untouched; the
 * invariants are looked at each time. One by hand: `vitest run --project unit nth-call-store -t "stop touched, guarded"`.
 */
interface StoreCase {
  readonly name: string;
  readonly of: StoreCallKind | 'after-commit';
  readonly failure: NthFaultPlan['failure'];
  readonly plan?: Pick<NthFaultPlan, 'rollsBack' | 'times'>;
  readonly how?: How;
}

const killed = (): Error => new Killed();
const DIES: How = { dies: true };
/** With what makes commits durable, which a simulated store skips. */
const DURABLE: How = { synchronous: 'NORMAL' };

const CASES: readonly StoreCase[] = [
  { name: 'open cannot', of: 'open', failure: 'cannot-open' },
  { name: 'open I/O error, three times', of: 'open', failure: 'io-read', plan: { times: 3 } },
  { name: 'begin busy', of: 'begin', failure: 'busy' },
  { name: 'begin busy for a second, then kill -9 in it', of: 'begin', failure: 'busy', plan: { times: 12 }, how: DIES },
  { name: 'begin full, thirty times', of: 'begin', failure: 'full', plan: { times: 30 } },
  { name: 'read I/O error', of: 'read', failure: 'io-read' },
  { name: 'write full', of: 'write', failure: 'full', plan: { rollsBack: true } },
  { name: 'write I/O error, twice', of: 'write', failure: 'io-write', plan: { times: 2 } },
  { name: 'commit busy', of: 'commit', failure: 'busy' },
  { name: 'commit I/O error, then kill -9', of: 'commit', failure: 'io-write', how: DIES },
  { name: 'commit full, twenty times, then kill -9 in it', of: 'commit', failure: 'full', plan: { times: 20 }, how: DIES },
  { name: 'commit killed before', of: 'commit', failure: killed },
  { name: 'commit killed after', of: 'after-commit', failure: killed },
  { name: 'commit done, reported as failed', of: 'after-commit', failure: 'io-sync' },
  { name: 'commit done, reported as failed, five times', of: 'after-commit', failure: 'io-sync', plan: { times: 5 } },
  { name: 'commit done, reported as failed, then kill -9', of: 'after-commit', failure: 'io-sync', how: DIES },
  { name: 'data_version I/O error, three times', of: 'data-version', failure: 'io-read', plan: { times: 3 } },
  { name: 'pragma I/O error', of: 'pragma', failure: 'io-read', how: DURABLE },
  { name: 'sync of the log full', of: 'sync', failure: () => fileFailure('full'), how: DURABLE },
  { name: 'sync of the log I/O error', of: 'sync', failure: () => fileFailure('io'), how: DURABLE },
];

const storeFault = ({ name, of, failure, plan }: StoreCase, nth: number): Fault => {
  const isMeant: NthFaultPlan['isMeant'] = of === 'after-commit' ? of : call => call.kind === of;
  const faults = failNthCall({ ...plan, failure, nth, isMeant });
  return {
    arm: s => {
      s.storeFaults = faults;
    },
    disarm: s => {
      s.storeFaults = null;
    },
    get hasFired() {
      return faults.hasFired;
    },
    get what() {
      return `${name}, call ${nth}: ${faults.fired ?? 'not reached'}`;
    },
  };
};

describe('store calls on the exit path', () => {
  const counts = new Map<string, number>(CASES.map(({ name }) => [name, 0]));
  afterAll(() => {
    console.log(`combinations: ${JSON.stringify(Object.fromEntries(counts), null, 1)}`);
  });

  describe.each(STORIES)('$name', story => {
    it.each(CASES)('I1–I6, I11, I12: $name', wanted => {
      // Calls that fail in a row are covered by steps of as many.
      const stride = wanted.plan?.times ?? 1;
      const { fired, failures } = untilUntouched(story, nth => storeFault(wanted, 1 + (nth - 1) * stride), wanted.how);
      counts.set(wanted.name, (counts.get(wanted.name) ?? 0) + fired);
      expect(failures.length, failures[0]).toBe(0);
    });
  });

  it('every kind of call was there to fail: a loop over nothing proves nothing', () => {
    expect([...counts].filter(([, count]) => count === 0)).toEqual([]);
  });
});
