import fs from 'node:fs';
import path from 'node:path';
import { runTool, say } from './child.mjs';
import { failureFrom, SetupFailure } from './failure.mjs';
import { isAtLeast, NODE_VERSION, nodePackage, OLDEST_NODE, PNPM_VERSION, pnpmPackages } from './pins.mjs';

/**
 * Brings the exact pnpm, and the exact Node where the machine's own is too old, into `.runtime`, and returns the two
 * programs. The rule for Node: the exact one if it is there already; else the machine's if it is new enough; else fetch.
 * Packages are fetched into a folder of their own, checked against the pins and moved into place whole.
 */
export async function bringTools({ runtimeDir, npm, offline, exactNode }) {
  if (process.platform === 'win32') throw onWindows();
  const here = { platform: process.platform, arch: process.arch, glibc: hasGlibc() };
  const exact = nodePackage(here);
  const machineIsFine = isAtLeast(process.versions.node, OLDEST_NODE);
  const installed = path.join(runtimeDir, 'node_modules');
  const exactIsHere = exact !== undefined && isInstalled(installed, [exact]);
  const wantsExact = exactIsHere || exactNode || !machineIsFine;
  if (wantsExact && exact === undefined) throw noExactNode(here);

  const wanted = wantsExact ? [exact] : [];
  if (!isInstalled(installed, [...wanted, pnpmPackages()[0]])) await fetchTools({ runtimeDir, npm, offline, wanted });
  const node = wantsExact ? nodeFile(installed, exact) : process.execPath;
  const pnpm = path.join(installed, 'pnpm', 'bin', 'pnpm.mjs');
  linkTools({ binDir: path.join(runtimeDir, 'bin'), node, pnpm });
  return { node, pnpm };
}

async function fetchTools({ runtimeDir, npm, offline, wanted }) {
  const names = [...wanted.map(() => `Node ${NODE_VERSION}`), `pnpm ${PNPM_VERSION}`].join(' and ');
  const doing = `fetching ${names}`;
  say(`${doing} with npm (once, about ${wanted.length > 0 ? 75 : 25} MB)`);
  const startedAt = Date.now();
  const staging = path.join(runtimeDir, `staging-${process.pid}`);
  fs.rmSync(staging, { recursive: true, force: true });
  fs.mkdirSync(staging, { recursive: true });
  fs.writeFileSync(path.join(staging, 'package.json'), '{ "private": true }\n');
  try {
    const args = [
      'install',
      '--ignore-scripts',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--include=optional',
      '--loglevel=warn',
    ];
    args.push('--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000');
    if (offline) args.push('--offline');
    args.push(...wanted.map(({ name, version }) => `${name}@${version}`), `pnpm@${PNPM_VERSION}`);
    const { code, output } = await runTool(npm.file, [...npm.args, ...args], { cwd: staging, env: npm.env, doing });
    if (code !== 0) throw failureFrom(doing, output);
    const fresh = path.join(staging, 'node_modules');
    checkPins(fresh, [...wanted, ...pnpmPackages()]);
    await checkThatItStarts(fresh, wanted);
    replaceFolder(path.join(runtimeDir, 'node_modules'), fresh);
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
  say(`${names} ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** npm has checked every download against the registry's word; this checks the registry's word against ours. */
function checkPins(modules, pins) {
  const record = readRecord(modules);
  for (const pin of pins) {
    const found = record[`node_modules/${pin.name}`];
    if (found === undefined) continue; // pnpm's binary for another platform
    if (found.version === pin.version && found.integrity === pin.integrity) continue;
    throw new SetupFailure({
      happened: `the registry served another ${pin.name}@${pin.version} than the one Holdfast was tested with.`,
      did: 'it was thrown away and nothing was installed.',
      todo: 'do not work around this: find out which registry npm uses (`npm config get registry`) and who changed the package.',
    });
  }
  if (!isInstalled(modules, [pins.find(pin => pin.name === 'pnpm')])) {
    throw failureFrom('fetching pnpm', 'npm reported success but pnpm is not there');
  }
}

async function checkThatItStarts(modules, wanted) {
  for (const exact of wanted) {
    const { code, output } = await runTool(nodeFile(modules, exact), ['--version'], {
      cwd: modules,
      env: process.env,
      doing: 'starting Node',
    });
    if (code === 0 && output.trim() === `v${exact.version}`) continue;
    throw new SetupFailure({
      happened: `Node ${exact.version} was fetched but does not start on this machine.`,
      did: 'it was thrown away and nothing was installed.',
      todo: `install Node ${OLDEST_NODE} or newer in the way this system offers, put it first on PATH, then run it again.`,
      detail: output,
    });
  }
}

function isInstalled(modules, packages) {
  const record = readRecord(modules);
  return packages.every(({ name, version, integrity }) => {
    const found = record[`node_modules/${name}`];
    return found !== undefined && found.version === version && found.integrity === integrity && fs.existsSync(path.join(modules, name));
  });
}

/** npm's own record of what it put into a folder. */
function readRecord(modules) {
  const file = path.join(modules, '.package-lock.json');
  if (!fs.existsSync(file)) return {};
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages || {};
  } catch (error) {
    say(`${file} can't be read (${error.message}); fetching the tools again`);
    return {};
  }
}

function replaceFolder(target, fresh) {
  const old = `${target}-old-${process.pid}`;
  if (fs.existsSync(target)) fs.renameSync(target, old);
  fs.renameSync(fresh, target);
  fs.rmSync(old, { recursive: true, force: true });
}

/** `.runtime/bin/node` is what the launcher starts, and `.runtime/bin/pnpm` is for people who change dependencies. */
function linkTools({ binDir, node, pnpm }) {
  fs.mkdirSync(binDir, { recursive: true });
  const link = path.join(binDir, 'node');
  // A link within the checkout is relative, so that a moved or copied checkout still starts.
  const target = node.startsWith(path.dirname(binDir) + path.sep) ? path.relative(binDir, node) : node;
  if (readLink(link) !== target) {
    fs.rmSync(`${link}.new`, { force: true });
    fs.symlinkSync(target, `${link}.new`);
    fs.renameSync(`${link}.new`, link);
  }
  const script = `#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/${path.relative(binDir, pnpm)}" "$@"\n`;
  const shim = path.join(binDir, 'pnpm');
  if (!fs.existsSync(shim) || fs.readFileSync(shim, 'utf8') !== script) fs.writeFileSync(shim, script, { mode: 0o755 });
}

function readLink(file) {
  try {
    return fs.readlinkSync(file);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EINVAL') return undefined;
    throw error;
  }
}

function nodeFile(modules, exact) {
  return path.join(modules, exact.name, 'bin', 'node');
}

function hasGlibc() {
  if (process.platform !== 'linux') return false;
  return Boolean(process.report.getReport().header.glibcVersionRuntime);
}

function onWindows() {
  return new SetupFailure({
    happened: 'Holdfast does not run on Windows itself: it watches its workers in ways only Linux and macOS offer.',
    did: 'nothing was installed.',
    todo: 'run it in WSL 2 (TWS or IB Gateway may stay on the Windows side), in a folder of the Linux file system.',
  });
}

function noExactNode({ platform, arch, glibc }) {
  const machine = `${platform} on ${arch}${platform === 'linux' && !glibc ? ' without glibc' : ''}`;
  return new SetupFailure({
    happened: `this machine's Node is ${process.versions.node}, Holdfast needs ${OLDEST_NODE} or newer, and no exact Node is pinned for ${machine}.`,
    did: 'nothing was installed.',
    todo: `install Node ${NODE_VERSION} (any from ${OLDEST_NODE} works), put it first on PATH, then run it again.`,
  });
}
