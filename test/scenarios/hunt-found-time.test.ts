import { fromDollars } from '@holdfast/core/units';
import { afterEach, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** What the simulation found about the time that the gateway tells. */

afterEach(endStages);

it('I3: what the gateway said of the time while a process stood still waits in its socket: woken, it hears that before any mark (seed 6101050)', () => {
  const s = onDesk({ market: { ACME: CALM } });
  s.runTo('10:00:00');
  const guard = s.stop('exit-manager');
  // The exchange runs ahead of the machine, second by second, and the gateway says so.
  for (let seconds = 0; seconds < 4; seconds += 1) {
    s.world.time.passExchange(900);
    s.run(100);
  }
  s.resume(guard);
  s.run(100);
  const saidUntil = Math.floor((s.world.time.exchange() - 100) / 1_000) * 1_000;
  expect(s.world.machine.heartbeats.get('exit-manager')?.exchange).toBeGreaterThanOrEqual(saidUntil);
});

it.each(['monitored', 'guarded'] as const)(
  'I3: the line dies without a word within three seconds of a lone crazy mark: silence that nobody could have broken proves nothing, and nothing is sold (%s, seed 15400507)',
  protection => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'], protection });
    s.runTo('09:32:00');
    s.world.gateway.broker('exit-manager')?.inject({ kind: 'pnl-mark', conId: s.conId('ACME'), quantity: 99, price: fromDollars(25) });
    s.run(500);
    s.world.gateway.breakOff('exit-manager', 9_000);
    s.runTo('09:34:00');
    expect(s.told('ACME')).not.toContain('cancels');
    expect([s.position(), s.sold()]).toEqual([99, 0]);
  },
);

it('I3: a true breach is the last word before the line dies: sold with the next connection, as soon as the broker was heard for long enough', () => {
  const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 49.3]] }, follows: ['ACME'], protection: 'monitored' });
  s.runTo('09:33:01');
  s.world.gateway.breakOff('exit-manager', 1_000);
  s.run(4_500);
  expect([s.position(), s.told('ACME').includes('cancels')]).toEqual([99, false]);
  s.runTo('09:33:25');
  expect([s.position(), s.sold()]).toEqual([0, 99]);
});
