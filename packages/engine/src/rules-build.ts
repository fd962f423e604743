import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of Holdfast, from the package's own manifest. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}

/**
 * Tells one build of the rules from another: a hash over every file of `core` that decides anything. The version alone would call two
 * checkouts the same. Some sixty files, read one after the other beside the loop, which has orders to wait for.
 */
export async function rulesFingerprint(): Promise<string> {
  const folder = dirname(fileURLToPath(import.meta.resolve('@holdfast/core/exit-manager')));
  const hash = createHash('sha256');
  for (const name of (await readdir(folder, { recursive: true, encoding: 'utf8' })).sort()) {
    if (!name.endsWith('.js') || name.endsWith('.test.js') || name.includes('testing')) continue;
    hash.update(`${name}\n`).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}
