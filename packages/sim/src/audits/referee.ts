import { sessionOf } from '@holdfast/core/calendar';
import type { EpochMs, MonoMs } from '@holdfast/core/units';
import type { ExchangeEvent, Instrument, Quote } from '../exchange-types.js';
import { alwaysProtected } from './always-protected.js';
import { watchArming } from './arming.js';
import { type Bounds, DEFAULT_BOUNDS } from './bounds.js';
import { disasterStopRests } from './disaster-stop-rests.js';
import type { WorldFact } from './facts.js';
import { flatByClose } from './flat-by-close.js';
import { getsWell } from './gets-well.js';
import { type Audit, Ground, type Limits, type Protection, type Rules, type Say, type Stand } from './ground.js';
import { guardedEntries } from './guarded-entries.js';
import { handsOff } from './hands-off.js';
import { killSwitchHolds } from './kill-switch-holds.js';
import { limitsHold } from './limits-hold.js';
import { Measurements, type Measures } from './measures.js';
import { neverShort } from './never-short.js';
import { noFalseStop } from './no-false-stop.js';
import { noForbiddenEntry } from './no-forbidden-entry.js';
import { oneAuthority } from './one-authority.js';
import { oneEntry } from './one-entry.js';
import { stopHonoured } from './stop-honoured.js';
import type { Invariant, Moment, Violation } from './violation.js';

export interface RefereeOptions {
  readonly instruments: readonly (Pick<Instrument, 'conId' | 'symbol'> & { readonly multiplier?: number })[];
  readonly baseline: readonly { readonly conId: number; readonly quantity: number }[];
  /** Of the first day; later ones come with the exchange's `day-began`, or as the fact `session`. */
  readonly session: { readonly open: EpochMs; readonly close: EpochMs };
  /** Default 90, the −0.9 % of A5. */
  readonly stopBps?: number;
  /** A stop farther from the reference than this protects nothing. Default 300, the most a disaster stop may be. */
  readonly disasterStopBps?: number;
  /** Default `guarded`. */
  readonly protection?: Protection;
  /** I7 is judged only where it is given. */
  readonly flatMinutesBeforeClose?: number;
  /** I9 is judged only where they are given. */
  readonly limits?: Limits;
  readonly bounds?: Partial<Bounds>;
}

export type { Measures };

export interface Referee {
  /** Every event of the exchange, in order, with the machine time at which it happened. */
  observe(event: ExchangeEvent, machineNow: MonoMs): void;
  /** A fact of the world (`facts.ts`), in order with the events. */
  tell(fact: WorldFact, now: Moment): void;
  /** Time has passed, with or without an event: after the close hardly any comes. */
  look(now: Moment): void;
  /** A client's socket, where nobody tells of processes: a connected exit manager then counts as awake and ready. */
  connected(clientId: number, machineNow: MonoMs): void;
  disconnected(clientId: number, machineNow: MonoMs): void;
  /** All violations so far, in exchange time. What is still open counts up to the last time seen. */
  report(): readonly Violation[];
  measures(): Measures;
}

const TICK_MS = 1_000;

/** The referees of I1–I5 and I7–I12 behind one door; I6 compares two books at a quiet moment (`store-agrees.ts`). */
export function createReferee(options: RefereeOptions): Referee {
  const { session, baseline } = options;
  const rules = rulesOf(options);
  const held = baseline.filter(({ quantity }) => quantity !== 0).map(({ conId, quantity }) => [conId, quantity] as const);
  const ground = new Ground(rules, { session, baseline: new Map(held) });
  const measured = new Measurements(ground);
  const found: Violation[] = [];
  const audits = enrol(ground, { measured, found });
  const watchers = audits.filter(audit => audit.quote !== undefined);
  let tickAt = Number.NEGATIVE_INFINITY;
  let tickMachine = Number.NEGATIVE_INFINITY;

  const tick = (): void => {
    tickAt = ground.now + TICK_MS;
    tickMachine = ground.machine + TICK_MS;
    for (const audit of audits) audit.tick?.();
  };
  const tickWhenDue = (): void => {
    if (ground.now >= tickAt || ground.machine >= tickMachine) tick();
  };
  const observeQuote = (quote: Quote): void => {
    const line = ground.takeQuote(quote);
    if (line) for (const audit of watchers) audit.quote?.(quote, line);
  };
  const observe = (event: ExchangeEvent): void => {
    if (event.kind === 'order') {
      const news = ground.takeOrder(event.order);
      for (const audit of audits) audit.order?.(news);
    } else if (event.kind === 'execution' || event.kind === 'correction') {
      const news = ground.takeExecution(event.execution);
      for (const audit of audits) audit.execution?.(news);
    } else if (event.kind === 'split') ground.ledger.split(event.split.conId, event.after);
    else if (event.kind === 'day-began') tell({ fact: 'session', session: sessionOf(event.date), tradeDate: event.date });
  };
  const tell = (fact: WorldFact): void => {
    ground.takeFact(fact);
    for (const audit of audits) audit.fact?.(fact);
  };

  return {
    observe(event, machineNow) {
      ground.now = event.at;
      ground.machine = machineNow;
      if (event.kind === 'quote') observeQuote(event.quote);
      else observe(event);
      tickWhenDue();
    },
    tell(fact, { at, machine }) {
      ground.now = at;
      ground.machine = machine;
      tell(fact);
      tickWhenDue();
    },
    look({ at, machine }) {
      ground.now = at;
      ground.machine = machine;
      tickWhenDue();
    },
    connected(clientId, machineNow) {
      ground.machine = machineNow;
      tell({ fact: 'link', clientId, up: true });
    },
    disconnected(clientId, machineNow) {
      ground.machine = machineNow;
      tell({ fact: 'link', clientId, up: false });
    },
    report() {
      tick();
      return [...found].sort((left, right) => left.at - right.at);
    },
    measures: () => measured.read(),
  };
}

function rulesOf({ instruments, bounds, limits, ...given }: RefereeOptions): Rules {
  const known = new Map(instruments.map(instrument => [instrument.conId, instrument]));
  return {
    symbolOf: conId => known.get(conId)?.symbol ?? String(conId),
    multiplierOf: conId => known.get(conId)?.multiplier ?? 1,
    stopBps: given.stopBps ?? 90,
    disasterStopBps: given.disasterStopBps ?? 300,
    protection: given.protection ?? 'guarded',
    flatMinutesBeforeClose: given.flatMinutesBeforeClose ?? null,
    limits: limits ?? null,
    bounds: { ...DEFAULT_BOUNDS, ...bounds },
  };
}

function enrol(ground: Ground, { measured, found }: { measured: Measurements; found: Violation[] }): readonly Audit[] {
  const { rules } = ground;
  const stand = (invariant: Invariant): Stand => {
    const say: Say = (conId, detail) =>
      found.push({ invariant, at: ground.now, symbol: conId === null ? '' : rules.symbolOf(conId), detail });
    return { ground, rules, say };
  };
  return [
    neverShort(stand('I1')),
    alwaysProtected(stand('I2'), measured),
    disasterStopRests(stand('I2')),
    guardedEntries(stand('I2')),
    stopHonoured(stand('I3'), measured),
    noFalseStop(stand('I3')),
    noForbiddenEntry(stand('I4')),
    oneEntry(stand('I5')),
    flatByClose(stand('I7')),
    killSwitchHolds(stand('I8')),
    limitsHold(stand('I9')),
    oneAuthority(stand('I10')),
    getsWell(stand('I11'), measured),
    handsOff(stand('I12')),
    watchArming({ ground, rules }, measured),
  ];
}
