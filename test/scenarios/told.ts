import { expect } from 'vitest';

const ORDER_REF = /\bHF[XDL]-\d{8}-\d+-\d+/g;
const ORDER_NAME = /\b[XDL]-\d+\b/g;

// A story stands in its test as it is, without quotation marks.
expect.addSnapshotSerializer({ test: value => typeof value === 'string', serialize: value => value });

/**
 * The told story of a stage, to be read and compared as prose: of the lines about `about` (symbols, actors; none: all) and of the orders named in them, the time to
 * the second, who, and what, without what differs between two runs that tell the same story. Order refs become D-1, D-2 (the day trader's) and
 * (the exit manager's) in the order in which they first appear.
 *
 * Stories stand in the tests as inline snapshots: a change that is meant to tell them differently writes them anew (`vitest -u`), and its author
 * reads the difference as prose.
 */
export function told(lines: readonly string[], about: readonly string[] = []): string {
  const names = new Map<string, string>();
  const counts = { X: 0, D: 0, L: 0 };
  const nameOf = (ref: string): string => {
    const letter = ref.startsWith('HFX') ? 'X' : ref.startsWith('HFD') ? 'D' : 'L';
    const known = names.get(ref);
    if (known !== undefined) return known;
    counts[letter] += 1;
    const name = `${letter}-${counts[letter]}`;
    names.set(ref, name);
    return name;
  };
  const plain = lines.map(line => plainly(line.replaceAll(ORDER_REF, nameOf)));
  const isNamed = (line: string): boolean => about.length === 0 || about.some(word => line.includes(word));
  const orders = new Set(plain.filter(isNamed).flatMap(line => line.match(ORDER_NAME) ?? []));
  const kept = plain.filter(line => isNamed(line) || (line.match(ORDER_NAME) ?? []).some(name => orders.has(name)));
  return kept.filter((line, index) => line !== kept[index - 1]).join('\n');
}

/** `2026-03-09 10:00:00.200 day-trader   quote: …` and `10:00:00.200 day-trader …` alike become `10:00:00 day-trader …`. */
const plainly = (line: string): string =>
  line
    .replace(/^(?:\d{4}-)?(?:\d\d-\d\d )?(\d\d:\d\d:\d\d)\.\d{3}/, '$1')
    .replaceAll(/ \(\d{4,}\)/g, '')
    .replaceAll(/,"(?:backlog|kept|lease)":\d+|"(?:backlog|kept|lease|merged)":\d+,?/g, '')
    .replaceAll(/set-aside-[\dTZ-]+/g, 'set-aside')
    .replaceAll(/,? [0-9a-f]{8}\.[0-9a-f.]+/g, '')
    .replace(/^(\S+) (\S+) +/, '$1 $2  ')
    .trimEnd();
