import { CLIENT_ID } from '@holdfast/core/orders/order';
import { mono } from '@holdfast/engine/live';
import type { WireMessage } from '@holdfast/sim/gateway/gateway';
import type { Random } from '@holdfast/sim/random';
import type { App, TestProcess, WorkerApp } from '../e2e/harness.js';
import type { ShortDay } from './short-day.js';
import { count, type Tally } from './tally.js';

/**
 * Kills and stops the processes of one day, and starts a supervisor again as pm2 would. Whom it hits is checked at that instant: a pid that
 * is not this desk's process of that name is left alone.
 */
export type Hangman = ReturnType<typeof createHangman>;

/** A message of the wire at which somebody dies, before the gateway has acted on it or the victim has read it. */
export interface Instant {
  readonly name: string;
  readonly victim: WorkerApp;
  readonly fits: (message: WireMessage) => boolean;
}

const isOf = (direction: 'in' | 'out', worker: WorkerApp, ...ids: readonly number[]) => {
  const clientId = CLIENT_ID[worker];
  return (message: WireMessage): boolean =>
    message.direction === direction && message.clientId === clientId && ids.includes(Number(message.fields[0]));
};

/** Message ids of the TWS protocol. */
const instantsOf = (victim: WorkerApp): readonly Instant[] => [
  { name: 'its order reaches the gateway', victim, fits: isOf('in', victim, 3) },
  { name: 'its cancel reaches the gateway', victim, fits: isOf('in', victim, 4) },
  { name: 'word about an order is sent', victim, fits: isOf('out', victim, 3, 5) },
  { name: 'an execution or commission is sent', victim, fits: isOf('out', victim, 11, 59) },
  { name: 'a position is sent', victim, fits: isOf('out', victim, 61) },
  { name: 'it asks for open orders or executions', victim, fits: isOf('in', victim, 7, 16) },
];
export const ENTRY_SENT: Instant = { name: 'its order reaches the gateway', victim: 'day-trader', fits: isOf('in', 'day-trader', 3) };
export const INSTANTS: readonly Instant[] = [...instantsOf('exit-manager'), ...instantsOf('day-trader')];

/** pm2 starts a dead supervisor again at once, or with some back-off. */
const SUPERVISOR_BACK_MS_MAX = 800;
/** A kill this soon after the one before meets a process that is still starting. */
const STARTING_MS = 400;
const FIRST_LOOK_MS = 5;

export function createHangman(day: ShortDay, tally: Tally, random: Random) {
  const { desk, exposure } = day;
  const lastKill = new Map<App, number>();
  const stopped = new Map<number, { readonly app: App; readonly timer: NodeJS.Timeout }>();
  let armed: Instant | null = null;
  let skip = 0;
  let supervisor: TestProcess | null = null;
  let starting: NodeJS.Timeout | undefined;
  let isOver = false;
  let doom: number | null = null;
  let surprise: string | null = null;
  /** An exit manager killed while all else was well: until its successor is READY. */
  let restart: { readonly at: number; readonly pid: number } | null = null;

  function startSupervisor(): void {
    clearTimeout(starting);
    const started = desk.start('supervisor', [], doom === null ? {} : { HOLDFAST_TEST_KILL_AT: `place:${doom}` });
    supervisor = started;
    void started.ended.then(how => {
      if (supervisor !== started || isOver) return;
      supervisor = null;
      if (how !== 'SIGKILL') surprise = `the supervisor ended by itself (${how}): ${started.output().slice(-500)}`;
      starting = setTimeout(startSupervisor, random.below(SUPERVISOR_BACK_MS_MAX));
    });
  }

  /** The process to hit now, or null: between two lives there is none. */
  function pidOf(app: App): number | null {
    if (app === 'supervisor') return supervisor?.pid ?? null;
    const beat = desk.heartbeat(app);
    if (beat && desk.owns(beat.pid, app)) return beat.pid;
    return desk.processesOf(app)[0] ?? null;
  }

  function kill(app: App, instant?: string): boolean {
    const pid = pidOf(app);
    if (pid === null || stopped.has(pid)) return false;
    process.kill(pid, 'SIGKILL');
    day.note(`kill -9 ${app} (${pid}) ${instant ?? ''}`);
    const at = mono();
    const isStarting = at - (lastKill.get(app) ?? 0) < STARTING_MS;
    lastKill.set(app, at);
    tally.kills[app] += 1;
    count(tally.killedAt, instant ?? (isStarting ? 'while it starts' : 'at a random instant'));
    if (app === 'exit-manager') exposure.lost(at);
    if (app !== 'day-trader') restart = null;
    if (app === 'exit-manager' && supervisor && stopped.size === 0) restart = { at, pid };
    return true;
  }

  function resume(pid: number): void {
    const one = stopped.get(pid);
    if (!one) return;
    clearTimeout(one.timer);
    stopped.delete(pid);
    if (!desk.owns(pid, one.app)) return;
    day.note(`SIGCONT ${one.app} (${pid})`);
    process.kill(pid, 'SIGCONT');
    if (one.app === 'exit-manager') day.isAwake(true);
  }

  const looking = setInterval(() => {
    if (!restart) return;
    const beat = desk.heartbeat('exit-manager');
    if (!beat || beat.pid === restart.pid || beat.phase !== 'READY' || beat.mono < restart.at) return;
    tally.readyMs.push(beat.mono - restart.at);
    restart = null;
  }, FIRST_LOOK_MS);

  day.onMessage(message => {
    if (!armed?.fits(message)) return;
    if (skip > 0) {
      skip -= 1;
      return;
    }
    const { victim, name } = armed;
    armed = null;
    kill(victim, name);
  });

  return {
    kill,
    startSupervisor,
    /** Kills at a message to come; one such order stands at a time, the newest. */
    arm(instant: Instant): void {
      armed = instant;
      skip = random.below(3);
    },
    get isArmed(): boolean {
      return armed !== null;
    },
    /** SIGSTOP, and SIGCONT after so long, unless it was killed meanwhile as hung. */
    stop(app: App, ms: number): boolean {
      const pid = pidOf(app);
      if (pid === null || stopped.has(pid)) return false;
      process.kill(pid, 'SIGSTOP');
      day.note(`SIGSTOP ${app} (${pid}) for ${ms} ms`);
      tally.stops[app] += 1;
      if (app === 'exit-manager') {
        exposure.lost(mono());
        day.isAwake(false);
      }
      restart = null;
      stopped.set(pid, { app, timer: setTimeout(() => resume(pid), ms) });
      return true;
    },
    /**
     * Every worker started from now on dies between the committed intent of its `nth` order and its first byte; null: none does any more, and
     * whoever might is killed. (These deaths are their own doing and are not counted.)
     */
    doom(nth: number | null): void {
      if (doom === nth) return;
      doom = nth;
      day.note(nth === null ? 'workers are not doomed any more' : `workers die at order ${nth} of a life`);
      kill('supervisor');
      if (nth === null) for (const app of ['exit-manager', 'day-trader'] as const) kill(app);
    },
    /** The line or the gateway is disturbed: a restart under way is no measurement any more. */
    disturbed(): void {
      restart = null;
    },
    /** No more of it: who is stopped goes on, who is dead may come back. */
    rest(): void {
      armed = null;
      for (const pid of [...stopped.keys()]) resume(pid);
    },
    /** What nobody asked for, or null. */
    surprise: (): string | null => surprise,
    end(): void {
      isOver = true;
      armed = null;
      clearTimeout(starting);
      clearInterval(looking);
      for (const pid of [...stopped.keys()]) resume(pid);
    },
  };
}
