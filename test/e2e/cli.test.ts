import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openStore } from '@holdfast/store/db';
import { requireMigrated } from '@holdfast/store/migrate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdfast } from './command-line.js';

/** The command line as a person meets it: help, mistakes, and what programs read. */

const VERBS = ['start', 'stop', 'status', 'positions', 'orders', 'liquidate-all', 'review', 'demo', 'gateway', 'db'];

let folder = '';
beforeEach(() => {
  // A space and an umlaut: paths are people's.
  folder = mkdtempSync(join(tmpdir(), 'holdfast cli ü-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const desk = (text = 'mode: paper\n'): string[] => {
  const file = join(folder, 'desk.yaml');
  writeFileSync(file, text);
  return ['--config', file];
};
const hasColour = (text: string): boolean => text.includes('\x1b[');

describe('help', () => {
  it('names every verb, the exit codes and examples, within 80 columns', async () => {
    const { code, out, err } = await holdfast(['--help']);
    expect(code).toBe(0);
    expect(err).toBe('');
    for (const verb of VERBS) expect(out).toMatch(new RegExp(`^  ${verb} `, 'm'));
    expect(out).toContain('Examples:');
    expect(out).toMatch(/64 +wrong usage/);
    expect(out.split('\n').filter(line => line.length > 80)).toEqual([]);
  });

  it.each(['start', 'stop', 'status', 'positions', 'orders', 'review', 'demo', 'liquidate-all'])(
    '%s has examples of its own',
    async verb => {
      const { code, out } = await holdfast([verb, '--help']);
      expect(code).toBe(0);
      expect(out).toContain('Example');
      expect(out).toContain(`./holdfast`);
    },
  );

  it('gateway passes on to the gateway’s own help', async () => {
    const { code, out } = await holdfast(['gateway', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('--control-port');
    expect(out).toContain('./holdfast gateway --seed 7');
    expect(out).not.toContain('gateway-sim');
  });
});

/** First line what happened, second what was done, third what to do. */
function threeParts(err: string): readonly [string, string, string] {
  const lines = err.trimEnd().split('\n');
  const [did, todo] = lines.slice(-2);
  return [lines.slice(0, -2).join('\n'), did?.trim() ?? '', todo?.trim() ?? ''];
}

describe('wrong words', () => {
  it.each([
    ['an unknown verb names the nearest', ['statsu'], /Unknown command 'statsu'/, /Did you mean status\?/],
    ['an unknown verb like none', ['xyzzy'], /Unknown command 'xyzzy'/, /holdfast --help/],
    ['an unknown option names the nearest', ['status', '--jsn'], /Unknown option '--jsn'/, /Did you mean --json\?/],
    ['too many words', ['status', 'now'], /Too many arguments/, /--help/],
    ['a date that is none', ['review', '2026-02-30'], /2026-02-30.*YYYY-MM-DD/, /--help/],
    ['a speed that is none', ['demo', '--speed', 'fast'], /--speed.*from 1 to 1000/, /--help/],
    ['a seed that is none', ['demo', '--seed', '-1'], /--seed/, /--help/],
    ['a weekend for the demo', ['demo', '--date', '2026-03-08'], /2026-03-08 has no session \(weekend\)/, /trading day/],
    ['data without a date', ['demo', '--data', '.'], /--data needs a date/, /--date/],
    ['a symbol nobody lists', ['demo', '--symbols', 'SPY,NOPE'], /does not list NOPE/, /SPY/],
  ])('%s: 64', async (_title, words, happened, todo) => {
    const said = await holdfast(words);
    expect(said.code).toBe(64);
    expect(said.out).toBe('');
    const parts = threeParts(said.err);
    expect(parts[0]).toMatch(happened);
    expect(parts[1]).toMatch(/^Nothing was/);
    expect(parts[2]).toMatch(todo);
    expect(hasColour(said.err)).toBe(false);
  });

  it.each([
    ['an option that is none', ['--nonsense'], /unknown option '--nonsense'/],
    ['a speed of none', ['--speed', '0'], /above 0/],
    ['a weekend', ['--date', '2026-03-08'], /no session/],
  ])('gateway: %s: 64, in three parts', async (_title, words, happened) => {
    const said = await holdfast(['gateway', '--port', '0', '--control-port', '0', ...words]);
    expect(said.code).toBe(64);
    const parts = threeParts(said.err);
    expect(parts[0]).toMatch(happened);
    expect(parts[1]).toBe('The gateway was not started.');
    expect(parts[2]).toContain('./holdfast gateway --help');
  });

  it('--version says one line', async () => {
    const said = await holdfast(['--version']);
    expect(said.code).toBe(0);
    expect(said.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('no verb at all shows the help and is an error', async () => {
    const { code, out, err } = await holdfast([]);
    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err).toContain('Usage: holdfast');
  });
});

describe('a broken desk.yaml', () => {
  it.each(['status', 'positions', 'orders', 'review', 'stop', 'db migrate', 'db backup', 'liquidate-all --yes', 'start'])(
    '%s: every mistake at once, and 78',
    async words => {
      const config = desk('mode: paper\ngateway:\n  port: 70000\nexits:\n  stopBsp: 90\n');
      const said = await holdfast([...config, ...words.split(' ')]);
      expect(said.code).toBe(78);
      expect(said.err).toMatch(/gateway\.port: got 70000; allowed: a whole number from 1 to 65535/);
      expect(said.err).toMatch(/exits\.stopBsp.*did you mean exits\.stopBps\?/);
      expect(said.err).not.toContain('    at ');
    },
  );

  it('one that is not there', async () => {
    const said = await holdfast(['--config', 'nowhere.yaml', 'status'], { cwd: folder });
    expect(said.code).toBe(78);
    expect(threeParts(said.err)[0]).toContain('nowhere.yaml');
  });
});

describe('a desk that never ran', () => {
  it.each(['status', 'positions', 'orders', 'review', 'stop'])('%s: there is no store, nothing is created, and 69', async verb => {
    const said = await holdfast([...desk(), verb, '--json']);
    expect(said.code).toBe(69);
    expect(said.out).toBe('');
    const parts = threeParts(said.err);
    expect(parts[0]).toMatch(/There is no store at .*holdfast\.db/);
    expect(parts[1]).toBe('Nothing was read or created.');
    expect(parts[2]).toContain('./holdfast start');
    expect((await holdfast([...desk(), verb])).err).toContain('There is no store');
  });
});

describe('a desk whose store was lost while nothing ran', () => {
  const lost = async (rest: (folder: string) => void): Promise<string[]> => {
    const config = desk();
    await holdfast([...config, 'db', 'migrate']);
    rest(join(folder, 'var'));
    for (const side of ['', '-wal', '-shm']) rmSync(join(folder, 'var', `holdfast.db${side}`), { force: true });
    return config;
  };

  it.each(['status', 'positions', 'resume', 'stop', 'db backup', 'db migrate'])(
    '%s names what is left of it and the way back: 69',
    async words => {
      const config = await lost(made => {
        mkdirSync(join(made, 'backups'));
        writeFileSync(join(made, 'backups', 'daily-2026-03-09T12-00-00-000Z.db'), 'a copy');
      });
      const said = await holdfast([...config, ...words.split(' ')], { cwd: folder });
      expect(said.code).toBe(69);
      const parts = threeParts(said.err);
      expect(parts[0]).toBe(
        'holdfast: The store var/holdfast.db is gone, and this desk has run before. ' +
          'Left: 1 copy in var/backups, the newest daily-2026-03-09T12-00-00-000Z.db.',
      );
      expect(parts[1]).toBe('Nothing was read or created.');
      expect(parts[2]).toContain('./holdfast start');
      expect(existsSync(join(folder, 'var', 'holdfast.db'))).toBe(false);
    },
  );

  it('an emergency file alone tells of it too', async () => {
    const config = await lost(made => {
      mkdirSync(join(made, 'run'), { recursive: true });
      writeFileSync(join(made, 'run', 'exit-manager.emergency'), '');
    });
    expect((await holdfast([...config, 'status'])).err).toContain("Left: the exit manager's emergency file.");
  });
});

describe('a desk at rest', () => {
  const migrated = async (): Promise<string[]> => {
    const config = desk();
    expect((await holdfast([...config, 'db', 'migrate'])).code).toBe(0);
    return config;
  };
  const json = async (config: readonly string[], ...words: readonly string[]): Promise<Record<string, unknown>> => {
    const said = await holdfast([...config, ...words, '--json']);
    expect(said.out.trim().split('\n')).toHaveLength(1);
    expect(said.err).toBe('');
    return JSON.parse(said.out) as Record<string, unknown>;
  };

  it('db migrate says what it applied, and the second time that there is nothing to do', async () => {
    const config = desk();
    const first = await json(config, 'db', 'migrate');
    expect(first.applied).toContain('0001-first-store.sql');
    expect(await json(config, 'db', 'migrate')).toMatchObject({ applied: [], backup: null });
  });

  it('db backup makes a checked copy that is a store of its own', async () => {
    const config = await migrated();
    const made = await json(config, 'db', 'backup');
    expect(made).toMatchObject({ backup: expect.stringMatching(/backups\/on-demand-.*Z\.db$/), dropped: [] });
    const copy = openStore(String(made.backup), { busyTimeoutMs: 0, synchronous: 'OFF', readonly: true });
    expect(requireMigrated(copy)).toEqual({ ok: true });
    copy.close();
    const said = await holdfast([...config, 'db', 'backup']);
    expect(said.out).toContain('copied to');
    expect(said.code).toBe(0);
  });

  it('A3: status --json, and exit code 1 because nobody is on guard', async () => {
    const config = await migrated();
    expect((await holdfast([...config, 'status', '--json'])).code).toBe(1);
    expect(await json(config, 'status')).toMatchObject({
      tradeDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      workers: [
        { name: 'supervisor', state: 'OFF' },
        { name: 'exit-manager', state: 'OFF' },
        { name: 'day-trader', state: 'OFF' },
      ],
      positions: [],
      closedToday: [],
      pnl: { realized: 0 },
      killSwitch: { on: false },
    });
    const plain = await holdfast([...config, 'status']);
    expect(plain.out).toMatch(/exit-manager +OFF/);
    expect(hasColour(plain.out)).toBe(false);
  });

  it('colours where they are asked for', async () => {
    const said = await holdfast([...(await migrated()), 'status'], { environment: { FORCE_COLOR: '1' } });
    expect(hasColour(said.out)).toBe(true);
    const never = await holdfast([...desk(), 'status'], { environment: { FORCE_COLOR: '1', NO_COLOR: '1' } });
    expect(hasColour(never.out)).toBe(false);
  });

  it('positions, orders and review are empty and well-formed', async () => {
    const config = await migrated();
    expect(await json(config, 'positions')).toMatchObject({ positions: [], baseline: [] });
    expect(await json(config, 'orders', '--all')).toMatchObject({ orders: [] });
    expect(await json(config, 'review', '2026-03-09')).toMatchObject({ date: '2026-03-09', roundTrips: [], pnl: 0, winRate: null });
    expect((await holdfast([...config, 'positions'])).out).toContain('No position in care.');
    expect((await holdfast([...config, 'orders'])).out).toContain('No order of ours may still live.');
    expect((await holdfast([...config, 'review', '2026-03-09'])).out).toContain('No round trip on this date.');
  });

  it('a report writes nothing, whoever holds the write lock', async () => {
    const config = await migrated();
    const db = openStore(join(folder, 'var', 'holdfast.db'), { busyTimeoutMs: 0, synchronous: 'NORMAL' });
    db.exec('BEGIN IMMEDIATE');
    try {
      expect((await holdfast([...config, 'status', '--json'])).code).toBe(1);
      expect((await holdfast([...config, 'review', '--json'])).code).toBe(0);
    } finally {
      db.exec('ROLLBACK');
      db.close();
    }
  });

  it('A14: a HALT file is seen, and resume says that it was removed', async () => {
    const config = await migrated();
    const halt = join(folder, 'var', 'run', 'HALT');
    mkdirSync(dirname(halt), { recursive: true });
    writeFileSync(halt, '');
    expect(await json(config, 'status')).toMatchObject({ halted: true, killSwitch: { on: false } });
    expect((await holdfast([...config, 'status'])).out).toContain('HALT FILE PRESENT');
    const said = await holdfast([...config, 'resume']);
    expect(said.out).toMatch(/HALT file .* existed and was removed/);
    expect(existsSync(halt)).toBe(false);
    expect(await json(config, 'resume')).toMatchObject({ wasHalted: false });
    expect(await json(config, 'status')).toMatchObject({ halted: false });
  });

  it('A14: liquidate-all before a gateway that is away names it once, sells nothing and says so', async () => {
    // A port that was free a moment ago: nobody listens there.
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await new Promise(resolve => server.close(resolve));
    const config = desk(`mode: paper\ngateway:\n  port: ${port}\n`);
    expect((await holdfast([...config, 'db', 'migrate'])).code).toBe(0);
    const said = await holdfast([...config, 'liquidate-all', '--yes', '--json']);
    expect(said.code).toBe(1);
    const told = JSON.parse(said.out) as { readonly detail: string };
    expect(told).toMatchObject({ flat: false, proof: null });
    expect(told.detail).toContain(`could not be reached at 127.0.0.1:${port}: connection refused`);
    expect(told.detail).not.toContain('everything in care is sold');
    const lines = said.err.split('\n').filter(line => line.includes('connection refused; trying on'));
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(7);
  });

  it('stop says that nobody is there', async () => {
    const said = await holdfast([...(await migrated()), 'stop']);
    expect(said.code).toBe(69);
    expect(threeParts(said.err)[0]).toContain('No supervisor is running');
  });

  it('a store that is no database is said to be one', async () => {
    const config = await migrated();
    writeFileSync(join(folder, 'var', 'holdfast.db'), 'not a database at all, whatever its name says. '.repeat(200));
    const said = await holdfast([...config, 'positions']);
    expect(said.code).toBe(69);
    expect(threeParts(said.err)[0]).toMatch(/cannot be used: .*not a database/);
  });
});

describe('ports', () => {
  it('gateway: an occupied port is named, with what to do', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    try {
      const said = await holdfast(['gateway', '--port', String(port), '--control-port', '0']);
      expect(said.code).toBe(69);
      const parts = threeParts(said.err);
      expect(parts[0]).toContain(`port ${port} for the gateway is in use`);
      expect(parts[1]).toBe('The gateway was not started.');
      expect(parts[2]).toContain('choose another port');
    } finally {
      server.close();
    }
  });
});
