import { type EpochMs, fromIsoTime, isoTime } from '../units.js';

/** Which copies of the store are made and kept, by their names alone: a name says why and when (machine's wall time). */

export type BackupReason = 'daily' | 'before-migration' | 'on-demand';

export interface Backup {
  readonly name: string;
  readonly reason: BackupReason;
  readonly at: EpochMs;
}

const DAY_MS = 86_400_000;
const NAME = /^(daily|before-migration|on-demand)-(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})-(\d{2})-(\d{3}Z)\.db$/;

/** `daily-2026-03-09T12-00-00-000Z.db` */
export const backupName = (reason: BackupReason, at: EpochMs): string => `${reason}-${isoTime(at).replaceAll(/[:.]/g, '-')}.db`;

/** Null for a file that is none of ours: it is neither used nor deleted. */
export function parseBackup(name: string): Backup | null {
  const parts = NAME.exec(name);
  if (!parts) return null;
  const [, reason, hours, minutes, seconds, rest] = parts;
  return { name, reason: reason as BackupReason, at: fromIsoTime(`${hours}:${minutes}:${seconds}.${rest}`) };
}

/** Newest first. */
export const backupsAmong = (names: readonly string[]): readonly Backup[] =>
  names
    .map(parseBackup)
    .filter(backup => backup !== null)
    .toSorted((a, b) => b.at - a.at || (a.name < b.name ? -1 : 1));

/** Asked when a trading date begins. A demo lives through several dates an hour, and a restart at noon tells the date again: one in twelve hours. */
export const isDailyDue = (names: readonly string[], now: EpochMs): boolean =>
  !backupsAmong(names).some(({ reason, at }) => reason === 'daily' && Math.abs(now - at) < DAY_MS / 2);

/** Copies older than `keepDays`, but never the newest: an old copy is better than none. */
export const backupsToDrop = (names: readonly string[], keepDays: number, now: EpochMs): readonly string[] =>
  backupsAmong(names)
    .slice(1)
    .filter(({ at }) => now - at > keepDays * DAY_MS)
    .map(({ name }) => name);
