import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { quoteOf } from '@holdfast/sim/list-source';
import { expect, test } from 'vitest';
import { Stage } from './scenarios/stage.js';

/** docs/architecture.md names the file of every hop: a renamed file or symbol, or another course of its two stories, is noticed here. */
const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');

/** `core/x.ts › name` and `test/x.test.ts`, as the page abbreviates them. */
const named = [...page.matchAll(/`((?:core|store|brokers|engine|sim|apps|packages|test)\/[\w./-]+\.ts)(?: › (\w+))?`/g)].map(
  ([, file = '', symbol]) => ({ file: file.replace(/^(core|store|brokers|engine|sim)\//, 'packages/$1/src/'), symbol }),
);

test('docs/architecture.md: every file and symbol it names exists', () => {
  expect(named.length).toBeGreaterThan(60);
  const missing = named.filter(({ file, symbol }) => {
    if (!existsSync(path.join(root, file))) return true;
    return symbol !== undefined && !new RegExp(`\\b${symbol}\\b`).test(readFileSync(path.join(root, file), 'utf8'));
  });
  expect(missing).toEqual([]);
});

test('docs/operations.md: every alert code is explained', () => {
  const sources = globSync('{packages,apps}/*/src/**/*.ts', { cwd: root }).filter(file => !/\.test\.ts$|\/testing\//.test(file));
  const codes = sources.flatMap(file => {
    const alerts = [...readFileSync(path.join(root, file), 'utf8').matchAll(/\blevel:[^\n]*\n?\s*code:([^\n]*)/g)];
    return alerts.flatMap(([, code = '']) => [...code.matchAll(/'([A-Z_]+)'/g)].map(([, name = '']) => name));
  });
  const operations = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
  expect(codes.length).toBeGreaterThan(20);
  expect([...new Set(codes)].filter(code => !operations.includes(`\`${code}\``))).toEqual([]);
});

const storyOf = (name: string): string => new RegExp(`\`\`\`story ${name}\\n([^\`]*)\`\`\``).exec(page)?.[1]?.trimEnd() ?? 'no such story';
const FALL = [quoteOf('09:45:00', 49.98, 50.0, 5_000), quoteOf('09:45:10', 49.5, 49.52, 5_000), quoteOf('09:45:12', 49.49, 49.51, 5_000)];

test('docs/architecture.md: the life of a tick goes as told', () => {
  const s = new Stage({ market: FALL });
  s.run(1_000);
  s.buys(499, 50.05);
  s.runTo('09:45:15');
  expect(s.story.join('\n')).toBe(storyOf('stop'));
  s.close();
});

test('docs/architecture.md: the life of a crash goes as told, under the same API order id', () => {
  const s = new Stage({ market: FALL });
  s.run(1_000);
  s.buys(499, 50.05);
  s.runTo('09:45:11');
  // The sale's intent is committed and its bytes never reach the exchange.
  s.exchange.subscribe(event => {
    if (event.kind === 'order' && event.order.request.type === 'STP' && event.order.status === 'Cancelled') s.broker.isDeaf = true;
  });
  s.runTo('09:45:12');
  s.run(100);
  s.killExitManager();
  s.run(300, { alive: false });
  s.startExitManager();
  s.runTo('09:45:15');
  expect(s.story.slice(-7).join('\n')).toBe(storyOf('crash'));
  const sale = s.exchange.completedOrders().find(({ request }) => request.type === 'MKT');
  expect([sale?.request.orderId, sale?.request.orderRef]).toEqual([3, 'HFX-20260309-3-1']);
  s.close();
});
