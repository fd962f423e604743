import type { Contract } from '@holdfast/core/contract';
import type { QuoteUpdate } from '@holdfast/core/events';
import { type Micros, micros } from '@holdfast/core/units';
import { EventName } from '@stoqey/ib/dist/api/data/enum/event-name.js';
import type { Session } from './session.js';
import { contractForWire, dollarsOf } from './translate.js';

/** Where a tick lands in the merged quote, and whether its number belongs to the delayed family (IB docs, "Available tick types"). */
type PriceField = 'bid' | 'ask' | 'last' | 'close' | 'open';
type SizeField = 'bidSize' | 'askSize' | 'volume';
interface Tick<F> {
  readonly field: F;
  readonly delayed: boolean;
}
const PRICE_TICKS: Readonly<Record<number, Tick<PriceField>>> = {
  1: { field: 'bid', delayed: false },
  2: { field: 'ask', delayed: false },
  4: { field: 'last', delayed: false },
  9: { field: 'close', delayed: false },
  14: { field: 'open', delayed: false },
  66: { field: 'bid', delayed: true },
  67: { field: 'ask', delayed: true },
  68: { field: 'last', delayed: true },
  75: { field: 'close', delayed: true },
  76: { field: 'open', delayed: true },
};
const SIZE_TICKS: Readonly<Record<number, Tick<SizeField>>> = {
  0: { field: 'bidSize', delayed: false },
  3: { field: 'askSize', delayed: false },
  8: { field: 'volume', delayed: false },
  69: { field: 'bidSize', delayed: true },
  70: { field: 'askSize', delayed: true },
  74: { field: 'volume', delayed: true },
};
const HALTED_TICK = 49;
const LIVE = 1;

const NO_QUOTE: QuoteUpdate = {
  bid: micros(0),
  ask: micros(0),
  bidSize: 0,
  askSize: 0,
  last: micros(0),
  volume: 0,
  close: micros(0),
  open: micros(0),
  halted: false,
  delayed: false,
};

interface Line {
  readonly conId: number;
  quote: QuoteUpdate;
  /** What the broker says this line carries: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  type: number;
  hasDelayedTicks: boolean;
}

export interface MarketDataDesk {
  subscribe(contract: Contract): void;
  unsubscribe(conId: number): void;
}

/** −1 means no quote now, 0 and NaN occur where there is none. */
const price = (value: number): Micros => (value > 0 ? (dollarsOf(value) ?? micros(0)) : micros(0));

/** Quotes: ticks merged per line, told once per socket read for each line that changed. */
export function marketDataDesk(session: Session): MarketDataDesk {
  const { api, pacer } = session;
  const lines = new Map<number, Line>();
  const wireIdOf = new Map<number, number>();
  let changed = new Set<Line>();
  let typeIsSet = false;

  const flush = (): void => {
    const lot = changed;
    changed = new Set();
    for (const { conId, quote } of lot) session.tell({ kind: 'quote', conId, quote });
  };
  const change = (line: Line, part: Partial<QuoteUpdate>): void => {
    // Frozen quotes are as old as the close: they count as delayed, and delayed data never moves a stop.
    line.quote = { ...line.quote, ...part, delayed: line.hasDelayedTicks || line.type !== LIVE };
    changed.add(line);
    session.gather(flush);
  };

  api.on(
    EventName.tickPrice,
    session.listen('price tick', (wireId: number, type: number, value: number) => {
      const line = lines.get(wireId);
      const tick = PRICE_TICKS[type];
      if (!line || !tick) return;
      line.hasDelayedTicks = tick.delayed;
      change(line, { [tick.field]: price(value) });
    }),
  );
  // A price message carries its size. The library passes it on for every side but the live bid: its number for "bid size" is 0, and it tests
  // for truth. `1 version id tickType price size mask` (IBKR §1.4).
  api.on(
    EventName.received,
    session.listen('price tick', ([message, , id, type, , size]: string[]) => {
      if (message !== '1' || type !== '1' || size === undefined) return;
      const line = lines.get(Number(id));
      const bidSize = Number.parseFloat(size);
      if (line && bidSize >= 0) change(line, { bidSize });
    }),
  );
  api.on(
    EventName.tickSize,
    session.listen('size tick', (wireId: number, type: number | undefined, value: number | undefined) => {
      const line = lines.get(wireId);
      const tick = type === undefined ? undefined : SIZE_TICKS[type];
      if (line && tick) change(line, { [tick.field]: value ?? 0 });
    }),
  );
  api.on(
    EventName.tickGeneric,
    session.listen('generic tick', (wireId: number, type: number, value: number) => {
      const line = lines.get(wireId);
      // 0 not halted, 1 general halt, 2 volatility pause, −1 unknown.
      if (line && type === HALTED_TICK) change(line, { halted: value > 0 });
    }),
  );
  api.on(
    EventName.marketDataType,
    session.listen('market data type', (wireId: number, type: number) => {
      const line = lines.get(wireId);
      if (!line || line.type === type) return;
      line.type = type;
      change(line, {});
    }),
  );

  const forget = (conId: number): number | undefined => {
    const wireId = wireIdOf.get(conId);
    wireIdOf.delete(conId);
    if (wireId !== undefined) lines.delete(wireId);
    return wireId;
  };
  return {
    subscribe: contract => {
      const { conId } = contract;
      if (wireIdOf.has(conId)) return;
      const wireId = session.request({
        what: 'market data',
        failed: (code, text) => {
          forget(conId);
          session.tell({ kind: 'notice', code, text: `no market data for ${contract.symbol}: ${text}`, severity: 'warning' });
        },
      });
      lines.set(wireId, { conId, quote: NO_QUOTE, type: LIVE, hasDelayedTicks: false });
      wireIdOf.set(conId, wireId);
      if (!typeIsSet) pacer.ordinary(() => api.reqMarketDataType(session.options.liveData));
      typeIsSet = true;
      pacer.ordinary(() => api.reqMktData(wireId, contractForWire(contract), '', false, false));
    },
    unsubscribe: conId => {
      const wireId = forget(conId);
      if (wireId === undefined) return;
      session.settle(wireId);
      pacer.ordinary(() => api.cancelMktData(wireId));
    },
  };
}
