import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of Holdfast, from the package's own manifest. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}

/**
 * Tells one build of the rules from another: a hash over every file of `core` that decides anything. The version alone would call two
 * checkouts the same. Reads about fifty files, some milliseconds: not for the way to READY.
 */
export function rulesFingerprint(): string {
  const folder = dirname(fileURLToPath(import.meta.resolve('@holdfast/core/exit-manager')));
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.js') || name.endsWith('.test.js') || name.includes('testing')) continue;
    hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}
