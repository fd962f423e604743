import { z } from 'zod';

/**
 * desk.yaml, key by key: default, allowed values and meaning in one place. The table in docs/configuration.md is made from this
 * (a test keeps them equal), and so is what an operator reads when a value is wrong.
 */

const whole = (min: number, max: number, fallback: number) => z.int().min(min).max(max).default(fallback);
/** A section that is left out, or left empty, has all its defaults. */
const section = <S extends z.ZodRawShape>(shape: S) => z.preprocess(value => value ?? {}, z.strictObject(shape));

const gateway = section({
  host: z.string().min(1).default('127.0.0.1').describe('where TWS or IB Gateway listens'),
  port: whole(1, 65535, 4002).describe(
    '4002 gateway paper, 4001 gateway live, 7497 TWS paper, 7496 TWS live; the port proves nothing about the account',
  ),
});

const exits = section({
  targetBps: whole(1, 5000, 180).describe(
    'profit target, basis points of the entry price; rests as a limit order as soon as the entry fills',
  ),
  stopBps: whole(1, 2000, 90).describe('stop loss, basis points; watched by the exit manager and sold at market'),
  protection: z
    .enum(['guarded', 'monitored', 'resting'])
    .default('guarded')
    .describe(
      '`guarded`: watched stop plus a resting disaster stop; `monitored`: watched stop only; `resting`: the stop rests at the broker',
    ),
  disasterStopBps: z
    .int()
    .min(1)
    .max(300)
    .nullable()
    .default(null)
    .describe('resting stop for the case that every process is dead; empty = twice stopBps, at most 300'),
  trailArmBps: z
    .int()
    .min(1)
    .max(5000)
    .nullable()
    .default(null)
    .describe('gain from which on the stop follows the best price, basis points; empty = the stop stays where it is'),
  trailGiveBackBps: whole(5, 2000, 60).describe('how far behind the best price the trailing stop stands, basis points of the entry price'),
  staleMarkSeconds: whole(2, 120, 15).describe('without a live mark for so long (exchange time) the stop rests at its real level'),
  cancelAnswerSeconds: whole(1, 30, 2).describe("wait for the broker's word on a cancel before asking again"),
  exitAnswerSeconds: whole(2, 60, 10).describe('wait for the word on a market exit before it is asked about; it is never sent twice'),
  failedSellsMax: whole(1, 20, 3).describe('rejected sells of one symbol before it is quarantined'),
  quarantineRetrySeconds: whole(5, 3600, 60).describe('a quarantined symbol is tried again so often'),
  reconcileEverySeconds: whole(10, 600, 60).describe('light comparison with the broker while all is well'),
});

const standard = section({
  enabled: z.boolean().default(true).describe('price above VWAP, RSI and ATR as below, on 30-second bars'),
  rsiMax: whole(1, 100, 60).describe('RSI must be below this'),
  atrBpsMin: whole(0, 1000, 30).describe('ATR ÷ price must reach this'),
});

const gapAndGo = section({
  enabled: z.boolean().default(true).describe('pre-market gap and RSI as below; skips the VWAP rule'),
  gapBpsMin: whole(1, 10_000, 500).describe('gap against the previous close'),
  rsiMax: whole(1, 100, 60).describe('RSI must be below this'),
  minutesAfterOpenMax: whole(1, 390, 30).describe('fires only so long after the open'),
});

const scanner = section({
  enabled: z.boolean().default(true).describe("follow what the broker's scan finds, besides the watchlist"),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{2,40}$/)
    .default('TOP_PERC_GAIN')
    .describe("the broker's name of the scan"),
  refreshMinutes: whole(1, 240, 15).describe('its list is taken over so often'),
  rowsMax: whole(1, 50, 20).describe('the best rows of it that are followed'),
});

const entries = section({
  allocation: z.number().gt(0).max(1).default(0.25).describe('fraction of net liquidation one entry may use'),
  maxPositions: whole(1, 100, 4).describe('positions and claims at a time, adopted ones included'),
  style: z
    .enum(['resting', 'immediate'])
    .default('resting')
    .describe('`resting`: a limit order that lives ttlSeconds; `immediate`: takes what stands there, the rest is cancelled (IOC)'),
  ttlSeconds: whole(5, 600, 90).describe('a resting entry lives so long; carried to the broker, so that an orphan dies by itself'),
  limitBufferBps: whole(0, 200, 10).describe('how far above the ask the limit may lie'),
  watchlist: z
    .array(z.string().regex(/^[A-Z][A-Z0-9 .-]{0,11}$/))
    .max(500)
    .default([])
    .describe('symbols to follow, in order of importance'),
  watchlistFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('more of them, one per line, # starts a comment; relative to desk.yaml'),
  symbolsMax: whole(1, 50, 50).describe('followed in all; each takes two of the 100 market-data lines of an account'),
  scanner,
  delayedData: z
    .boolean()
    .nullable()
    .default(null)
    .describe('whether data 15 minutes old may drive entries; empty = yes, but not in mode live. It never moves a stop'),
  strategies: section({ standard, gapAndGo }),
});

const session = section({
  noEntriesMinutesBeforeClose: whole(1, 240, 15).describe("no new entries from here on, before the session's own close (half days too)"),
  flatMinutesBeforeClose: whole(1, 240, 15).describe('everything intraday is sold from here on'),
});

const wireCap = section({
  ordersPerMinute: whole(4, 600, 30).describe(
    'orders and changes per symbol and minute of machine time; targets may use a third of them, sales alone the last fifth; making an exit smaller counts for none',
  ),
  entryNotionalMaxUsd: whole(100, 50_000_000, 1_000_000).describe('largest single entry in dollars; exits have no such limit'),
  collarBps: whole(50, 5000, 1000).describe('how far a limit price may lie from the last mark on the losing side'),
});

const supervisor = section({
  statusEverySeconds: whole(5, 3600, 300).describe('status block on the console'),
  hangSeconds: whole(2, 60, 5).describe('a heartbeat that stands still for so long is a hang: SIGKILL and restart'),
  backoffSecondsMax: whole(1, 30, 30).describe('longest wait before the day trader is started again; the exit manager never waits'),
  parkAfterCrashes: whole(1, 100, 5).describe('crashes of the day trader within the window before it is parked'),
  parkWindowMinutes: whole(1, 1440, 10).describe('that window'),
});

const backups = section({
  keepDays: whole(1, 3650, 14).describe('copies of the store under var/backups are deleted when they are older; the newest never'),
});

const paths = section({
  var: z.string().min(1).default('var').describe('store, logs, heartbeats; relative to desk.yaml'),
});

const journal = section({
  keepDays: whole(1, 1000, 10).describe('trading dates of each worker kept, the present one included'),
  dayMegabytesMax: whole(1, 10_000, 500).describe('a file that has grown to this is not written on that day; an alert says so'),
});

const log = section({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('run logs under var/log'),
});

export const deskSchema = z.strictObject({
  mode: z
    .enum(['demo', 'observe', 'paper', 'live'])
    .default('paper')
    .describe(
      '`demo` and `paper` send only to paper accounts (DU…); `observe` sends no order at all; `live` sends exits, and entries once armed',
    ),
  account: z
    .string()
    .regex(/^[A-Z]{1,3}[0-9]{4,12}$/)
    .nullable()
    .default(null)
    .describe(
      'the account to trade; empty = the only one the gateway serves at the first connection. HOLDFAST_ACCOUNT in the environment overrides it',
    ),
  gateway,
  exits,
  entries,
  session,
  wireCap,
  supervisor,
  backups,
  log,
  journal,
  paths,
});

/** desk.yaml with every default filled in. */
export type Desk = z.output<typeof deskSchema>;
