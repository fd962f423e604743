import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from './harness.js';
import { pause } from './waiting.js';

/** Recorded data as people leave it lying about: the gateway and the demo say which file, which line and why, and do not start on it. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const DAY = '2026-03-09';
const TRADES = 'ms_since_midnight_et,open,high,low,close,volume';
const QUOTES = 'ms_since_midnight_et,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';
const PRINT = '34200000,50,50.2,49.9,50.1,100';
const LATER = '34201000,50,50.2,49.9,50.1,100';

function write(name: string, bytes: Buffer | readonly string[]): void {
  const path = join(folder, 'us-equity', '1s', 'ACME', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.isBuffer(bytes) ? bytes : gzipSync(`${bytes.join('\n')}\n`));
}

/** Runs an app for at most `ms`; what it printed and how it ended, null when it had to be stopped. */
async function run(app: 'gateway-sim' | 'cli', words: readonly string[], ms = 10_000): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'apps', app, 'dist', 'main.js'), ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  const closed = new Promise<number | null>(resolve => child.once('close', resolve));
  const code = await Promise.race([closed, pause(ms).then(() => null)]);
  child.kill('SIGKILL');
  await closed;
  return { code, text };
}

const DATA = (): string[] => ['--data', join(folder, 'us-equity'), '--date', DAY];
const gateway = (ms?: number) => run('gateway-sim', ['--port', '0', '--control-port', '0', ...DATA()], ms);

it.each([
  ['a column is missing', ['ms_since_midnight_et,open,high,low,volume', '34200000,50,50.2,49.9,100'], /line 1: column "close" is missing/],
  ['high lies below low', [TRADES, PRINT, '34201000,50,49,51,50,100'], /line 3: open, high, low and close do not fit/],
  ['a price is a word', [TRADES, '34200000,fifty,50.2,49.9,50.1,100'], /line 2, column "open": "fifty" is not a number/],
  ['the last line is cut short', [TRADES, PRINT, '34201000,50,50.2'], /line 3: ends after 3 of 6 columns/],
  ['time goes back', [TRADES, LATER, PRINT], /line 3, column "ms_since_midnight_et": 34200000 does not come after 34201000/],
  ['the archive is truncated', gzipSync(`${[TRADES, PRINT, LATER].join('\n')}\n`).subarray(0, 40), /cannot be read .*restore the file/],
  ['it is no data at all', Buffer.from([0, 1, 2, 3, 4, 5, 250, 251]), /column "ms_since_midnight_et" is missing/],
] as const)('prints: %s', async (_title, content, message) => {
  write(`${DAY}.trades.csv.gz`, content as Buffer | readonly string[]);
  const { code, text } = await gateway();
  expect(code, text).toBe(69);
  expect(text).toContain(`${DAY}.trades.csv.gz`);
  expect(text).toMatch(message);
  expect(text).not.toMatch(/^ {4}at /m);
});

it('quotes: a missing column refuses the file, a crossed row is left out and the day runs', async () => {
  write(`${DAY}.trades.csv.gz`, [TRADES, PRINT, LATER]);
  write(`${DAY}.quotes.csv.gz`, [QUOTES.replace('bid_size,', ''), '34200000,50,50,50,50,50.1,50.1,50.1,50.1,100']);
  const refused = await gateway();
  expect(refused.code, refused.text).toBe(69);
  expect(refused.text).toMatch(/quotes\.csv\.gz, line 1: column "bid_size" is missing/);

  const rows = ['34200000,50,50,50,50,100,50.1,50.1,50.1,50.1,100', '34201000,50.3,50.3,50.3,50.3,100,50.1,50.1,50.1,50.1,100'];
  write(`${DAY}.quotes.csv.gz`, [QUOTES, ...rows]);
  const running = await gateway(1_500);
  expect(running.code, running.text).toBeNull();
  expect(running.text).toMatch(/1 crossed/);
});

it('the demo says the same, in three parts, and starts nothing', async () => {
  write(`${DAY}.trades.csv.gz`, ['ms_since_midnight_et,open,high,low,volume', '34200000,50,50.2,49.9,100']);
  const { code, text } = await run('cli', ['demo', '--json', ...DATA()]);
  expect(code, text).toBeGreaterThan(0);
  expect(text).toMatch(/trades\.csv\.gz, line 1: column "close" is missing/);
  expect(text).not.toMatch(/^ {4}at /m);
});
