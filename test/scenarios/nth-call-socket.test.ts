import type { BrokerSend } from '@holdfast/core/ports';
import { storeFailure } from '@holdfast/store/faults';
import { afterAll, describe, expect, it } from 'vitest';
import { type Fault, type How, untilUntouched } from './nth-call.js';
import { STORIES } from './nth-call-stories.js';
import type { Stage } from './stage.js';
import { Killed } from './worker-start.js';

/**
 * Issue 3, item 6: every socket call on the exit path, and every call to the emergency file while the store is locked, fails once: the first,
 * the second, the third …, until the story ends untouched; the invariants are looked at each time.
 */
interface SocketCase {
  readonly name: string;
  readonly send: (s: Stage, pass: () => boolean) => boolean;
  readonly how?: How;
}

const SENDS = ['place', 'cancel', 'request-snapshot', 'request-executions', 'subscribe-pnl', 'unsubscribe-pnl'] as const;

const SOCKET_CASES: readonly SocketCase[] = [
  { name: 'returns false', send: () => false },
  { name: 'swallowed: went out, never heard of again', send: () => true, how: { isSilent: true } },
  {
    name: 'accepted, then the connection is reset',
    send: (s, pass) => {
      const went = pass();
      s.broker.cut('reset');
      return went;
    },
  },
  {
    name: 'reset before it reached the exchange',
    send: s => {
      s.broker.cut('reset');
      return true;
    },
  },
  {
    name: 'killed before',
    send: () => {
      throw new Killed();
    },
  },
  {
    name: 'killed after',
    send: (_s, pass) => {
      pass();
      throw new Killed();
    },
  },
];

function socketFault(kind: BrokerSend['do'], { name, send }: SocketCase, nth: number): Fault {
  let count = 0;
  return {
    arm: s => {
      s.wire = (what, pass) => {
        if (what.do === kind) count += 1;
        return what.do === kind && count === nth ? send(s, pass) : pass();
      };
    },
    disarm: s => {
      s.wire = null;
    },
    get hasFired() {
      return count >= nth;
    },
    what: `${kind} ${name}, call ${nth}`,
  };
}

/** The store is locked all the while, and the n-th call to the emergency file fails. */
function fileFault(call: 'write' | 'sync', nth: number): Fault {
  let count = 0;
  return {
    arm: s => {
      s.storeFaults = {
        before: ({ kind }) => {
          if (kind === 'begin') throw storeFailure('busy');
        },
        afterCommit: () => undefined,
      };
      s.fileFails = what => {
        if (what === call) count += 1;
        return what === call && count === nth;
      };
    },
    disarm: s => {
      s.storeFaults = null;
      s.fileFails = null;
    },
    get hasFired() {
      return count >= nth;
    },
    what: `emergency file: ${call}, call ${nth}`,
  };
}

const FILE_CASES: readonly { readonly name: string; readonly call: 'write' | 'sync'; readonly how: How }[] = [
  { name: 'write', call: 'write', how: {} },
  { name: 'sync', call: 'sync', how: {} },
  { name: 'write, then kill -9', call: 'write', how: { dies: true } },
  { name: 'sync, then kill -9', call: 'sync', how: { dies: true } },
];

const counts = new Map<string, number>();
const count = (name: string, fired: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + fired);
};
afterAll(() => {
  console.log(`combinations: ${JSON.stringify(Object.fromEntries(counts), null, 1)}`);
});

describe('socket calls on the exit path', () => {
  describe.each(STORIES)('$name', story => {
    describe.each(SENDS)('%s', kind => {
      it.each(SOCKET_CASES)('I1–I6, I11, I12: $name', wanted => {
        const { fired, failures } = untilUntouched(story, nth => socketFault(kind, wanted, nth), wanted.how);
        count(`${kind} ${wanted.name}`, fired);
        expect(failures.length, failures[0]).toBe(0);
      });
    });

    it.each(FILE_CASES)('I1–I6, I11, I12: emergency file, $name', ({ name, call, how }) => {
      const { fired, failures } = untilUntouched(story, nth => fileFault(call, nth), how);
      count(`emergency file ${name}`, fired);
      expect(failures.length, failures[0]).toBe(0);
    });
  });

  it('every kind of call was there to fail: a loop over nothing proves nothing', () => {
    expect([...counts].filter(([, fired]) => fired === 0)).toEqual([]);
  });
});
