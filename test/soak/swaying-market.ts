import { type Micros, micros } from '@holdfast/core/units';
import type { MarketSource, MarketUpdate } from '@holdfast/sim/exchange-types';

/** A market whose prices a hand can push: from its next update on everything of that instrument lies so much higher or lower. */
export interface SwayingMarket extends MarketSource {
  /** Basis points of the price as it is, negative = down. */
  sway(conId: number, bps: number): void;
}

/** Whole ticks; bids and lows downwards, asks and highs upwards, so that no quote crosses. */
export function swayingMarket(source: MarketSource): SwayingMarket {
  const factors = new Map<number, number>();
  const ticks = new Map<number, number>(source.instruments.map(({ conId, tick }) => [conId, tick]));

  const scaler = (conId: number) => {
    const factor = factors.get(conId) ?? 1;
    const tick = ticks.get(conId) ?? 10_000;
    const to = (round: (value: number) => number) => (price: Micros) =>
      factor === 1 || price <= 0 ? price : micros(Math.max(1, round((price * factor) / tick)) * tick);
    return { down: to(Math.floor), up: to(Math.ceil), near: to(Math.round) };
  };

  function swayed(update: MarketUpdate): MarketUpdate {
    if (!factors.has(update.conId)) return update;
    const { down, up, near } = scaler(update.conId);
    const { quote, trade } = update;
    return {
      ...update,
      ...(quote && { quote: { ...quote, bid: down(quote.bid), ask: up(quote.ask) } }),
      ...(trade && { trade: { ...trade, open: near(trade.open), high: up(trade.high), low: down(trade.low), close: near(trade.close) } }),
    };
  }

  return {
    name: source.name,
    date: source.date,
    instruments: source.instruments,
    next: () => {
      const update = source.next();
      return update && swayed(update);
    },
    // The past moves along: a jump between bars of yesterday and a price of today would be a gap that nobody traded.
    history: (conId, barMs, from, to) => {
      const bars = source.history(conId, barMs, from, to);
      if (!factors.has(conId)) return bars;
      const { down, up, near } = scaler(conId);
      return bars.map(bar => ({
        ...bar,
        open: near(bar.open),
        high: up(bar.high),
        low: down(bar.low),
        close: near(bar.close),
        wap: near(bar.wap),
      }));
    },
    sway: (conId, bps) => {
      factors.set(conId, (factors.get(conId) ?? 1) * (1 + bps / 10_000));
    },
  };
}
