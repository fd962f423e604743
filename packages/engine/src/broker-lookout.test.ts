import { expect, it } from 'vitest';
import { createBrokerLookout } from './broker-lookout.js';

function lookout() {
  let now = 0;
  const lines: string[] = [];
  const of = createBrokerLookout({ at: '127.0.0.1:4002', mono: () => now, say: line => lines.push(line) });
  return {
    lines,
    unreachable: of.unreachable,
    fail(at: number, reason = 'connect ECONNREFUSED 127.0.0.1:4002') {
      now = at;
      of.hear({ kind: 'connect-failed', code: 502, reason });
    },
    connect: () => of.hear({ kind: 'connected', nextOrderId: 1, accounts: ['DU1'], session: 1 }),
  };
}

it('A14: a refused connection is said at once with host and port, and the same again only after ten seconds', () => {
  const of = lookout();
  of.fail(0);
  for (let at = 500; at < 10_000; at += 500) of.fail(at);
  expect(of.lines).toEqual(['the broker could not be reached at 127.0.0.1:4002: connection refused; trying on']);
  of.fail(10_000);
  expect(of.lines).toHaveLength(2);
});

it('A14: another reason is said at once', () => {
  const of = lookout();
  of.fail(0);
  of.fail(100, 'no complete handshake within 5000 ms');
  expect(of.lines[1]).toContain('no complete handshake within 5000 ms');
  expect(of.unreachable()).toContain('no complete handshake within 5000 ms');
});

it('A14: once it answers nothing is held against it', () => {
  const of = lookout();
  expect(of.unreachable()).toBeNull();
  of.fail(0);
  of.connect();
  expect(of.unreachable()).toBeNull();
  expect(of.lines.at(-1)).toBe('the broker answers at 127.0.0.1:4002');
  of.connect();
  expect(of.lines).toHaveLength(2);
});
