import path from 'node:path/posix';
import { importsOf } from './code-rules.js';
import { type Finding, isTest, lineOf, type RepoFile } from './source.js';

type Manifest = { name?: string; dependencies?: Record<string, string>; devDependencies?: Record<string, string> };

export function manifests(files: readonly RepoFile[]): RepoFile[] {
  return files.filter(file => /^(package\.json|test\/package\.json|(packages|apps)\/[^/]+\/package\.json)$/.test(file.path));
}

/** Every dependency is one exact version: what was tested is what runs. */
export function pinnedVersions(file: RepoFile): Finding[] {
  const manifest: Manifest = JSON.parse(file.text);
  const findings: Finding[] = [];
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    const fine = name.startsWith('@holdfast/') ? version === 'workspace:*' : /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version);
    if (fine) continue;
    const instead = name.startsWith('@holdfast/') ? 'workspace:*' : 'one exact version, without ^ or ~';
    findings.push({ path: file.path, line: lineWith(file, `"${name}"`), message: `${name} is '${version}': write ${instead}` });
  }
  return findings;
}

/** The arrows are said twice, to pnpm and to tsc: both must say the same. */
export function referencesAgree(files: readonly RepoFile[]): Finding[] {
  const findings: Finding[] = [];
  const rooms: string[] = [];
  for (const file of manifests(files)) {
    if (file.path === 'package.json') continue;
    const home = path.dirname(file.path);
    rooms.push(home);
    const tsconfig = files.find(other => other.path === `${home}/tsconfig.json`);
    if (tsconfig === undefined) {
      findings.push({ path: file.path, line: 1, message: `${home} has no tsconfig.json: copy a neighbour's and list its references` });
      continue;
    }
    const manifest: Manifest = JSON.parse(file.text);
    const needs = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter(name => name.startsWith('@holdfast/'));
    const wanted = needs.map(name => `packages/${name.slice('@holdfast/'.length)}`);
    const present = referencesOf(tsconfig).map(reference => path.join(home, reference));
    for (const missing of wanted.filter(one => !present.includes(one))) {
      findings.push({
        path: tsconfig.path,
        line: 1,
        message: `package.json depends on ${missing}: add it to "references", or drop the dependency`,
      });
    }
    for (const extra of present.filter(one => !wanted.includes(one))) {
      findings.push({
        path: tsconfig.path,
        line: 1,
        message: `"references" has ${extra}, package.json does not: add the dependency, or drop the reference`,
      });
    }
  }
  const root = files.find(file => file.path === 'tsconfig.json');
  const built = root === undefined ? [] : referencesOf(root).map(reference => path.join('.', reference));
  for (const room of rooms.filter(one => !built.includes(one))) {
    findings.push({ path: 'tsconfig.json', line: 1, message: `${room} is not built: add it to the root "references"` });
  }
  return findings;
}

function referencesOf(tsconfig: RepoFile): string[] {
  const parsed: { references?: { path: string }[] } = JSON.parse(tsconfig.text);
  return (parsed.references ?? []).map(reference => reference.path);
}

/** What a room's sources import, its own manifest lists: the root's tools would resolve too, but are not there in production. */
export function listedDependencies(files: readonly RepoFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    const home = /^((?:packages|apps)\/[^/]+)\/src\/.*\.tsx?$/.exec(file.path)?.[1];
    const manifestFile = files.find(other => other.path === `${home}/package.json`);
    if (home === undefined || manifestFile === undefined || isTest(file.path)) continue;
    const manifest: Manifest = JSON.parse(manifestFile.text);
    for (const { specifier, line } of importsOf(file)) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (manifest.dependencies?.[name] === undefined) {
        findings.push({
          path: file.path,
          line,
          message: `'${name}' is not in ${home}/package.json: list it there (node's own modules are 'node:…')`,
        });
      }
    }
  }
  return findings;
}

/** Written apart, so that this file does not break the rule it states. */
const MACHINE_PATHS = new RegExp(
  `(?<![\\w.-])/(?:${['wo' + 'rk/(?:main|shared)', 'ro' + 'ot/', 'ho' + 'me/[a-z]', 'Us' + 'ers/[A-Za-z]'].join('|')})`,
  'g',
);
const REGISTRY_HOSTS = new RegExp(`registry\\.(?:${['npm' + 'js', 'yarn' + 'pkg', 'npm' + 'mirror'].join('|')})\\.`, 'g');

/** Nothing in the repository knows the machine it was written on or the registry it was fetched from. */
export function noMachine(file: RepoFile): Finding[] {
  const findings: Finding[] = [];
  const add = (pattern: RegExp, message: (found: string) => string) => {
    for (const match of file.text.matchAll(pattern))
      findings.push({ path: file.path, line: lineOf(file.text, match.index), message: message(match[0]) });
  };
  add(MACHINE_PATHS, found => `'${found}…' is a path of one machine: make it relative to the checkout`);
  add(REGISTRY_HOSTS, found => `'${found}…' names a registry: use the one that npm is set to`);
  if (file.path === 'pnpm-lock.yaml') {
    add(/^.*(?:tarball:|resolution:.*:\/\/).*$/gm, () => 'the lock file holds an address: reinstall with lockfile-include-tarball-url off');
  }
  return findings;
}

/** Relative links in the documents lead somewhere. `exists` takes a path relative to the root. */
export function documentLinks(file: RepoFile, exists: (target: string) => boolean): Finding[] {
  if (!/^(README|CHANGELOG)\.md$|^docs\/.*\.md$/.test(file.path)) return [];
  const prose = file.text
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, block => block.replace(/[^\n]/g, ' '))
    .replace(/`[^`\n]*`/g, code => ' '.repeat(code.length));
  const findings: Finding[] = [];
  for (const match of prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)) {
    const target = match[1] ?? '';
    if (/^([a-z]+:|#)/i.test(target)) continue;
    const resolved = path.join(path.dirname(file.path), decodeURIComponent(target.split('#')[0] ?? ''));
    if (!exists(resolved))
      findings.push({
        path: file.path,
        line: lineOf(prose, match.index),
        message: `the link '${target}' leads nowhere: correct it or write the page`,
      });
  }
  return findings;
}

function lineWith(file: RepoFile, needle: string): number {
  return lineOf(file.text, Math.max(0, file.text.indexOf(needle)));
}
