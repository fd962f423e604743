import type { Contract } from '@holdfast/core/contract';
import type { BrokerBar } from '@holdfast/core/events';
import { type EpochMs, epochMs, micros } from '@holdfast/core/units';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import { BarSizeSetting } from '@stoqey/ib/dist/api/historical/bar-size-setting.js';
import type { Session } from './session.js';
import { contractForWire, dollarsOf, ZONE_IF_UNNAMED } from './translate.js';
import { parseGatewayDate } from './zoned-time.js';

/** The broker itself answers within seconds, or, with its data farm down, never. */
const ANSWER_MS_MAX = 60_000;
/** Decoding is quadratic in the library: 2,000 bars hold the loop for 32 ms, 20,000 for more than a second. */
const HISTORY_BARS_MAX = 5_000;
const EPOCH_SECONDS = 2;
const REAL_TIME_BAR_SECONDS = 5;

export interface HistoryRequest {
  readonly requestId: number;
  readonly contract: Contract;
  readonly duration: string;
  readonly barSize: string;
  readonly rthOnly: boolean;
}

export interface BarDesk {
  subscribe(contract: Contract): void;
  unsubscribe(conId: number): void;
  history(request: HistoryRequest): void;
}

interface ToldBar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly wap: number;
}

/** Undefined when a price is missing. Volume and WAP are −1 for bars of quotes. */
function barOf(at: EpochMs | undefined, told: ToldBar): BrokerBar | undefined {
  const [open, high, low, close] = [told.open, told.high, told.low, told.close].map(dollarsOf);
  if (at === undefined || open === undefined || high === undefined || low === undefined || close === undefined) return undefined;
  return { at, open, high, low, close, volume: Math.max(0, told.volume ?? 0), wap: dollarsOf(told.wap) ?? micros(0) };
}

/** Five-second bars as they form, and bars of the past. `at` is the start of the bar. */
export function barDesk(session: Session): BarDesk {
  return { ...realTimeBars(session), history: historyRequests(session) };
}

function realTimeBars(session: Session): Pick<BarDesk, 'subscribe' | 'unsubscribe'> {
  const { api, pacer } = session;
  const conIdOf = new Map<number, number>();
  const wireIdOf = new Map<number, number>();
  const forget = (conId: number): number | undefined => {
    const wireId = wireIdOf.get(conId);
    wireIdOf.delete(conId);
    if (wireId !== undefined) conIdOf.delete(wireId);
    return wireId;
  };
  api.on(
    EventName.realtimeBar,
    session.listen('real-time bar', (wireId: number, seconds: number, open, high, low, close, volume, wap) => {
      const conId = conIdOf.get(wireId);
      const bar = barOf(epochMs(seconds * 1000), { open, high, low, close, volume, wap });
      if (conId !== undefined && bar) session.tell({ kind: 'bar', conId, bar });
    }),
  );
  return {
    subscribe: contract => {
      if (wireIdOf.has(contract.conId)) return;
      const wireId = session.request({
        what: 'real-time bars',
        failed: (code, text) => {
          forget(contract.conId);
          session.tell({ kind: 'notice', code, text: `no real-time bars for ${contract.symbol}: ${text}`, severity: 'warning' });
        },
      });
      conIdOf.set(wireId, contract.conId);
      wireIdOf.set(contract.conId, wireId);
      pacer.ordinary(() => api.reqRealTimeBars(wireId, contractForWire(contract), REAL_TIME_BAR_SECONDS, 'TRADES', false));
    },
    unsubscribe: conId => {
      const wireId = forget(conId);
      if (wireId === undefined) return;
      session.settle(wireId);
      pacer.ordinary(() => api.cancelRealTimeBars(wireId));
    },
  };
}

/** 162 has many meanings; with these words it is an answer, not a failure: nothing traded in that time. Asking again would cost a pacing slot. */
const NO_HISTORY = 162;

function historyRequests(session: Session): BarDesk['history'] {
  const { api, pacer } = session;
  const answers = new Map<number, { readonly requestId: number; readonly bars: BrokerBar[] }>();
  api.on(
    EventName.historicalData,
    session.listen('historical bar', (wireId: number, time: string, open, high, low, close, volume, _count, wap) => {
      const answer = answers.get(wireId);
      if (!answer) return;
      // The library appends a line of its own when the answer is complete.
      if (time.startsWith('finished')) {
        answers.delete(wireId);
        session.settle(wireId);
        return session.tell({ kind: 'history', requestId: answer.requestId, bars: answer.bars });
      }
      const bar = barOf(barStart(time), { open, high, low, close, volume, wap });
      if (bar) answer.bars.push(bar);
    }),
  );
  return ({ requestId, contract, duration, barSize, rthOnly }) => {
    const refuse = (text: string): void => session.tell({ kind: 'history-failed', requestId, text });
    const size = Object.values(BarSizeSetting).find(known => known === barSize);
    if (!size) return refuse(`the broker has no bars of ${JSON.stringify(barSize)}`);
    const expected = barsExpected(duration, barSize);
    if (expected === undefined) return refuse(`a duration is a number and one of S, D, W, M, Y, not ${JSON.stringify(duration)}`);
    if (expected > HISTORY_BARS_MAX)
      return refuse(`about ${expected} bars in one answer would hold up everything else: ask for at most ${HISTORY_BARS_MAX}`);
    const wireId = session.request({
      what: 'historical bars',
      deadlineMs: ANSWER_MS_MAX,
      failed: (code, text) => {
        answers.delete(wireId);
        if (code === NO_HISTORY && /returned no data/i.test(text)) session.tell({ kind: 'history', requestId, bars: [] });
        else refuse(`${contract.symbol}: ${text}`);
      },
    });
    answers.set(wireId, { requestId, bars: [] });
    pacer.ordinary(() =>
      api.reqHistoricalData(wireId, contractForWire(contract), '', duration, size, 'TRADES', rthOnly, EPOCH_SECONDS, false),
    );
  };
}

/** Epoch seconds for intraday bars, `yyyymmdd` for daily and longer ones whatever was asked for. */
const barStart = (time: string): EpochMs | undefined =>
  /^\d{8}$/.test(time) ? parseGatewayDate(time, ZONE_IF_UNNAMED) : /^\d+$/.test(time) ? epochMs(Number(time) * 1000) : undefined;

const SECONDS_OF: Readonly<Record<string, number>> = {
  sec: 1,
  min: 60,
  hour: 3_600,
  // A day of trading has at most 16 hours, extended ones included.
  day: 57_600,
  week: 5 * 57_600,
  month: 21 * 57_600,
  S: 1,
  D: 57_600,
  W: 5 * 57_600,
  M: 21 * 57_600,
  Y: 252 * 57_600,
};

/** How many bars an answer may hold, roughly; undefined when the duration is none the broker knows. */
export function barsExpected(duration: string, barSize: string): number | undefined {
  const span = /^(\d+) ([SDWMY])$/.exec(duration);
  const bar = /^(\d+) (sec|min|hour|day|week|month)s?$/.exec(barSize);
  if (!span || !bar) return undefined;
  const seconds = (count: string | undefined, unit: string | undefined): number => Number(count) * (SECONDS_OF[unit ?? ''] ?? 1);
  return Math.ceil(seconds(span[1], span[2]) / seconds(bar[1], bar[2]));
}
