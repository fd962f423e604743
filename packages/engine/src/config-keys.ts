import { z } from 'zod';
import { deskSchema } from './config-schema.js';

/** The schema read as a table: which keys there are, what each allows, its default and meaning. For messages and for the documentation. */
export interface ConfigKey {
  readonly key: string;
  readonly allowed: string;
  readonly fallback: string;
  readonly meaning: string;
}

interface Node {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly description?: string;
}

/** Made when first asked for: a configuration without fault never pays for it. */
let schemaTree: Node | null = null;
function tree(): Node {
  schemaTree ??= z.toJSONSchema(deskSchema, { io: 'output' }) as Node;
  return schemaTree;
}

function nodeAt(path: readonly string[]): Node | null {
  let node: Node | undefined = tree();
  for (const key of path) node = /^\d+$/.test(key) && node?.items ? node.items : node?.properties?.[key];
  return node ?? null;
}

/** Names of the keys of a section; the empty path is the file itself. */
export const keysAt = (path: readonly string[]): readonly string[] => Object.keys(nodeAt(path)?.properties ?? {});

/** `a whole number from 1 to 2000` */
export function allowedAt(path: readonly string[]): string {
  const node = nodeAt(path);
  return node ? describe(node) : 'nothing';
}

function describe(node: Node): string {
  if (node.anyOf) return node.anyOf.map(describe).join(' or ');
  if (typeof node.type === 'object') return node.type.map(type => describe({ ...node, type })).join(' or ');
  if (node.enum) return node.enum.map(String).join(', ');
  switch (node.type) {
    case 'integer':
      return `a whole number from ${node.minimum} to ${node.maximum}`;
    case 'number':
      return `a number above ${node.exclusiveMinimum} up to ${node.maximum}`;
    case 'boolean':
      return 'true, false';
    case 'string':
      return node.pattern ? `text like ${node.pattern}` : 'text';
    case 'array':
      return `a list of: ${node.items ? describe(node.items) : 'anything'}`;
    case 'null':
      return 'empty';
    default:
      return `a section with ${Object.keys(node.properties ?? {}).join(', ')}`;
  }
}

/** Every key, in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  return leaves(tree(), []);
}

function leaves(node: Node, path: readonly string[]): ConfigKey[] {
  if (node.properties) return Object.entries(node.properties).flatMap(([name, inner]) => leaves(inner, [...path, name]));
  const { default: fallback, description = '' } = node;
  const shown = fallback === null || (Array.isArray(fallback) && fallback.length === 0) ? 'empty' : String(fallback);
  return [{ key: path.join('.'), allowed: describe(node), fallback: shown, meaning: description }];
}

/** The known name that a mistyped one is closest to, when it is close: at most a third of its letters differ. */
export function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.floor(name.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Letters to add, drop or change to get from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
