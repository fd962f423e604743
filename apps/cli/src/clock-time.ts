import { atTime, tradeDateOf } from '@holdfast/core/calendar';
import type { EpochMs } from '@holdfast/core/units';

/** New York clock time, `10:41:07`: what a trader's screen shows, wherever the machine stands. */
export function clockTime(at: EpochMs): string {
  const seconds = Math.floor((at - atTime(tradeDateOf(at), '00:00')) / 1000);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(part => String(part).padStart(2, '0')).join(':');
}
