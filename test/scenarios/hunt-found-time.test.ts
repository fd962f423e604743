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
