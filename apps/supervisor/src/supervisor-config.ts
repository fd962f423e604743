import { existsSync, readFileSync } from 'node:fs';
import { type Config, type ConfigEnvironment, describeProblem, parseConfig } from '@holdfast/engine/config';
import { type DeskFiles, deskFiles } from '@holdfast/engine/desk-files';
import { type Refusal, refuse } from '@holdfast/store/refusal';

export type SupervisorConfig =
  | { readonly ok: true; readonly config: Config; readonly files: DeskFiles; readonly warning: string | null }
  | Refusal;

/**
 * Reads desk.yaml. An invalid one does not stop supervision: the exit manager goes on with the last one that worked, so its supervisor does
 * too, saying what is wrong. Only a desk that never worked is refused (BAD_CONFIGURATION, every problem at once).
 */
export function readSupervisorConfig(path: string, environment: ConfigEnvironment): SupervisorConfig {
  const read = readOne(path, environment);
  if (read.ok) return { ok: true, config: read.config, files: deskFiles(path, read.config.paths.var), warning: null };
  const { lastGoodConfig } = deskFiles(path, 'var');
  const earlier = readOne(lastGoodConfig, environment);
  if (!earlier.ok) return refuse('BAD_CONFIGURATION', read.problems);
  const files = deskFiles(path, earlier.config.paths.var);
  return {
    ok: true,
    config: earlier.config,
    files,
    warning: `${read.problems}\nUsing the last configuration that worked: ${lastGoodConfig}`,
  };
}

function readOne(path: string, environment: ConfigEnvironment): { ok: true; config: Config } | { ok: false; problems: string } {
  if (!existsSync(path))
    return { ok: false, problems: `${path} does not exist: copy desk.yaml from the repository, or name another with --config` };
  const parsed = parseConfig(readFileSync(path, 'utf8'), environment);
  if (parsed.ok) return parsed;
  return { ok: false, problems: [`${path} is not valid:`, ...parsed.problems.map(problem => `  ${describeProblem(problem)}`)].join('\n') };
}
