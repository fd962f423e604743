import type { EpochMs } from '@holdfast/core/units';
import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** The run log: one line per decision, an `event` name, ids and the numbers that decided. The journal is the truth; this is for people. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

/** Field names whose value never reaches a log, at any depth we use. */
const SECRET_FIELDS = ['password', 'token', 'secret', 'apiKey', 'authorization', 'webhookUrl', 'armingPhrase'];

export interface LogOptions {
  readonly worker: string;
  /** JSON lines go here. Written synchronously: an asynchronous destination loses its tail in a crash (STYLE §5). */
  readonly file: string;
  readonly level: LogLevel;
  /** Exchange time, for the `at` of every line, and the machine's wall clock for `time`. */
  readonly exchange: () => EpochMs;
  readonly wall: () => EpochMs;
  /** Warnings and errors are repeated on stderr, which the supervisor keeps. */
  readonly stderr: boolean;
  /** Told once when the file takes no more lines. */
  readonly onBroken: (reason: string) => void;
}

/**
 * The live log. A line carries both times, since a demo's exchange may live in another year. A disk that refuses a line costs that line,
 * never the process: pino's destination reports it as an event, which is told once. What a worker says on stderr goes to a file on the same disk:
 * without a listener of its own, that event would end the exit manager at its first warning.
 */
export function createLog(options: LogOptions): Log {
  const file = pino.destination({ dest: options.file, sync: true, mkdir: true, append: true });
  let isBroken = false;
  file.on('error', (error: Error) => {
    if (!isBroken) options.onBroken(error.message);
    isBroken = true;
  });
  const stderr = pino.destination({ dest: 2, sync: true });
  stderr.on('error', () => undefined); // nobody is left to tell
  const streams = options.stderr
    ? pino.multistream([
        { stream: file, level: options.level },
        { stream: stderr, level: 'warn' },
      ])
    : file;
  const logger = pino(
    {
      level: options.level,
      base: { worker: options.worker },
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date(options.wall()).toISOString()}","at":"${new Date(options.exchange()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map(name => `*.${name}`)], censor: '[redacted]' },
    },
    streams,
  );
  return (level, event, fields = {}) => logger[level](fields, event);
}

/** Writes nothing. */
export const silentLog: Log = () => undefined;
