import path from 'node:path/posix';
import { blank, type Finding, isAllowed, isSource, isTest, lineOf, type RepoFile, roomOf } from './source.js';

/** STYLE §3: which rooms a room may import. Whatever is not listed is forbidden. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  store: ['core'],
  brokers: ['core'],
  sidecars: ['core'],
  engine: ['core', 'store'],
  sim: ['core', 'store', 'engine'],
};
const APPS_MAY_IMPORT = ['core', 'store', 'brokers', 'engine', 'sidecars'];
const APPS_WITH_SIM = ['cli', 'gateway-sim'];

export type Import = { specifier: string; line: number };

export function importsOf(file: RepoFile): Import[] {
  const code = blank(file.text, 'keep strings');
  const pattern = /\b(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1|\bimport\s*\(?\s*(['"])([^'"\n]+)\3/g;
  return [...code.matchAll(pattern)].map(match => ({ specifier: match[2] ?? match[4] ?? '', line: lineOf(code, match.index) }));
}

/** Import arrows between rooms, luxon's one place, and the real clock's one door. */
export function importArrows(file: RepoFile): Finding[] {
  const home = roomOf(file.path);
  if (home === undefined) return [];
  const findings: Finding[] = [];
  for (const { specifier, line } of importsOf(file)) {
    const message = importFault(file.path, home, specifier);
    if (message !== undefined && !isAllowed(file, line)) findings.push({ path: file.path, line, message });
  }
  return findings;
}

function importFault(from: string, { wing, room }: { wing: string; room: string }, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = path.join(path.dirname(from), specifier);
    if (!target.startsWith(`${wing}/${room}/`))
      return `'${specifier}' reaches into another room: import '@holdfast/<package>/<file>' instead`;
    if (!/\.(js|json)$/.test(specifier)) return `'${specifier}' has no ending: relative imports end in .js`;
    if (target === 'packages/engine/src/live.js' && !isTest(from)) return onlyMainMayImportLive(from);
    return undefined;
  }
  const ours = /^@holdfast\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  if (ours !== null) {
    const target = ours[1] ?? '';
    if (target === room && wing === 'packages') return `'${specifier}' is this very package: import it as './${ours[2]}.js'`;
    if (ours[2] === undefined || /\.(js|ts)$/.test(ours[2]))
      return `'${specifier}': name the file without ending, '@holdfast/${target}/<file>'`;
    if (!mayImport(wing, room, target))
      return `${wing}/${room} may not import ${target} (STYLE §3): move the rule to core, or pass the value in`;
    if (target === 'engine' && ours[2] === 'live' && !isTest(from)) return onlyMainMayImportLive(from);
    return undefined;
  }
  if (specifier === 'luxon' && !/^packages\/core\/src\/calendar(\.test)?\.ts$/.test(from)) {
    return 'luxon stays in packages/core/src/calendar.ts: ask the calendar, or add the question to it';
  }
  if (room === 'core' && wing === 'packages' && specifier !== 'luxon' && !isTest(from)) {
    return `core imports nothing, so not '${specifier}': take the value as an argument, or add an effect and a port`;
  }
  return undefined;
}

function mayImport(wing: string, room: string, target: string): boolean {
  if (wing === 'packages') return (MAY_IMPORT[room] ?? []).includes(target);
  return APPS_MAY_IMPORT.includes(target) || (target === 'sim' && APPS_WITH_SIM.includes(room));
}

function onlyMainMayImportLive(from: string): string | undefined {
  if (/^apps\/[^/]+\/src\/main\.ts$/.test(from)) return undefined;
  return 'engine/live is the real clock: only apps/*/src/main.ts imports it, everything else takes the port it builds';
}

/** The determinism contract: what must not be called, and what to use instead. */
const NONDETERMINISM: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/g, "Date.now: use the event's `at`, or the clock that was passed in"],
  [/\bnew\s+Date\b(?!\s*\(\s*[^)\s])/g, "new Date() of now: use the event's `at`; `new Date(ms)` of a known time is fine"],
  [/(?<![\w.]|new\s)Date\s*\(/g, "Date(): use the event's `at`"],
  [/\bperformance\.(?:now|timeOrigin)\b/g, 'performance.now: use the monotonic clock that was passed in'],
  [/\bhrtime\b/g, 'hrtime: use the monotonic clock that was passed in'],
  [/\bMath\.random\b/g, 'Math.random: use the seeded random source that was passed in'],
  [
    /\b(?:randomUUID|randomBytes|randomInt|getRandomValues)\b/g,
    'random ids: build them from worker + trade date + lease + counter, or from content',
  ],
  [
    /(?<![\w.])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
    'timers: ask for a wake-up through the engine; the due time arrives as an event',
  ],
  [/(?<![\w.])fetch\s*\(/g, 'fetch: add an effect and a port, and let an app perform it'],
  [
    /(?<![\w.])process\s*(?:\.|\[)|(?<==\s*)process\b|['"]node:process['"]/g,
    'process: take the value as an argument from apps/*/src/main.ts',
  ],
];

export function determinism(file: RepoFile): Finding[] {
  const covered = /^packages\/(core|store|engine|sim)\/src\//.test(file.path) && !isTest(file.path);
  if (!covered || file.path === 'packages/engine/src/live.ts' || file.path.startsWith('packages/sim/src/gateway/')) return [];
  return search(file, NONDETERMINISM);
}

const PROCESS_DOOR: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![\w.])process\s*\.\s*(?:env|argv|exit|exitCode)\b|\{[^{}]*\b(?:env|argv|exit)\b[^{}]*\}\s*=\s*process\b|['"]node:process['"]/g,
    'process.env, argv and exit belong to apps/*/src/main.ts: parse there and pass the typed value',
  ],
];

export function processDoor(file: RepoFile): Finding[] {
  if (!isSource(file.path) || /^apps\/[^/]+\/src\/main\.ts$/.test(file.path)) return [];
  return search(file, PROCESS_DOOR);
}

function search(file: RepoFile, patterns: readonly (readonly [RegExp, string])[]): Finding[] {
  const code = blank(file.text, 'blank strings');
  const withStrings = blank(file.text, 'keep strings');
  const findings: Finding[] = [];
  for (const [pattern, message] of patterns) {
    for (const match of (pattern.source.includes('node:') ? withStrings : code).matchAll(pattern)) {
      const line = lineOf(code, match.index);
      // A pattern that also looks into strings must not take a word in a message for code.
      const isCode = code.slice(match.index, match.index + match[0].length).trim() !== '' && !insideString(code, withStrings, match);
      if (isCode && !isAllowed(file, line)) findings.push({ path: file.path, line, message });
    }
  }
  return findings;
}

/** True where a match that is not itself an import specifier lies inside a string. */
function insideString(code: string, withStrings: string, match: RegExpExecArray): boolean {
  if (match[0].includes('node:')) return false;
  return code.slice(match.index, match.index + match[0].length) !== withStrings.slice(match.index, match.index + match[0].length);
}

/**
 * Queries that return rows say their order. Best effort, in the store: a query handed to `first(…)`, one inside another
 * query, and one that only counts or sums need none.
 */
export function orderedQueries(file: RepoFile): Finding[] {
  if (!file.path.startsWith('packages/store/src/') || isTest(file.path)) return [];
  const code = blank(file.text, 'blank strings');
  const findings: Finding[] = [];
  for (const match of code.matchAll(/\bselectFrom\s*\(/g)) {
    const before = code.slice(0, match.index);
    if (/\bfirst(?:<[^()]*>)?\s*\(\s*\w+\s*\.\s*$/.test(before) || /\b(?:eb|qb|exists)\b[\s(]*\.?\s*$/.test(before)) continue;
    const chain = code.slice(match.index, endOfExpression(code, match.index));
    const onlyAggregates =
      /\.select\(\s*\(?\s*(?:\w+|\{[^}]*\})\s*\)?\s*=>/.test(chain) &&
      /\b(?:fn|count|countAll|sum|max|min)\b/.test(chain) &&
      !chain.includes('groupBy');
    const takesOne = /\.(?:limit\(\s*1\s*\)|executeTakeFirst)/.test(chain);
    const line = lineOf(code, match.index);
    if (!/\borderBy\s*\(/.test(chain) && !onlyAggregates && !takesOne && !isAllowed(file, line)) {
      findings.push({ path: file.path, line, message: 'a query that returns rows has an .orderBy(…): without one two replays may differ' });
    }
  }
  return findings;
}

/** The end of the expression that starts at `from`: the first `;` or `,` outside, or the bracket that closes around it. */
function endOfExpression(code: string, from: number): number {
  let depth = 0;
  for (let i = from; i < code.length; i++) {
    const char = code[i] ?? '';
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth < 0) return i;
    else if ((char === ';' || char === ',') && depth === 0) return i;
  }
  return code.length;
}

const LINES_MAX = 450;

export function size(file: RepoFile): Finding[] {
  if (!/\.(ts|tsx|mjs)$/.test(file.path)) return [];
  const lines = file.text.split('\n').length - 1;
  if (lines <= LINES_MAX) return [];
  return [
    {
      path: file.path,
      line: lines,
      message: `${lines} lines: split it by concept (50–300 lines is the house's size, ${LINES_MAX} its limit)`,
    },
  ];
}

export function names(file: RepoFile): Finding[] {
  const isCode = /^(packages|apps|test|scripts)\/.*\.(ts|tsx|mjs)$/.test(file.path);
  if (!isCode) return [];
  const findings: Finding[] = [];
  for (const part of file.path.split('/').slice(1)) {
    const name = part.replace(/\.(?:test\.)?(?:ts|tsx|mjs)$/, '');
    if (/^(utils?|helpers?|common|types?|misc)$/.test(name)) {
      findings.push({
        path: file.path,
        line: 1,
        message: `'${name}' says nothing: name the concept, then place it where it gets its meaning`,
      });
    } else if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(name)) {
      findings.push({ path: file.path, line: 1, message: `'${part}' is not kebab-case` });
    }
  }
  return findings;
}

/** Source files that nothing leads to. A file's own test does not count as somebody who needs it. */
export function deadFiles(files: readonly RepoFile[]): Finding[] {
  const reached = new Set<string>();
  for (const file of files) {
    if (!/\.(ts|tsx|mjs)$/.test(file.path)) continue;
    const ownSource = file.path.replace(/\.test\.ts$/, '.ts');
    for (const { specifier } of importsOf(file)) {
      const target = resolveImport(file.path, specifier);
      if (target !== undefined && target !== ownSource) reached.add(target);
    }
    // Programs started by path: new Worker(new URL('./x.js', …)), fork('…/dist/x.js').
    for (const match of file.text.matchAll(/(packages|apps)\/([a-z-]+)\/dist\/([\w/-]+)\.js/g))
      reached.add(`${match[1]}/${match[2]}/src/${match[3]}.ts`);
    for (const match of file.text.matchAll(/new URL\(\s*['"](\.[^'"]+)\.js['"]/g))
      reached.add(`${path.join(path.dirname(file.path), match[1] ?? '')}.ts`);
  }
  return files
    .filter(file => isSource(file.path) && !file.path.endsWith('.d.ts') && !/^apps\/[^/]+\/src\/main\.ts$/.test(file.path))
    .filter(file => !reached.has(file.path) && !/^\/\/ allowed: \S/m.test(file.text))
    .map(file => ({ path: file.path, line: 1, message: 'nothing imports it: wire it up or delete it' }));
}

function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return path.join(path.dirname(from), specifier).replace(/\.js$/, '.ts');
  const ours = /^@holdfast\/([^/]+)\/(.+)$/.exec(specifier);
  return ours === null ? undefined : `packages/${ours[1]}/src/${ours[2]}.ts`;
}
