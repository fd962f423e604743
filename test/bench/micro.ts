import type { BenchOptions } from './benches.js';
import type { BenchResult } from './report.js';
export const benchMicro = async (_: BenchOptions): Promise<BenchResult> => { throw new Error('todo'); };
