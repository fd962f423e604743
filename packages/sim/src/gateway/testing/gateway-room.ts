import { sessionOf } from '@holdfast/core/calendar';
import { epochMs, fromDollars } from '@holdfast/core/units';
import { createExchange, type ExchangeOptions } from '../../exchange.js';
import type { MarketUpdate } from '../../exchange-types.js';
import { type GatewayOptions, type RunningGateway, startGateway } from '../gateway.js';
import { IbProbe } from './ib-probe.js';
import { at, calmOpening, DATE, type ScriptedMarket, scriptedMarket } from './scripted-market.js';

/** One gateway before a scripted market, the clients a test connects to it, and an orderly end for all of them. */
export interface Room {
  readonly gateway: RunningGateway;
  readonly market: ScriptedMarket;
  connect(clientId: number): Promise<IbProbe>;
  /** A market update a moment from now, at exchange time as it runs. */
  soon(update: (now: ReturnType<typeof at>) => MarketUpdate): void;
  close(): Promise<void>;
}

export interface RoomOptions {
  readonly script?: readonly MarketUpdate[];
  readonly holdings?: ExchangeOptions['holdings'];
  readonly gateway?: Partial<Omit<GatewayOptions, 'exchange' | 'source'>>;
}

/** Starts at 09:30:02 of a calm opening unless told otherwise. */
export async function openRoom(options: RoomOptions = {}): Promise<Room> {
  const market = scriptedMarket(...(options.script ?? calmOpening()));
  const exchange = createExchange({
    source: market,
    session: sessionOf(DATE),
    startingCash: fromDollars(100_000),
    holdings: options.holdings ?? [],
    startAt: at('09:29:00'),
  });
  const gateway = await startGateway({ exchange, source: market, port: 0, start: '09:30:02', ...options.gateway });
  const probes: IbProbe[] = [];
  return {
    gateway,
    market,
    connect: async clientId => {
      const probe = await IbProbe.ready(gateway.port, clientId);
      probes.push(probe);
      return probe;
    },
    soon: update => market.add(update(epochMs(exchange.now + 5))),
    close: async () => {
      for (const probe of probes) probe.close();
      await gateway.close();
    },
  };
}
