import { type EpochMs, epochMs, type Micros, micros } from '@holdfast/core/units';
import type { Bar } from '../exchange-types.js';

export interface TapeTrade {
  readonly open: Micros;
  readonly high: Micros;
  readonly low: Micros;
  readonly close: Micros;
  readonly volume: number;
}

/** The prints of one instrument in time order, kept as plain columns, from which bars of any size are cut. */
export class TradeTape {
  private readonly at: number[] = [];
  private readonly open: number[] = [];
  private readonly high: number[] = [];
  private readonly low: number[] = [];
  private readonly close: number[] = [];
  private readonly volume: number[] = [];

  add(at: EpochMs, trade: TapeTrade): void {
    this.at.push(at);
    this.open.push(trade.open);
    this.high.push(trade.high);
    this.low.push(trade.low);
    this.close.push(trade.close);
    this.volume.push(trade.volume);
  }

  get size(): number {
    return this.at.length;
  }

  /**
   * Bars of `barMs` that start at or after `from`, made of the prints before `to` only; the last one may be unfinished. Starts are multiples
   * of `barMs` since 1970 (for sizes that divide an hour these are New York's too). Spans without a print have no bar.
   */
  bars(barMs: number, from: EpochMs, to: EpochMs): readonly Bar[] {
    const bars: Bar[] = [];
    const first = this.firstAtOrAfter(Math.ceil(from / barMs) * barMs);
    let start = -1;
    let open = 0;
    let high = 0;
    let low = 0;
    let close = 0;
    let volume = 0;
    let value = 0;
    let count = 0;
    const finish = () => {
      if (start < 0) return;
      const wap = volume > 0 ? Math.round(value / volume) : close;
      bars.push({
        at: epochMs(start),
        open: micros(open),
        high: micros(high),
        low: micros(low),
        close: micros(close),
        volume,
        wap: micros(wap),
        count,
      });
    };
    for (let i = first; i < this.at.length; i += 1) {
      const at = this.at[i] ?? 0;
      if (at >= to) break;
      const o = this.open[i] ?? 0;
      const h = this.high[i] ?? 0;
      const l = this.low[i] ?? 0;
      const c = this.close[i] ?? 0;
      const v = this.volume[i] ?? 0;
      const bucket = at - (at % barMs);
      if (bucket !== start) {
        finish();
        start = bucket;
        open = o;
        high = h;
        low = l;
        volume = 0;
        value = 0;
        count = 0;
      }
      if (h > high) high = h;
      if (l < low) low = l;
      close = c;
      volume += v;
      value += ((h + l + c) / 3) * v;
      count += 1;
    }
    finish();
    return bars;
  }

  private firstAtOrAfter(time: number): number {
    let low = 0;
    let high = this.at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at[middle] ?? 0) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
