import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Heartbeat } from '@holdfast/engine/heartbeat';
import { mono, sendSignal } from '@holdfast/engine/live';
import { ACME, BOLT, CORE, quote } from '@holdfast/sim/gateway/testing/scripted-market';
import { openDesk, type TestDesk } from '../e2e/harness.js';
import { pause, waitFor } from '../e2e/waiting.js';
import type { BenchOptions } from './benches.js';
import type { BenchResult } from './report.js';
import { figure, type Spread, spreadOf } from './statistics.js';

/**
 * kill −9 of the exit manager under the real supervisor → its successor READY, three positions in its care. Each kill counts as the first one:
 * the window in which crashes add up is shortened, or the fourth start would be a `--minimal` one; the 250 ms between starts stay.
 */

const SUPERVISION = { minimalWindowMs: 1 };
/** After READY, before the next kill: others settle, and kills fall on different moments of every rhythm. */
const BETWEEN_MS = [400, 900] as const;
const READY_WITHIN_MS = 15_000;

/** The parts of one restart, milliseconds each, in order. They add up to `total` but for rounding: log times have whole milliseconds. */
export interface Restart {
  readonly total: number;
  /** SIGKILL → the supervisor has started the next process. */
  readonly seen: number;
  /** … → Node has booted, modules are loaded, the configuration is read. */
  readonly modules: number;
  /** … → store open, lease taken. */
  readonly database: number;
  /** … → the gateway has admitted the client. */
  readonly connect: number;
  /** … → everything asked for has been answered and compared: READY in the heartbeat. */
  readonly reconcile: number;
}

const PARTS = ['seen', 'modules', 'database', 'connect', 'reconcile'] as const;

export async function benchRestart({ quick, say }: BenchOptions): Promise<BenchResult> {
  const kills = quick ? 2 : 100;
  const idle = await measureRestarts(kills, line => say(`restart, idle: ${line}`));
  const busy = await whileBusy(2, () => measureRestarts(kills, line => say(`restart, both cores busy: ${line}`)));
  return resultOf(idle, busy);
}

/** Kills one exit manager after the other, each a little after the one before was READY. */
export async function measureRestarts(kills: number, say: (line: string) => void): Promise<readonly Restart[]> {
  const admitted: number[] = [];
  const desk = await openDesk({
    supervision: SUPERVISION,
    config: { entries: { scanner: { enabled: false }, watchlist: ['ACME', 'BOLT'] } },
    gateway: {
      onClient: ({ clientId, connected, machineNow }) => {
        if (clientId === 10 && connected) admitted.push(machineNow);
      },
    },
  });
  const stirring = setInterval(() => stir(desk), 1_000);
  try {
    desk.start('supervisor');
    await desk.ready('exit-manager');
    await desk.ready('day-trader');
    await inCare(desk);
    const restarts: Restart[] = [];
    while (restarts.length < kills) {
      await pause(BETWEEN_MS[0] + Math.random() * (BETWEEN_MS[1] - BETWEEN_MS[0]));
      restarts.push(await oneKill(desk, admitted));
      if (restarts.length % 25 === 0) say(`${restarts.length} of ${kills} kills`);
    }
    return restarts;
  } finally {
    clearInterval(stirring);
    await desk.close();
  }
}

/** Three positions bought by hand and adopted, each with its target and disaster stop at work. */
async function inCare({ room, story }: TestDesk): Promise<void> {
  for (const { symbol } of [ACME, BOLT, CORE]) room.gateway.manualTrade(symbol, 'BUY', 100);
  await waitFor('two resting exits for each of three positions', () => room.gateway.exchange.openOrders().length === 6, {
    lastSeen: story,
  });
}

/** The market goes on quoting, up and down a cent. */
function stir({ room }: TestDesk): void {
  const cent = Math.round(room.gateway.exchange.now / 1_000) % 2 === 0 ? 0.01 : 0;
  for (const [{ conId }, price] of [
    [ACME, 50],
    [BOLT, 20],
    [CORE, 10],
  ] as const)
    room.soon(now => quote(now, conId, [price - 0.01 + cent, price + 0.01 + cent]));
}

async function oneKill(desk: TestDesk, admitted: number[]): Promise<Restart> {
  const pid = desk.pidOf('exit-manager');
  if (pid === null) throw new Error(`no exit manager to kill\n${desk.story()}`);
  admitted.length = 0;
  const killedAt = mono();
  sendSignal(pid, 'SIGKILL');
  const beat = await waitFor('the next exit manager to be READY', () => readyBeat(desk, pid), {
    withinMs: READY_WITHIN_MS,
    lastSeen: desk.story,
  });
  const lines = logOf(desk, beat.pid);
  const [connectedAt = Number.NaN] = admitted;
  const marks = [killedAt, lines.started, lines.starting, lines.leaseTaken, connectedAt, beat.mono];
  const [seen = 0, modules = 0, database = 0, connect = 0, reconcile = 0] = marks.slice(1).map((mark, index) => mark - (marks[index] ?? 0));
  return { total: beat.mono - killedAt, seen, modules, database, connect, reconcile };
}

/**
 * The first heartbeat that says READY carries its own time on the machine's shared clock, so that how often we look costs no accuracy: a new
 * phase is written at once, the next beat 200 ms later.
 */
function readyBeat(desk: TestDesk, notPid: number): Heartbeat | null {
  const beat = desk.heartbeat('exit-manager');
  return beat && beat.pid !== notPid && beat.phase === 'READY' ? beat : null;
}

/** When the supervisor had started this process and when it said its first words, on the machine's monotonic clock. */
function logOf(desk: TestDesk, pid: number) {
  const offset = mono() - Date.now();
  const at = (owner: 'supervisor' | 'exit-manager', fits: (line: LogLine) => boolean): number => {
    const text = readFileSync(desk.files.log(owner), 'utf8').trimEnd().split('\n').slice(-60);
    const line = text.map((words): LogLine => JSON.parse(words)).findLast(fits);
    return line ? Date.parse(line.time) + offset : Number.NaN;
  };
  return {
    started: at('supervisor', line => line.event === 'started' && line.pid === pid),
    starting: at('exit-manager', line => line.event === 'starting'),
    leaseTaken: at('exit-manager', line => line.event === 'lease-taken' && line.pid === pid),
  };
}

interface LogLine {
  readonly time: string;
  readonly event: string;
  readonly pid?: number;
}

/** Runs work while `count` processes of the same priority do nothing but turn. */
export async function whileBusy<T>(count: number, work: () => Promise<T>): Promise<T> {
  const spinners: ChildProcess[] = [];
  try {
    for (let index = 0; index < count; index++) spinners.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    return await work();
  } finally {
    for (const spinner of spinners) spinner.kill('SIGKILL');
  }
}

function resultOf(idle: readonly Restart[], busy: readonly Restart[]): BenchResult {
  const spreads = (restarts: readonly Restart[]): Readonly<Record<keyof Restart, Spread>> => {
    const of = (part: keyof Restart): Spread => spreadOf(restarts.map(restart => restart[part]));
    return {
      total: of('total'),
      seen: of('seen'),
      modules: of('modules'),
      database: of('database'),
      connect: of('connect'),
      reconcile: of('reconcile'),
    };
  };
  const runs = [
    ['idle', spreads(idle)],
    ['both cores busy', spreads(busy)],
  ] as const;
  return {
    name: 'restart',
    title: 'Exit manager killed → READY again (ms)',
    columns: ['machine', 'kills', 'p50', 'p99', 'worst', 'seen, started', 'boot, modules', 'database', 'connect', 'reconcile'],
    rows: runs.map(([name, { total, ...parts }]) => [
      name,
      String(total.count),
      figure(total.p50),
      figure(total.p99),
      figure(total.worst),
      ...PARTS.map(part => figure(parts[part].p50)),
    ]),
    notes: [
      'From SIGKILL to the first heartbeat that says READY, which is what the day trader and the supervisor go by. The parts are medians of their own: death seen and successor started; Node up, modules loaded, configuration read; store open, lease taken; admitted by the gateway; reconciled.',
      'Under the real supervisor with the day trader at work, three adopted positions with target and disaster stop, the gateway before a quiet market at 1×.',
      'Each kill counts as a first crash (`HOLDFAST_TEST_SUPERVISION` shortens the window in which crashes add up, or the fourth start would be `--minimal`); starts stay 250 ms apart. 0.4 to 0.9 s between READY and the next kill.',
      'Busy: two processes of normal priority that only spin.',
    ],
    data: { unit: 'ms', runs: Object.fromEntries(runs) },
  };
}
