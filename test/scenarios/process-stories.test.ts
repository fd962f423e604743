import { readLease } from '@holdfast/store/leases';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM } from './desk-market.js';
import { endStages, onDesk } from './desk-stage.js';

/** Processes that die, hang, wake up and are started twice, told by the whole desk under its own supervisor. */

afterEach(endStages);
const FALLS = [...CALM, ['09:33:00', 49.4] as const];

describe('kill −9', () => {
  it('A10, A2, I5: the day trader dies between the send of its entry and the fill: protected at once, and found again by its successor', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:30:59', () => s.ambush({ worker: 'day-trader', kind: 'send', side: 'after', act: 'kill', what: 'place' }));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'kill', 'supervisor', 'day-trader  is')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 fault  kill after send: day-trader after send of place
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:31:00 supervisor  DAY_TRADER_CRASHED {"happened":"The day trader (pid 1003) ended by SIGKILL, crash 1 in the window."}
      09:31:01 supervisor  starts day-trader
      09:31:01 day-trader  is RECONCILING (session 1)
      09:31:01 day-trader  is READY (0 entries working)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
  });

  it('A1, A2, I3: the exit manager dies with the stop touched and the target’s cancel on its way: its successor carries the exit on', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.at('09:32:59', () => s.ambush({ worker: 'exit-manager', kind: 'send', side: 'after', act: 'kill', what: 'cancel' }));
    s.runTo('09:36:00');
    expect(s.told('ACME', 'kill', 'supervisor', 'exit-manager  is')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 fault  kill after send: exit-manager after send of cancel
      09:33:03 supervisor  starts exit-manager
      09:33:03 supervisor  EXIT_MANAGER_CRASHED {"happened":"The exit manager (pid 1002) ended by SIGKILL."}
      09:33:03 exit-manager  is RECONCILING (session 1)
      09:33:03 exit-manager  is READY (1 in care)
      09:33:04 exit-manager  cancels X-1
      09:33:04 exit-manager  cancels X-2
      09:33:04 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:04 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:04 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:04 exit-manager  closes ACME: stop
    `);
    expect(s.sold()).toBe(99);
  });

  it('A4, I2: the supervisor dies: nobody notices, the stop is sold meanwhile, and the next supervisor adopts both workers', () => {
    const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
    s.runTo('09:32:59');
    const pids = [s.guard?.pid, s.trader?.pid];
    s.kill('supervisor');
    s.runTo('09:36:00');
    expect(s.told('ACME', 'story', 'supervisor', 'adopt')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:59 story  kill −9 of the supervisor
      09:32:59 supervisor  ends (killed)
      09:33:00 pm2  starts the supervisor
      09:33:00 fault  adoption: exit-manager: adopted (pid 1002), alive, and holds its lease
      09:33:00 fault  adoption: day-trader: adopted (pid 1003), alive, and holds its lease
      09:33:03 exit-manager  cancels X-1
      09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
      09:33:03 exit-manager  cancels X-2
      09:33:03 exchange  Cancelled SELL STP 0/99 of ACME (X-2)
      09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
      09:33:03 exchange  fills SELL 99 ACME @ 49.39 (X-3)
      09:33:03 exit-manager  closes ACME: stop
    `);
    expect([s.guard?.pid, s.trader?.pid]).toEqual(pids);
  });

  it.each(['full', 'busy'] as const)(
    'A2, A4, A13, I2: everything dies at once while the store takes no write (%s): the exit manager is back before the disk is',
    spell => {
      const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'], protection: 'monitored' });
      s.at('09:32:00', () => {
        s.disk(spell, 60_000);
        s.kill('supervisor');
        s.kill('exit-manager');
        s.kill('day-trader');
      });
      s.runTo('09:32:04');
      expect(s.told('supervisor  starts', 'exit-manager  is READY').split('\n').slice(-2).join('\n')).toMatch(/exit-manager {2}is READY/);
      s.runTo('09:36:00');
      // Nothing that a person or the next supervisor has to know is lost: the lease is on record as soon as it can be.
      expect(s.world.machine.supervisor?.supervision).not.toBeNull();
      expect(readLease(s.world.operator, 'supervisor')?.leaseId).toBe(s.world.machine.supervisor?.supervision?.lease.leaseId);
      expect(s.resting()).toEqual(['SELL 99 LMT 50.92 DAY']);
    },
  );

  it('A1, A2, I11: everything dies at once with a position open: the stop rests meanwhile, and all come back by themselves', () => {
    const s = onDesk({ market: { ACME: [...CALM, ['09:33:00', 49.0]] }, follows: ['ACME'] });
    s.at('09:32:59', () => {
      s.kill('supervisor');
      s.kill('exit-manager');
      s.kill('day-trader');
    });
    s.runTo('09:36:00');
    expect(s.told('ACME', 'story', 'supervisor', 'adopt')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:59 story  kill −9 of the supervisor
      09:32:59 supervisor  ends (killed)
      09:32:59 story  kill −9 of the exit-manager
      09:32:59 story  kill −9 of the day-trader
      09:33:00 exchange  fills SELL 99 ACME @ 48.99 (X-2)
      09:33:00 exchange  Cancelled SELL LMT 0/99 of ACME (X-1): another member of its OCA group filled
      09:33:00 pm2  starts the supervisor
      09:33:00 supervisor  starts exit-manager
      09:33:00 exit-manager  info RECONCILED: The broker's answer differed from the store in 3 point(s): SELL 99 ACME at 48.99 (X-2); X-1: SUBMITTED is LOST; X-2: SUBMITTED is FILLED.
      09:33:01 supervisor  starts day-trader
      09:33:01 exit-manager  cancels X-1
      09:33:01 exit-manager  closes ACME: disaster-stop
    `);
  });

  it.each(['exit-manager', 'day-trader'] as const)(
    'A2, I1, I5, I6: the %s dies between any two effects of an entry and its exit: one entry, one exit, the books agree',
    worker => {
      for (const kind of ['send', 'commit'] as const) {
        for (const side of ['before', 'after'] as const) {
          for (let countdown = 0; ; countdown += 1) {
            const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'] });
            s.at('09:30:59', () => s.ambush({ worker, kind, side, act: 'kill', countdown }));
            // A claim whose entry was never heard of is kept until nothing can come of it any more.
            s.runTo('10:00:00');
            const isOver = s.world.points.armed.length > 0;
            expect([kind, side, countdown, s.position()], s.told()).toEqual([kind, side, countdown, 0]);
            endStages();
            if (isOver) break;
          }
        }
      }
    },
    120_000,
  );
});

describe('a hang', () => {
  it('A2, I2, I10: the exit manager stands still, is killed after five seconds and replaced; when it would wake up it is gone', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.runTo('09:32:00');
    const hung = s.stop('exit-manager');
    s.runTo('09:32:20');
    s.resume(hung);
    s.runTo('09:34:00');
    expect(s.told('ACME', 'story', 'supervisor', 'exit-manager')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  position-unexplained {"conId":101,"difference":99,"brokerQuantity":99}
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 story  SIGSTOP to the exit-manager
      09:32:05 supervisor  signal {"about":"exit-manager","pid":1002,"signal":"SIGKILL"}
      09:32:05 supervisor  SIGKILL to exit-manager
      09:32:05 exit-manager  ends: SIGKILL
      09:32:06 supervisor  starts exit-manager
      09:32:06 supervisor  EXIT_MANAGER_CRASHED {"happened":"The exit manager (pid 1002) was killed because its heartbeat stood still for 5.3 s."}
      09:32:07 exit-manager  is RECONCILING (session 1)
      09:32:07 exit-manager  is READY (1 in care)
      09:32:20 story  SIGCONT to the exit-manager: gone
    `);
  });

  it('A2, I1, I3: the exit manager stands still for three seconds between the commit of the sale and its bytes: too old, decided again', () => {
    // Which commit is the sale's is nobody's business but the exit manager's: one of the next few.
    for (let countdown = 0; countdown < 6; countdown += 1) {
      const s = onDesk({ market: { ACME: FALLS }, follows: ['ACME'], protection: 'monitored' });
      s.at('09:32:59', () => s.ambush({ worker: 'exit-manager', kind: 'commit', side: 'after', act: 'hang', countdown, hangMs: 3_000 }));
      s.runTo('09:36:00');
      expect(s.sold()).toBe(99);
      const story = s.told('ACME');
      if (!story.includes('INTENT_TOO_OLD')) continue;
      expect(story).toMatchInlineSnapshot(`
        09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
        09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
        09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
        09:33:03 exit-manager  cancels X-1
        09:33:03 exchange  Cancelled SELL LMT 0/99 of ACME (X-1)
        09:33:03 exit-manager  exit SELL 99 ACME MKT IOC (X-2)
        09:33:06 exit-manager  not-sent {"orderRef":"X-2","symbol":"ACME","code":"INTENT_TOO_OLD","detail":"decided 3000 ms ago, allowed 1000"}
        09:33:06 exit-manager  exit SELL 99 ACME MKT IOC (X-3)
        09:33:06 exchange  fills SELL 99 ACME @ 49.39 (X-3)
        09:33:06 exit-manager  closes ACME: stop
      `);
      return;
    }
    throw new Error('it never stood still in that place');
  });

  it('A10, I4, I8: the day trader stands still between its claim and the bytes of its entry: the entry is dropped, the claim given back', () => {
    // Which commit of that bar is the claim's is nobody's business but the store's: one of the next few.
    for (let countdown = 0; countdown < 6; countdown += 1) {
      const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
      s.at('09:30:59', () => s.ambush({ worker: 'day-trader', kind: 'commit', side: 'after', act: 'hang', countdown, hangMs: 3_000 }));
      s.runTo('09:34:00');
      const story = s.told('ACME');
      if (!story.includes('INTENT_TOO_OLD')) continue;
      expect(story).toMatchInlineSnapshot(`
        09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
        09:31:03 day-trader  not-sent {"orderRef":"D-1","symbol":"ACME","code":"INTENT_TOO_OLD","detail":"decided 3000 ms ago, allowed 1000"}
        09:31:03 day-trader  gives the claim of ACME back: entry cancelled: INTENT_TOO_OLD: decided 3000 ms ago, allowed 1000
        09:32:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-2)
        09:32:00 exchange  fills BUY 99 ACME @ 50.01 (D-2)
        09:32:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
        09:32:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      `);
      return;
    }
    throw new Error('it never stood still in that place');
  });

  it('A4, I10: the supervisor stands still for twelve seconds while the exit manager dies: the start comes late, the stop rests', () => {
    const s = onDesk({ market: { ACME: CALM }, follows: ['ACME'] });
    s.runTo('09:32:00');
    const { supervisor } = s.world.machine;
    if (!supervisor) throw new Error('no supervisor');
    s.world.say('story', 'SIGSTOP to the supervisor');
    supervisor.isStopped = true;
    s.kill('exit-manager');
    s.runTo('09:32:12');
    s.world.say('story', 'SIGCONT to the supervisor');
    supervisor.isStopped = false;
    s.runTo('09:34:00');
    expect(s.told('ACME', 'story', 'supervisor', 'exit-manager')).toMatchInlineSnapshot(`
      09:31:00 day-trader  enters BUY 99 ACME LMT 50.08 GTD (D-1)
      09:31:00 exchange  fills BUY 99 ACME @ 50.01 (D-1)
      09:31:00 exit-manager  position-unexplained {"conId":101,"difference":99,"brokerQuantity":99}
      09:31:00 exit-manager  target SELL 99 ACME LMT 50.92 DAY (X-1)
      09:31:00 exit-manager  disaster-stop SELL 99 ACME STP 49.11 DAY (X-2)
      09:32:00 story  SIGSTOP to the supervisor
      09:32:00 story  kill −9 of the exit-manager
      09:32:00 exit-manager  ends: SIGKILL
      09:32:12 story  SIGCONT to the supervisor
      09:32:12 supervisor  starts exit-manager
      09:32:12 supervisor  EXIT_MANAGER_CRASHED {"happened":"The exit manager (pid 1002) ended by SIGKILL."}
      09:32:12 exit-manager  is RECONCILING (session 1)
      09:32:12 exit-manager  is READY (1 in care)
    `);
  });
});

describe('twice', () => {
  it('A4, I10: a second supervisor refuses and names the first', () => {
    const s = onDesk({ market: { ACME: CALM } });
    s.runTo('09:32:00');
    expect(s.world.machine.startSecondSupervisor()).toBe(true);
    s.runTo('09:33:00');
    expect(s.told('supervisor')).toMatchInlineSnapshot(
      `09:32:00 supervisor  2 does not start: refused: supervisor is held by process 1001 (lease 1, STARTING)`,
    );
  });
});
