import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A file of the repository; `path` is relative to its root, with forward slashes. */
export type RepoFile = { path: string; text: string };

/** One broken rule. The message says what to do instead. */
export type Finding = { path: string; line: number; message: string };

/** Reads every text file git knows or would take; `pnpm-lock.yaml` included, build output not. */
export function loadRepo(root: string): RepoFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  const files: RepoFile[] = [];
  for (const name of listed.split('\0')) {
    // A file deleted from the work tree is still listed until the deletion is committed.
    if (name === '' || !existsSync(path.join(root, name))) continue;
    const text = readFileSync(path.join(root, name), 'utf8');
    if (!text.includes('\0')) files.push({ path: name, text });
  }
  return files;
}

/** Where a file lives: `{ wing: 'packages', room: 'core' }`, `{ wing: 'apps', room: 'cli' }`, or neither. */
export function roomOf(file: string): { wing: 'packages' | 'apps'; room: string } | undefined {
  const [wing, room] = file.split('/');
  if ((wing === 'packages' || wing === 'apps') && room !== undefined) return { wing, room };
  return undefined;
}

/** Tests, and what only tests use: a room's `testing/` folder. */
export function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || file.startsWith('test/') || /^packages\/[^/]+\/src\/.*\/testing\//.test(file);
}

/** TypeScript sources of the product's rooms. */
export function isSource(file: string): boolean {
  return /^(packages|apps)\/[^/]+\/src\/.*\.tsx?$/.test(file) && !isTest(file);
}

export function lineOf(text: string, index: number): number {
  let line = 1;
  for (let i = 0; i < index; i++) if (text.charCodeAt(i) === 10) line++;
  return line;
}

/** `// allowed: why` on a line exempts it from the code rules; without a reason it exempts nothing. */
export function isAllowed(file: RepoFile, line: number): boolean {
  return /\/\/ allowed: \S/.test(file.text.split('\n')[line - 1] ?? '');
}

/**
 * The text with comments, and on wish the insides of strings, replaced by spaces: every character keeps its place, so
 * positions and lines stay true. A small scanner rather than the compiler's: TypeScript 7 offers none to programs.
 */
export function blank(text: string, strings: 'keep strings' | 'blank strings'): string {
  const out = [...text.split('')];
  const erase = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  const templateDepths: number[] = []; // brace depth at each open `${`
  let depth = 0;
  let significant = '';
  let i = 0;
  const readTemplate = (start: number): number => {
    let j = start;
    while (j < text.length && text[j] !== '`' && !text.startsWith('${', j)) j += text[j] === '\\' ? 2 : 1;
    if (strings === 'blank strings') erase(start, Math.min(j, text.length));
    if (text[j] !== '$') return j + 1;
    templateDepths.push(depth++);
    return j + 2;
  };
  while (i < text.length) {
    const char = text[i] ?? '';
    const pair = text.slice(i, i + 2);
    if (pair === '//' || pair === '/*') {
      const end = pair === '//' ? text.indexOf('\n', i) : text.indexOf('*/', i + 2) + 2;
      const stop = end < i + 2 ? text.length : end;
      erase(i, stop);
      i = stop;
    } else if (char === "'" || char === '"') {
      let j = i + 1;
      while (j < text.length && text[j] !== char && text[j] !== '\n') j += text[j] === '\\' ? 2 : 1;
      if (strings === 'blank strings') erase(i + 1, j);
      i = j + 1;
      significant = char;
    } else if (char === '`') {
      i = readTemplate(i + 1);
      significant = char;
    } else if (char === '/' && startsRegex(text, i, significant)) {
      const end = endOfRegex(text, i);
      erase(i + 1, end);
      i = end + 1;
      significant = '/';
    } else {
      if (char === '{') depth++;
      if (char === '}') {
        depth--;
        if (templateDepths.at(-1) === depth) {
          templateDepths.pop();
          i = readTemplate(i + 1);
          significant = '`';
          continue;
        }
      }
      if (char.trim() !== '') significant = char;
      i++;
    }
  }
  return out.join('');
}

/** A slash divides after a value and opens a regular expression after anything else. */
function startsRegex(text: string, index: number, significant: string): boolean {
  if (significant === '' || '(,=:[!&|?{};+-*%<>~^'.includes(significant)) return true;
  return /\b(return|typeof|case|in|of|yield|await)\s*$/.test(text.slice(Math.max(0, index - 12), index));
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '\n') return start; // it was a division after all
    if (char === '\\') i++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return i;
  }
  return start;
}
