import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Enough for every mistake a desk.yaml is likely to have. */
const TAIL_BYTES = 4_096;
const WORDS_MAX = 1_000;

/** What a worker printed last, after its name, as its main.ts prints a refusal. Nothing where the file does not have it. */
export function lastWordsIn(path: string, worker: string): { readonly lastWords?: string } {
  const mark = `${worker}: `;
  const lines = tailOf(path).split('\n');
  const first = lines.findLastIndex(line => line.startsWith(mark));
  if (first === -1) return {};
  const words = lines.slice(first).join(' ').slice(mark.length).replaceAll(/\s+/g, ' ').trim();
  return { lastWords: words.length > WORDS_MAX ? `${words.slice(0, WORDS_MAX)}…` : words };
}

/** An alert without its reason is better than no alert: what cannot be read is empty. */
function tailOf(path: string): string {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    const length = Math.min(size, TAIL_BYTES);
    const bytes = Buffer.alloc(length);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, length, size - length));
  } catch {
    return '';
  } finally {
    if (file !== null) closeSync(file);
  }
}
