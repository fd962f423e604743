import { type MonoMs, monoMs } from '@holdfast/core/units';

/** The machine's monotonic clock in milliseconds: the same clock in every process of the machine, so that referees can compare. */
export const machineNow = (): MonoMs => monoMs(Number(process.hrtime.bigint()) / 1e6);
