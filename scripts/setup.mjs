/**
 * Makes a fresh checkout ready: the exact tools, the locked packages, the built program. Needs only some Node (18 or
 * newer) and npm. A second run changes nothing and takes a fraction of a second. Everything it says goes to stderr.
 *
 *   npm run setup [-- --offline] [-- --exact-node]
 *
 * --offline     fetch nothing: everything must be in the caches of npm and pnpm
 * --exact-node  bring the pinned Node even where the machine's own is new enough
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, say, stopTools } from './setup/child.mjs';
import { failureFrom, SetupFailure } from './setup/failure.mjs';
import { withLock } from './setup/lock.mjs';
import { bringTools } from './setup/tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const runtimeDir = path.join(root, '.runtime');
const stampFile = path.join(runtimeDir, 'installed');

/**
 * Sets everything up and returns the Node to run the product with and an environment that has it first on PATH.
 * `build: false` leaves the compiler out, for commands that report its findings themselves.
 */
export async function setup({ offline = false, exactNode = false, build = true } = {}) {
  const stopOn = signal => {
    stopTools(signal);
    process.exit(signal === 'SIGINT' ? 130 : 143); // the lock is released by the exit itself
  };
  process.on('SIGINT', stopOn).on('SIGTERM', stopOn);
  try {
    return await withLock(path.join(runtimeDir, 'lock'), async () => {
      removeLeftovers();
      const npm = findNpm();
      const { node, pnpm } = await bringTools({ runtimeDir, npm, offline, exactNode });
      const env = environment();
      await installPackages({ node, pnpm, npm, env, offline });
      if (build) await compile({ node, env });
      return { root, node, env };
    });
  } catch (error) {
    throw asFailure(error);
  } finally {
    process.removeListener('SIGINT', stopOn).removeListener('SIGTERM', stopOn);
  }
}

/** Packages are installed when the lock file, a manifest or the Node they run under has changed since the last time. */
async function installPackages({ node, pnpm, npm, env, offline }) {
  const wanted = fingerprint(node);
  const isThere = fs.existsSync(path.join(root, 'node_modules', '.modules.yaml'));
  if (isThere && fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === wanted) return;
  const doing = 'installing the locked packages';
  say(doing);
  const startedAt = Date.now();
  // Install scripts never run; that some packages have one must not end the install with an error.
  const args = [pnpm, 'install', '--frozen-lockfile', '--ignore-scripts', '--reporter=append-only'];
  if (offline) args.push('--offline');
  const settings = { ...(await registrySetting(npm)), CI: 'true', pnpm_config_strict_dep_builds: 'false' };
  const retries = {
    pnpm_config_fetch_retries: '2',
    pnpm_config_fetch_retry_mintimeout: '1000',
    pnpm_config_fetch_retry_maxtimeout: '4000',
  };
  const show = line => line.startsWith('Progress:');
  const { code, output } = await runTool(node, args, { cwd: root, env: { ...env, ...settings, ...retries }, doing, show });
  if (code !== 0) throw failureFrom(doing, output);
  fs.writeFileSync(stampFile, wanted);
  say(`packages ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** `tsc -b` decides by itself what is out of date; with nothing to do it costs some 50 ms. */
async function compile({ node, env }) {
  const startedAt = Date.now();
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await runTool(node, [tsc, '-b', '--pretty', 'false'], { cwd: root, env, doing: 'building', show: () => true });
  const seconds = (Date.now() - startedAt) / 1000;
  if (code !== 0) {
    const count = (output.match(/error TS\d+/g) || []).length;
    throw new SetupFailure({
      happened: `the build failed with ${count} type error${count === 1 ? '' : 's'} (listed above).`,
      did: 'the tools and packages are installed; the program may be the one built before.',
      todo: 'correct the errors and run it again; on an unchanged checkout this is our fault: please report it.',
    });
  }
  if (seconds > 1) say(`built in ${seconds.toFixed(1)} s`);
}

/** Everything an install depends on: the workspace's manifests, its lock file and the Node that runs it. */
function fingerprint(node) {
  const hash = createHash('sha256').update(node);
  const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'test/package.json'];
  for (const rooms of ['apps', 'packages']) {
    for (const room of fs.readdirSync(path.join(root, rooms)).sort()) manifests.push(`${rooms}/${room}/package.json`);
  }
  for (const name of manifests) {
    const file = path.join(root, name);
    if (fs.existsSync(file)) hash.update(`\n${name}\n`).update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * npm as it is on this machine. Started by npm itself we are told where it lies; otherwise it is searched on PATH, as
 * the script beside this Node or as a command.
 */
function findNpm() {
  const env = { ...process.env };
  const told = env.npm_execpath;
  if (told !== undefined && path.basename(told) === 'npm-cli.js' && fs.existsSync(told))
    return { file: process.execPath, args: [told], env };
  const beside = path.join(path.dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (fs.existsSync(beside)) return { file: process.execPath, args: [beside], env };
  return { file: 'npm', args: [], env };
}

/** pnpm 12 reads npm's configuration files but not its environment or command line: hand it npm's answer. */
async function registrySetting(npm) {
  const { code, output } = await runTool(npm.file, [...npm.args, 'config', 'get', 'registry', '--loglevel=silent'], {
    cwd: root,
    env: npm.env,
    doing: 'asking npm for its registry',
  });
  const registry = output.trim().split('\n').pop();
  return code === 0 && registry && registry.startsWith('http') ? { pnpm_config_registry: registry } : {};
}

function environment() {
  const env = { ...process.env };
  const tools = [path.join(runtimeDir, 'bin'), path.join(root, 'node_modules', '.bin')];
  const rest = (env.PATH || '').split(path.delimiter).filter(folder => folder !== '' && !tools.includes(folder));
  env.PATH = [...tools, ...rest].join(path.delimiter);
  return env;
}

/** Half-done work of a killed set-up. Its npm may live on for a moment and still write there: then a later run clears it. */
function removeLeftovers() {
  for (const name of fs.readdirSync(runtimeDir)) {
    if (!/^(staging-|node_modules-old-|lock-stale-)/.test(name)) continue;
    try {
      fs.rmSync(path.join(runtimeDir, name), { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'ENOTEMPTY') throw error;
    }
  }
}

/** Errors of the file system and of starting a program are the world's; the rest is a bug and keeps its stack. */
function asFailure(error) {
  if (error instanceof SetupFailure || typeof error.code !== 'string') return error;
  if (error.code === 'ENOENT' && error.syscall && error.syscall.startsWith('spawn')) {
    return new SetupFailure({
      happened: `${error.path} could not be started: it is not on PATH.`,
      did: 'nothing was installed.',
      todo: 'install npm (it comes with Node), then run it again.',
    });
  }
  return failureFrom('the set-up', `${error.code} ${error.message}`);
}

/** Prints a failure in words (a bug with its stack) and returns the exit code. */
export function report(error) {
  process.stderr.write(error instanceof SetupFailure ? `\n${error.toString()}\n` : `\nA bug in the set-up: ${error.stack}\n`);
  return 1;
}

/** The options of the set-up, or a failure that lists them. */
export function setupOptions(args) {
  const known = { '--offline': 'offline', '--exact-node': 'exactNode' };
  const options = {};
  for (const arg of args) {
    if (known[arg] === undefined) {
      throw new SetupFailure({
        happened: `${arg} is not an option of the set-up.`,
        did: 'nothing.',
        todo: `use ${Object.keys(known).join(' or ')}.`,
      });
    }
    options[known[arg]] = true;
  }
  return options;
}
