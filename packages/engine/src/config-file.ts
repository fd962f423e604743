import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, type ConfigEnvironment, type ConfigProblem, describeProblem, parseConfig } from './config.js';
import { type DeskFiles, deskFiles } from './desk-files.js';
import { parseWatchlist } from './rules-of-config.js';

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly files: DeskFiles;
      /** Set when desk.yaml is invalid and this is the last one that worked: what is wrong with the present file. */
      readonly fallbackBecause: string | null;
    }
  | { readonly ok: false; readonly detail: string };

export interface ConfigRequest {
  readonly path: string;
  /** Instead of the file's own `paths.var`. */
  readonly varFolder?: string | undefined;
  readonly environment: ConfigEnvironment;
  /** The exit manager alone: with a broken file it goes on with the last one that worked (DESIGN §9). */
  readonly mayFallBack: boolean;
}

const words = (path: string, problems: readonly ConfigProblem[]): string =>
  `${path} is not a valid configuration:\n${problems.map(problem => `  ${describeProblem(problem)}`).join('\n')}`;

function readText(path: string): { ok: true; text: string } | { ok: false; detail: string } {
  try {
    return { ok: true, text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { ok: false, detail: `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readOne(path: string, environment: ConfigEnvironment): { ok: true; config: Config } | { ok: false; detail: string } {
  const file = readText(path);
  if (!file.ok) return file;
  const parsed = parseConfig(file.text, environment);
  return parsed.ok ? parsed : { ok: false, detail: words(path, parsed.problems) };
}

/** Reads the configuration of one desk. Never throws: what is wrong comes back in words, every problem at once. */
export function loadConfig({ path, varFolder, environment, mayFallBack }: ConfigRequest): LoadedConfig {
  const read = readOne(path, environment);
  if (read.ok) return { ok: true, config: read.config, files: deskFiles(path, varFolder ?? read.config.paths.var), fallbackBecause: null };
  if (!mayFallBack) return read;
  // The broken file cannot say where var lies: the caller's word, or the default.
  const guess = deskFiles(path, varFolder ?? 'var');
  const earlier = readOne(guess.lastGoodConfig, environment);
  if (!earlier.ok) return { ok: false, detail: `${read.detail}\nand there is no earlier one that worked (${guess.lastGoodConfig})` };
  return { ok: true, config: earlier.config, files: guess, fallbackBecause: read.detail };
}

/** The configuration that last worked; null when there is none that can be read. */
export function readLastGood(files: DeskFiles, environment: ConfigEnvironment): Config | null {
  const earlier = readOne(files.lastGoodConfig, environment);
  return earlier.ok ? earlier.config : null;
}

/** Keeps the configuration this process reached READY with. Whole or not at all; a failure is told, since only the fallback is lost. */
export function keepLastGood(files: DeskFiles): { readonly ok: true } | { readonly ok: false; readonly detail: string } {
  try {
    const text = readFileSync(files.config, 'utf8');
    mkdirSync(dirname(files.lastGoodConfig), { recursive: true });
    writeFileSync(`${files.lastGoodConfig}.new`, text);
    renameSync(`${files.lastGoodConfig}.new`, files.lastGoodConfig);
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** The symbols of `entries.watchlistFile`, and in words what could not be used. */
export function readWatchlist(
  config: Config,
  files: DeskFiles,
): { readonly symbols: readonly string[]; readonly problems: readonly string[] } {
  if (config.entries.watchlistFile === null) return { symbols: [], problems: [] };
  const path = resolve(dirname(files.config), config.entries.watchlistFile);
  const file = readText(path);
  return file.ok ? parseWatchlist(file.text) : { symbols: [], problems: [file.detail] };
}
