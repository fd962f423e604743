import type { Micros, TradeDate } from '@holdfast/core/units';
import type { Holding } from '../account.js';
import { type StormSource, stormSource } from '../market/storm.js';
import { campaignDays } from '../market/trading-days.js';
import { isAboutEntries } from './profile.js';
import type { DeskSetup } from './setup.js';
import type { World, WorldOptions } from './world.js';

/** A story's own calendar, desk and market, in place of those that a seed draws: a world in which nothing goes wrong but what the story does. */
export interface Script {
  readonly dates: readonly TradeDate[];
  readonly setup: DeskSetup;
  readonly baseline: readonly Holding[];
  /** @param previous what the day before closed at, by conId; undefined on the first day */
  readonly market: (date: TradeDate, previous: ReadonlyMap<number, Micros> | undefined) => StormSource;
}

export const datesOf = ({ script, seed, days }: WorldOptions): readonly TradeDate[] => script?.dates ?? campaignDays(seed, days);

/** The market of one of this world's days. */
export function marketOf({ script, ...options }: World['options'], date: TradeDate, previous?: ReadonlyMap<number, Micros>): StormSource {
  if (script) return script.market(date, previous);
  const { seed, profile } = options;
  return stormSource({ seed, date, profile, shallow: isAboutEntries(options), ...(previous && { previous }) });
}
