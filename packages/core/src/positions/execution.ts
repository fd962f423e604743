import type { EpochMs, Micros, Shares } from '../units.js';

/**
 * One fill as the broker reports it (IB docs, "Executions"): the only fact quantities, prices and P&L are ever summed from.
 * It is pushed live, repeated by every later request, and may be corrected; `execId` tells all three apart.
 */
export interface Execution {
  /** `aaaa.bbbb.cccc.01`: a correction keeps the root before the last dot and raises the last part. */
  readonly execId: string;
  /** Exchange time of the fill. */
  readonly at: EpochMs;
  readonly conId: number;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  /** Always positive; 0 only in a correction that busts the fill. */
  readonly shares: Shares;
  readonly price: Micros;
  /** Ours on our orders, empty on what others placed. */
  readonly orderRef: string;
  readonly permId: number;
  readonly clientId: number;
  readonly orderId: number;
  /** Arrives later, in a message of its own: absent means not yet told, not free. Positive = we paid. */
  readonly commission?: Micros;
}
