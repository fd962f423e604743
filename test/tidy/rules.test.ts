import { describe, expect, test } from 'vitest';
import { deadFiles, determinism, importArrows, names, orderedQueries, processDoor, size } from './code-rules.js';
import { blank, type Finding, type RepoFile } from './source.js';
import { documentLinks, listedDependencies, noMachine, pinnedVersions, referencesAgree } from './workspace-rules.js';

type FileRule = (file: RepoFile) => Finding[];

/** Rows of: rule, path, text, whether the rule objects. */
const CASES: readonly (readonly [FileRule, string, string, 'bad' | 'fine'])[] = [
  [importArrows, 'packages/core/src/a.ts', "import { open } from '@holdfast/store/db';", 'bad'],
  [importArrows, 'packages/core/src/a.ts', "import fs from 'node:fs';", 'bad'],
  [importArrows, 'packages/core/src/a.ts', "// import fs from 'node:fs';", 'fine'],
  [importArrows, 'packages/core/src/a.test.ts', "import { test } from 'vitest';", 'fine'],
  [importArrows, 'packages/core/src/a.ts', "import { DateTime } from 'luxon';", 'bad'],
  [importArrows, 'packages/core/src/calendar.ts', "import { DateTime } from 'luxon';", 'fine'],
  [importArrows, 'packages/engine/src/a.ts', "import { DateTime } from 'luxon';", 'bad'],
  [importArrows, 'packages/store/src/a.ts', "export { run } from '@holdfast/engine/run';", 'bad'],
  [importArrows, 'packages/store/src/a.ts', "const { run } = await import('@holdfast/engine/run');", 'bad'],
  [importArrows, 'packages/store/src/a.ts', "import type {\n  Micros,\n} from '@holdfast/core/units';", 'fine'],
  [importArrows, 'packages/store/src/a.ts', "import { b } from '../../core/src/units.js';", 'bad'],
  [importArrows, 'packages/store/src/deep/a.ts', "import { b } from '../b.js';", 'fine'],
  [importArrows, 'packages/store/src/a.ts', "import { b } from './b';", 'bad'],
  [importArrows, 'packages/store/src/a.ts', "import { b } from '@holdfast/store/b';", 'bad'],
  [importArrows, 'packages/store/src/a.ts', "import { b } from '@holdfast/core';", 'bad'],
  [importArrows, 'apps/day-trader/src/main.ts', "import { e } from '@holdfast/sim/exchange';", 'bad'],
  [importArrows, 'apps/gateway-sim/src/main.ts', "import { e } from '@holdfast/sim/exchange';", 'fine'],
  [importArrows, 'apps/cli/src/main.ts', "import { live } from '@holdfast/engine/live';", 'fine'],
  [importArrows, 'apps/cli/src/status.ts', "import { live } from '@holdfast/engine/live';", 'bad'],
  [importArrows, 'packages/engine/src/run.ts', "import { live } from './live.js';", 'bad'],
  [importArrows, 'packages/engine/src/run.ts', "import { live } from './live.js'; // allowed: the one place", 'fine'],

  [determinism, 'packages/core/src/a.ts', 'const now = Date.now();', 'bad'],
  [determinism, 'packages/core/src/a.ts', 'const now = new Date();', 'bad'],
  [determinism, 'packages/core/src/a.ts', 'const at = new Date(event.at);', 'fine'],
  [determinism, 'packages/core/src/a.ts', 'const text = Date();', 'bad'],
  [determinism, 'packages/store/src/a.ts', 'const t = performance.now();', 'bad'],
  [determinism, 'packages/store/src/a.ts', 'const t = process.hrtime.bigint();', 'bad'],
  [determinism, 'packages/engine/src/a.ts', 'const luck = Math.random();', 'bad'],
  [determinism, 'packages/engine/src/a.ts', "import { randomUUID } from 'node:crypto';", 'bad'],
  [determinism, 'packages/engine/src/a.ts', 'setTimeout(tick, 5);', 'bad'],
  [determinism, 'packages/engine/src/a.ts', 'setInterval(tick, 5);', 'bad'],
  [determinism, 'packages/engine/src/a.ts', 'ports.setTimeout(tick, 5);', 'fine'],
  [determinism, 'packages/sim/src/a.ts', 'await fetch(url);', 'bad'],
  [determinism, 'packages/sim/src/a.ts', 'socket.prefetch(url);', 'fine'],
  [determinism, 'packages/sim/src/a.ts', 'log(process.pid);', 'bad'],
  [determinism, 'packages/sim/src/a.ts', 'subprocess.kill();', 'fine'],
  [determinism, 'packages/sim/src/a.ts', "import process from 'node:process';", 'bad'],
  [determinism, 'packages/sim/src/gateway/server.ts', 'setTimeout(tick, 5);', 'fine'],
  [determinism, 'packages/engine/src/live.ts', 'const now = Date.now();', 'fine'],
  [determinism, 'packages/brokers/src/ib/a.ts', 'const now = Date.now();', 'fine'],
  [determinism, 'packages/core/src/a.ts', '/** Never Date.now() here. */', 'fine'],
  [determinism, 'packages/core/src/a.ts', "throw new Error('do not call Date.now() or fetch(x)');", 'fine'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text
  [determinism, 'packages/core/src/a.ts', 'const s = `at ${Date.now()} Math.random`;', 'bad'],
  [determinism, 'packages/core/src/a.ts', "const quote = /['\"]/; const now = Date.now(); const other = /'/;", 'bad'],
  [determinism, 'packages/core/src/a.ts', 'const now = Date.now(); // allowed: shown to a person, decides nothing', 'fine'],
  [determinism, 'packages/core/src/a.ts', 'const now = Date.now(); // allowed:', 'bad'],

  [processDoor, 'apps/cli/src/start.ts', 'const home = process.env.HOME;', 'bad'],
  [processDoor, 'apps/cli/src/start.ts', 'const { argv } = process;', 'bad'],
  [processDoor, 'packages/brokers/src/ib/a.ts', 'process.exit(1);', 'bad'],
  [processDoor, 'packages/sim/src/gateway/a.ts', 'process.exitCode = 1;', 'bad'],
  [processDoor, 'packages/brokers/src/ib/a.ts', "import { env } from 'node:process';", 'bad'],
  [processDoor, 'apps/cli/src/start.ts', 'process.kill(pid, 0);', 'fine'],
  [processDoor, 'apps/cli/src/main.ts', 'process.exit(run(process.argv));', 'fine'],

  [orderedQueries, 'packages/store/src/a.ts', "return db.all(q.selectFrom('orders').selectAll().where('status', '=', 'INTENT'));", 'bad'],
  [orderedQueries, 'packages/store/src/a.ts', "return db.all(q.selectFrom('orders').selectAll().orderBy('order_ref'));", 'fine'],
  [
    orderedQueries,
    'packages/store/src/a.ts',
    "const a = q.selectFrom('x').selectAll();\nconst b = q.selectFrom('y').selectAll().orderBy('id');",
    'bad',
  ],
  [orderedQueries, 'packages/store/src/a.ts', "const one = db.first(q.selectFrom('orders').selectAll());", 'fine'],
  [orderedQueries, 'packages/store/src/a.ts', "const n = db.all(q.selectFrom('orders').select(eb => eb.fn.countAll().as('n')));", 'fine'],
  [
    orderedQueries,
    'packages/store/src/a.ts',
    "const n = db.all(q.selectFrom('o').select(eb => eb.fn.countAll().as('n')).groupBy('s'));",
    'bad',
  ],

  [size, 'packages/core/src/a.ts', 'x;\n'.repeat(450), 'bad'],
  [size, 'packages/core/src/a.ts', 'x;\n'.repeat(449), 'fine'],

  [names, 'packages/core/src/utils.ts', '', 'bad'],
  [names, 'packages/core/src/helpers/round.ts', '', 'bad'],
  [names, 'packages/store/src/common.ts', '', 'bad'],
  [names, 'apps/cli/src/types.test.ts', '', 'bad'],
  [names, 'packages/core/src/exitManager.ts', '', 'bad'],
  [names, 'packages/core/src/exit-manager.test.ts', '', 'fine'],

  [pinnedVersions, 'packages/core/package.json', '{"dependencies":{"luxon":"^3.7.2"}}', 'bad'],
  [pinnedVersions, 'packages/core/package.json', '{"devDependencies":{"luxon":"latest"}}', 'bad'],
  [pinnedVersions, 'packages/store/package.json', '{"dependencies":{"@holdfast/core":"0.1.0"}}', 'bad'],
  [pinnedVersions, 'packages/store/package.json', '{"dependencies":{"@holdfast/core":"workspace:*","x":"1.2.3-beta.1"}}', 'fine'],

  [noMachine, 'docs/a.md', `cd ${['', 'home', 'somebody', 'holdfast'].join('/')}`, 'bad'],
  [noMachine, 'scripts/a.mjs', `const where = '${['', 'root', '.cache'].join('/')}';`, 'bad'],
  [noMachine, 'README.md', `npm --registry https://${['registry', 'npmjs', 'org'].join('.')}`, 'bad'],
  [noMachine, 'pnpm-lock.yaml', '    resolution: {integrity: sha512-x, tarball: file.tgz}', 'bad'],
  [noMachine, 'pnpm-lock.yaml', '    resolution: {integrity: sha512-x}', 'fine'],
  [noMachine, 'docs/a.md', 'the file apps/home/page.ts and ../root/x', 'fine'],
];

test.each(
  CASES.map(([rule, path, text, verdict]) => [rule.name, path, (text.split('\n')[0] ?? '').slice(0, 90), verdict, rule, text] as const),
)('%s in %s: %s is %s', (_name, path, _short, verdict, rule, text) => {
  const findings = rule({ path, text: `${text}\n` });
  expect(findings.length > 0 ? 'bad' : 'fine').toBe(verdict);
  for (const finding of findings) expect(finding.message.length).toBeGreaterThan(20);
});

test('a finding names the line', () => {
  const text = "const a = 1;\n/* two\nlines */\nconst now = Date.now();\nconst s = 'Date.now()';\n";
  expect(determinism({ path: 'packages/core/src/a.ts', text }).map(finding => finding.line)).toEqual([4]);
});

test('blanking keeps every position', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text
  const text = 'a = `x ${ { b: "}" }.b } y`; // end\nc = d / e / f; /* g */ h(/[/]\\/"/);\n';
  const code = blank(text, 'blank strings');
  expect(code.length).toBe(text.length);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what is left of the sample
  expect(code.replace(/ +/g, ' ')).toBe('a = ` ${ { b: " " }.b } `; \nc = d / e / f; h(/ /);\n');
});

describe('rules over several files', () => {
  const lonely = { path: 'packages/core/src/lonely.ts', text: 'export const a = 1;\n' };

  test('a file only its own test imports is dead', () => {
    const ownTest = { path: 'packages/core/src/lonely.test.ts', text: "import { a } from './lonely.js';\n" };
    expect(deadFiles([lonely, ownTest]).map(finding => finding.path)).toEqual(['packages/core/src/lonely.ts']);
  });

  test.each([
    { path: 'packages/store/src/a.ts', text: "import { a } from '@holdfast/core/lonely';\n// allowed: x\n" },
    { path: 'test/e2e/a.test.ts', text: "import { a } from '@holdfast/core/lonely';\n" },
    { path: 'apps/cli/src/main.ts', text: "spawn('packages/core/dist/lonely.js');\n" },
  ])('$path keeps a file alive', user => {
    expect(deadFiles([lonely, user])).toEqual([]);
  });

  test('an import of the root tools is not a dependency of the package', () => {
    const manifest = { path: 'packages/core/package.json', text: '{"dependencies":{"luxon":"3.7.2"}}' };
    const source = { path: 'packages/core/src/a.ts', text: "import fc from 'fast-check';\nimport { DateTime } from 'luxon';\n" };
    expect(listedDependencies([manifest, source]).map(finding => finding.line)).toEqual([1]);
  });

  test.each([
    ['a missing reference', ['@holdfast/core'], [], ['packages/store'], 1],
    ['a reference too many', [], ['../core'], ['packages/store'], 1],
    ['a room that is not built', [], [], [], 1],
    ['agreement', ['@holdfast/core'], ['../core'], ['packages/store'], 0],
  ])('%s', (_, needs, references, built, faults) => {
    const files = [
      {
        path: 'packages/store/package.json',
        text: JSON.stringify({ dependencies: Object.fromEntries(needs.map(name => [name, 'workspace:*'])) }),
      },
      { path: 'packages/store/tsconfig.json', text: JSON.stringify({ references: references.map(path => ({ path })) }) },
      { path: 'tsconfig.json', text: JSON.stringify({ references: built.map(path => ({ path: `./${path}` })) }) },
    ];
    expect(referencesAgree(files)).toHaveLength(faults);
  });

  test('a link that leads nowhere', () => {
    const text = 'see [one](one.md#top), [two](../two.md), [web](https://example.org), [here](#a) and `[code](nowhere)`\n';
    const findings = documentLinks({ path: 'docs/a.md', text }, target => target === 'docs/one.md');
    expect(findings.map(finding => finding.message)).toEqual([expect.stringContaining("'../two.md'")]);
  });
});
