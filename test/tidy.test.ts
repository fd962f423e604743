import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { deadFiles, determinism, importArrows, names, orderedQueries, processDoor, size } from './tidy/code-rules.js';
import { type Finding, loadRepo } from './tidy/source.js';
import { documentLinks, listedDependencies, manifests, noMachine, pinnedVersions, referencesAgree } from './tidy/workspace-rules.js';

/** The house rules, held over every file of the repository. tidy/rules.test.ts shows that each of them can fail. */
const root = fileURLToPath(new URL('..', import.meta.url));
const files = loadRepo(root);

const RULES: readonly (readonly [string, () => Finding[]])[] = [
  ['imports follow the arrows between rooms', () => files.flatMap(importArrows)],
  ['what a room imports, its package.json lists', () => listedDependencies(files)],
  ['core, store, engine and sim are deterministic', () => files.flatMap(determinism)],
  ['only main.ts touches process.env, argv and exit', () => files.flatMap(processDoor)],
  ['queries that return rows say their order', () => files.flatMap(orderedQueries)],
  ['no file is swollen', () => files.flatMap(size)],
  ['files are named after their concept', () => files.flatMap(names)],
  ['no source file is dead', () => deadFiles(files)],
  ['dependencies are pinned', () => manifests(files).flatMap(pinnedVersions)],
  ['package.json and tsconfig references agree', () => referencesAgree(files)],
  ['no file names a machine or a registry', () => files.flatMap(noMachine)],
  [
    'links in the documents lead somewhere',
    () => files.flatMap(file => documentLinks(file, target => existsSync(path.join(root, target)))),
  ],
];

test.each(RULES)('%s', (_, rule) => {
  expect(rule().map(({ path: file, line, message }) => `${file}:${line} ${message}`)).toEqual([]);
});

test('the rules see the repository', () => {
  expect(files.length).toBeGreaterThan(50);
});
