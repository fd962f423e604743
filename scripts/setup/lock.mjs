import fs from 'node:fs';
import path from 'node:path';
import { say } from './child.mjs';

const BEAT_MS = 2000;
/** A holder that has not moved for this long is taken for gone even if its pid is in use again. */
const STALE_MS = 60000;

/**
 * Runs `work` while no other set-up of this checkout does. The lock is a folder (making one is atomic) that names its
 * holder and is touched while it works, so that one left by a killed process is recognised and taken over.
 */
export async function withLock(lockDir, work) {
  await acquire(lockDir);
  const beat = setInterval(() => touch(lockDir), BEAT_MS);
  const release = () => {
    clearInterval(beat);
    fs.rmSync(lockDir, { recursive: true, force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

async function acquire(lockDir) {
  fs.mkdirSync(path.dirname(lockDir), { recursive: true });
  for (let waits = 0; !take(lockDir); waits++) {
    const holder = read(lockDir);
    if (holder !== undefined && isGone(holder)) removeStale(lockDir, holder);
    else {
      if (waits === 5) say(`another set-up of this folder is running (pid ${holder ? holder.pid : 'unknown'}); waiting for it`);
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

function take(lockDir) {
  try {
    fs.mkdirSync(lockDir);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  fs.writeFileSync(path.join(lockDir, 'pid'), String(process.pid));
  return true;
}

/** Who holds the lock, or undefined where it has just been released. The pid is 0 for the instant before it is written. */
function read(lockDir) {
  try {
    const touchedAt = fs.statSync(lockDir).mtimeMs;
    const file = path.join(lockDir, 'pid');
    return { touchedAt, pid: fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0 };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isGone({ pid, touchedAt }) {
  const quietMs = Date.now() - touchedAt;
  if (quietMs > STALE_MS) return true;
  if (pid === 0) return quietMs > 5000;
  if (pid === process.pid) return true; // the same number in a fresh container: we never hold it twice
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Moves the dead holder's folder aside before deleting it; whoever moved a living one's by mistake puts it back. */
function removeStale(lockDir, dead) {
  const aside = `${lockDir}-stale-${process.pid}`;
  try {
    fs.renameSync(lockDir, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return; // another waiter was quicker
    throw error;
  }
  const moved = read(aside);
  if (moved !== undefined && moved.pid !== dead.pid && !fs.existsSync(lockDir)) fs.renameSync(aside, lockDir);
  else fs.rmSync(aside, { recursive: true, force: true });
}

function touch(lockDir) {
  const now = new Date();
  try {
    fs.utimesSync(lockDir, now, now);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
