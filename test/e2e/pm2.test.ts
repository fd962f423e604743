import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processAt, sendSignal } from '@holdfast/engine/live';
import { afterEach, expect, it } from 'vitest';
import { openDesk, ROOT, type TestDesk } from './harness.js';
import { pause, waitFor } from './waiting.js';

/**
 * A19 with the real pm2 and the shipped ecosystem.config.cjs: whatever pm2 does to the supervisor, and whatever happens to pm2, the
 * workers keep their pids, and there is never more than one supervisor at work.
 */

const PM2 = join(dirname(createRequire(import.meta.url).resolve('pm2/package.json')), 'bin', 'pm2');

let desk: TestDesk | undefined;
let pm2: Pm2 | undefined;
afterEach(async () => {
  await pm2?.close();
  await desk?.close();
  pm2 = undefined;
  desk = undefined;
});

interface Pm2 {
  readonly run: (...args: readonly string[]) => Promise<string>;
  /** The daemon's pid; throws when there is none. */
  daemon(): number;
  close(): Promise<void>;
}

/** A pm2 of its own, with its home in a fresh folder. */
function openPm2(environment: Readonly<Record<string, string>>): Pm2 {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-pm2-'));
  const env = { ...environment, PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: 'true', NO_COLOR: '1' };
  const run = (...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [PM2, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
      let printed = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          printed += text;
        });
      }
      child.on('error', reject);
      child.on('exit', code =>
        code === 0 ? resolve(printed) : reject(new Error(`pm2 ${args.join(' ')} ended with ${code}:\n${printed}`)),
      );
    });
  const pidFile = join(home, 'pm2.pid');
  const daemon = (): number => Number(readFileSync(pidFile, 'utf8'));
  return {
    run,
    daemon,
    close: async () => {
      // By pid: `pm2 kill` would start a daemon where none is left.
      if (existsSync(pidFile)) {
        const pid = daemon();
        sendSignal(pid, 'SIGKILL');
        await waitFor('the pm2 daemon to be gone', () => processAt(pid) === null);
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

it('A19, A4: pm2 start, restart, stop, start, kill −9 of the supervisor and of the daemon, resurrect, delete: the workers never notice', async () => {
  const one = await openDesk();
  desk = one;
  const manager = openPm2({ ...one.environment, HOLDFAST_DESK: one.files.config });
  pm2 = manager;
  await manager.run('start', join(ROOT, 'ecosystem.config.cjs'));
  const guard = await one.ready('exit-manager');
  const trader = await one.ready('day-trader');

  const workers = () => [one.processesOf('exit-manager'), one.processesOf('day-trader')];
  /** Waits for exactly one supervisor, another than before, holding the lease; the workers must be the same processes. */
  const oneSupervisor = async (than: number | null): Promise<number> => {
    const pid = await waitFor(
      'exactly one new supervisor at work',
      () => {
        const holder = one.pidOf('supervisor');
        const all = one.processesOf('supervisor');
        return holder !== null && holder !== than && all.length === 1 && all[0] === holder && holder;
      },
      { lastSeen: one.story },
    );
    await pause(300); // long enough for a second one to show itself
    expect(one.processesOf('supervisor')).toEqual([pid]);
    expect(workers()).toEqual([[guard], [trader]]);
    return pid;
  };

  let supervisor = await oneSupervisor(null);
  await manager.run('restart', 'holdfast');
  supervisor = await oneSupervisor(supervisor);

  await manager.run('stop', 'holdfast');
  await waitFor('no supervisor', () => one.processesOf('supervisor').length === 0);
  await pause(300);
  expect(workers()).toEqual([[guard], [trader]]);

  await manager.run('start', 'holdfast');
  supervisor = await oneSupervisor(supervisor);

  sendSignal(supervisor, 'SIGKILL');
  supervisor = await oneSupervisor(supervisor);

  await manager.run('save');
  const daemon = manager.daemon();
  sendSignal(daemon, 'SIGKILL');
  await waitFor('the pm2 daemon to be gone', () => processAt(daemon) === null);
  await manager.run('resurrect');
  supervisor = await oneSupervisor(supervisor);

  // Still guarded: the adopted exit manager is started again when it dies.
  sendSignal(guard, 'SIGKILL');
  const next = await one.ready('exit-manager', { notPid: guard });
  expect(workers()).toEqual([[next], [trader]]);

  await manager.run('delete', 'holdfast');
  await waitFor('no supervisor', () => one.processesOf('supervisor').length === 0);
  await pause(300);
  expect(workers()).toEqual([[next], [trader]]);
});

it('A4: after a stop of everything pm2 does not start the supervisor again', async () => {
  const one = await openDesk();
  desk = one;
  const manager = openPm2({ ...one.environment, HOLDFAST_DESK: one.files.config });
  pm2 = manager;
  await manager.run('start', join(ROOT, 'ecosystem.config.cjs'));
  await one.ready('day-trader');
  expect((await one.command('stop', { force: false })).status).toBe('done');
  const processes = () => (['supervisor', 'exit-manager', 'day-trader'] as const).flatMap(one.processesOf);
  await waitFor('everything to be gone', () => processes().length === 0);
  await pause(1_000);
  expect(processes()).toEqual([]);
});

it('a second desk under pm2 that finds its supervisor at work already ends once, without a row of restarts', async () => {
  const one = await openDesk();
  desk = one;
  const first = one.start('supervisor');
  await one.ready('exit-manager');
  const manager = openPm2({ ...one.environment, HOLDFAST_DESK: one.files.config });
  pm2 = manager;
  await manager.run('start', join(ROOT, 'ecosystem.config.cjs'));
  const refusal = join(one.folder, 'var', 'log', 'supervisor.err');
  await waitFor('the refusal', () => existsSync(refusal) && readFileSync(refusal, 'utf8').includes(`process ${first.pid}`));
  await pause(1_500);
  expect(readFileSync(refusal, 'utf8').match(/at work already/g)).toHaveLength(1);
  expect(one.processesOf('supervisor')).toEqual([first.pid]);
});

it('a checkout below a folder with a space in its name: pm2 gets a script without one, since it takes such a path for a shell command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast with space-'));
  const copy = join(folder, 'ecosystem.config.cjs');
  copyFileSync(join(ROOT, 'ecosystem.config.cjs'), copy);
  const [app] = createRequire(import.meta.url)(copy).apps;
  expect(app).toMatchObject({ cwd: folder, script: 'apps/supervisor/dist/main.js', args: ['--config', join(folder, 'desk.yaml')] });
  rmSync(folder, { recursive: true, force: true });
});
