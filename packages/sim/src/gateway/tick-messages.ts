import type { Micros } from '@holdfast/core/units';
import type { Instrument, Quote } from '../exchange-types.js';
import { dollars } from './order-messages.js';
import type { Field } from './wire.js';

/** A quote as ticks. Live and delayed data differ in the tick numbers alone. */

interface TickNumbers {
  readonly bid: number;
  readonly ask: number;
  readonly last: number;
  readonly bidSize: number;
  readonly askSize: number;
  readonly lastSize: number;
  readonly high: number;
  readonly low: number;
  readonly volume: number;
  readonly close: number;
  readonly open: number;
  readonly lastTime: number;
  readonly halted: number;
}

const LIVE: TickNumbers = {
  bid: 1,
  ask: 2,
  last: 4,
  bidSize: 0,
  askSize: 3,
  lastSize: 5,
  high: 6,
  low: 7,
  volume: 8,
  close: 9,
  open: 14,
  lastTime: 45,
  halted: 49,
};
const DELAYED: TickNumbers = {
  bid: 66,
  ask: 67,
  last: 68,
  bidSize: 69,
  askSize: 70,
  lastSize: 71,
  high: 72,
  low: 73,
  volume: 74,
  close: 75,
  open: 76,
  lastTime: 88,
  halted: 90,
};

export type DataKind = 'live' | 'delayed';

/** What was sent last, by tick number: only changes travel. */
export type TicksTold = Map<number, string>;

const priceMessage = (requestId: number, type: number, price: string, size: number): Field[] => [1, 6, requestId, type, price, size, 0];
const sizeMessage = (requestId: number, type: number, size: number): Field[] => [2, 6, requestId, type, size];

/** The ticks of a quote that differ from what was told, which is updated. No quote on a side is price −1 with size 0. */
export function tickMessages(
  requestId: number,
  { quote, instrument, kind }: { readonly quote: Quote; readonly instrument: Instrument; readonly kind: DataKind },
  told: TicksTold,
): Field[][] {
  const numbers = kind === 'live' ? LIVE : DELAYED;
  const messages: Field[][] = [];
  const changed = (type: number, value: string): boolean => {
    if (told.get(type) === value) return false;
    told.set(type, value);
    return true;
  };
  const priced = (type: number, sizeType: number, [price, size]: readonly [Micros, number]): void => {
    const text = price > 0 ? dollars(price) : '-1';
    const shown = price > 0 ? size : 0;
    const moved = changed(type, text);
    const resized = changed(sizeType, String(shown));
    if (moved) messages.push(priceMessage(requestId, type, text, shown));
    // The size travels by itself too, as from the real gateway: @stoqey/ib derives no bid size (tick 0) from the price message.
    if (resized) messages.push(sizeMessage(requestId, sizeType, shown));
  };
  const plain = (type: number, price: Micros): void => {
    if (price > 0 && changed(type, dollars(price))) messages.push(priceMessage(requestId, type, dollars(price), 0));
  };
  priced(numbers.bid, numbers.bidSize, [quote.bid, quote.bidSize]);
  priced(numbers.ask, numbers.askSize, [quote.ask, quote.askSize]);
  if (quote.last > 0) {
    // The time of the last trade comes before its price, so that whoever dates the price has it.
    const seconds = String(Math.floor(quote.lastAt / 1000));
    if (changed(numbers.lastTime, seconds)) messages.push([46, 6, requestId, numbers.lastTime, seconds]);
    priced(numbers.last, numbers.lastSize, [quote.last, quote.lastSize]);
  }
  if (changed(numbers.volume, String(quote.volume))) messages.push(sizeMessage(requestId, numbers.volume, quote.volume));
  plain(numbers.high, quote.high);
  plain(numbers.low, quote.low);
  plain(numbers.open, quote.open);
  plain(numbers.close, instrument.previousClose);
  const halted = quote.halted ? '1' : '0';
  if (changed(numbers.halted, halted)) messages.push([45, 6, requestId, numbers.halted, halted]);
  return messages;
}
