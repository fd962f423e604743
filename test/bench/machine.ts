import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { ROOT } from '../e2e/harness.js';

/** On what and of what the figures are; no names of machines or people. */
export function describeMachine() {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    node: `Node ${process.versions.node}`,
    processors: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
  };
}

/** One-minute load average: how many others wanted the processors lately. */
export const loadNow = (): number => loadavg()[0] ?? 0;

function commit(): string {
  try {
    return `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()}`;
  } catch {
    return 'no git checkout';
  }
}
