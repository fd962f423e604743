import type { Refusal } from '@holdfast/store/refusal';

const TODO: Readonly<Record<string, string>> = {
  STORE_FULL: 'Free space on that disk (`df -h`), then start again; pm2 does so by itself.',
  STORE_BUSY: 'Close whatever holds the database (an open transaction in a SQL tool?), then start again; pm2 does so by itself.',
  STORE_READONLY: 'Give this user the right to write there, then start again.',
  STORE_IO: 'Look at the disk (`dmesg`), then start again; the copies of the store are in the folder backups beside it.',
};
const TODO_ELSE = 'See docs/operations.md, "The store was lost"; the copies of the store are in the folder backups beside it.';

/** Why the supervisor does not start, in three lines: for whoever started it, a person or pm2. */
export const storeRefused = ({ code, detail }: Refusal, store: string): string =>
  [
    `the store ${store} cannot be used (${code}): ${detail}.`,
    'No supervisor was started, and no worker by it; the store is as it was. Workers that run go on: a living exit manager protects.',
    TODO[code] ?? TODO_ELSE,
  ].join('\n  ');
