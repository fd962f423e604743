import { sessionOf } from '@holdfast/core/calendar';
import { CLIENT_ID } from '@holdfast/core/orders/order';
import { type MonoMs, toDollars } from '@holdfast/core/units';
import { createReferee } from '@holdfast/sim/audits/referee';
import { createExchange } from '@holdfast/sim/exchange';
import type { ExchangeEvent } from '@holdfast/sim/exchange-types';
import { type RunningGateway, startGateway } from '@holdfast/sim/gateway/gateway';
import { clockTime } from '../clock-time.js';
import type { Machine } from '../machine.js';
import { EXIT, type Problem, wordsOf } from '../problem.js';
import { countOf, type Screen, signedDollars } from '../screen.js';
import type { Holding } from './books.js';
import { type Chaos, createChaos } from './chaos.js';
import { type DemoOutcome, judge, stopInOrder } from './judge.js';
import { endLeftovers, signFolder } from './leftovers.js';
import { bothReady, passDay } from './pass-day.js';
import { createProgress, type Progress } from './progress.js';
import { DayFailed, type DemoRun } from './stage.js';
import {
  ACCOUNT,
  closeWorkshop,
  demosOf,
  killEverything,
  openWorkshop,
  type SupervisorProcess,
  startSupervisor,
  tailOf,
  type Workshop,
} from './workshop.js';

const START = '09:00';
const BASELINE_SHARES = 50;

export interface RunOptions {
  /** Keep the folder with store and logs, also of a good day. */
  readonly keep: boolean;
  /** Tells the day and gives the exit code. Called once everything has been judged and stopped; the store is still open. */
  readonly report: (outcome: DemoOutcome & { readonly wallSeconds: number }, workshop: Workshop) => number;
}

/**
 * Runs one day: the gateway and its referees in this process; supervisor and workers as real processes over real sockets. Whatever happens,
 * nothing of it runs when this returns.
 */
export async function runDay(
  { machine, screen }: { readonly machine: Machine; readonly screen: Screen },
  run: DemoRun,
  { keep, report }: RunOptions,
): Promise<number | Problem> {
  const began = machine.mono();
  const progress = createProgress(screen, () => machine.mono());
  let interrupted = false;
  const forget = machine.onInterrupt(() => {
    interrupted = true;
  });
  let workshop: Workshop | null = null;
  let supervisor: SupervisorProcess | null = null;
  let gateway: RunningGateway | null = null;
  let isGood = false;
  try {
    await endLeftovers(machine, demosOf(machine), line => progress.say(screen.err.paint.yellow(line)));
    const market = await openMarket(machine, run, progress);
    gateway = market.gateway;
    workshop = openWorkshop(machine, { port: gateway.port, watchlist: run.day.watchlist });
    signFolder(workshop.folder, machine.thisProcess());
    const chaos = run.chaos ? market.unleash(workshop, line => progress.say(screen.err.paint.yellow(line))) : null;
    const { source, baseline } = run.day;
    const when = source.name.includes(source.date) ? '' : `, ${source.date}`;
    progress.say(`${source.name}${when}: ${countOf(source.instruments.length, 'symbol')}, gateway on port ${gateway.port}`);
    progress.say(`desk, store and logs while it runs: ${workshop.folder}`);
    progress.say(`hands off from the start: ${BASELINE_SHARES} ${baseline.symbol}`);
    supervisor = startSupervisor(machine, workshop);
    const stage = { ...market, machine, run, progress, workshop, supervisor, chaos, isInterrupted: () => interrupted };
    await bothReady(stage);
    progress.say(`${clockTime(stage.exchange.now)}  both workers are READY`);
    await passDay(stage);
    const outcome = await judge(stage);
    progress.end();
    await stopInOrder(stage);
    const code = report({ ...outcome, wallSeconds: Math.round((machine.mono() - began) / 100) / 10 }, workshop);
    isGood = code === EXIT.ok;
    return code;
  } catch (error) {
    progress.end();
    if (!interrupted) return failure(error, workshop);
    screen.err.line('interrupted: everything of the demo is being stopped');
    return EXIT.interrupted;
  } finally {
    if (workshop) await killEverything(machine, workshop, supervisor);
    await gateway?.close();
    if (workshop) closeWorkshop(workshop, { keep: keep || !(isGood || interrupted) });
    forget();
  }
}

/** The exchange, the gateway before it and the referees on its hooks. */
async function openMarket(machine: Machine, run: DemoRun, progress: Progress) {
  const { source, baseline: instrument } = run.day;
  const session = sessionOf(source.date);
  const baseline: Holding = { conId: instrument.conId, quantity: BASELINE_SHARES };
  const holdings = [{ ...baseline, averageCost: instrument.previousClose }];
  const exchange = createExchange({ source, session, account: ACCOUNT, seed: run.seed, holdings });
  const referee = createReferee({ instruments: source.instruments, baseline: [baseline], session });
  const waitFor = [CLIENT_ID['exit-manager'], CLIENT_ID['day-trader']];
  const away = new Map<number, MonoMs>(waitFor.map(clientId => [clientId, machine.mono()]));
  let chaos: Chaos | null = null;
  const gateway = await startGateway({
    exchange,
    source,
    port: 0,
    speed: run.speed,
    start: START,
    waitFor,
    onExchangeEvent: (event, machineAt) => {
      referee.observe(event, machineAt);
      if (event.kind === 'execution' && event.execution.conId !== baseline.conId) progress.say(fillLine(event));
      chaos?.onExchangeEvent(event, machineAt);
    },
    onMessage: message => chaos?.onMessage(message),
    onClient: ({ clientId, connected, machineNow }) => {
      if (connected) referee.connected(clientId, machineNow);
      else referee.disconnected(clientId, machineNow);
      if (connected) away.delete(clientId);
      else away.set(clientId, machineNow);
    },
  });
  const symbols = new Map(source.instruments.map(({ conId, symbol }) => [conId, symbol]));
  const unleash = ({ files, db }: Workshop, say: (line: string) => void): Chaos => {
    chaos = createChaos({
      machine,
      files,
      db,
      open: session.open,
      close: session.close,
      baselineConId: baseline.conId,
      symbolOf: conId => symbols.get(conId) ?? String(conId),
      holdOrders: ms => gateway.holdOrders(ms),
      say: line => say(`${clockTime(exchange.now)}  ${line}`),
    });
    return chaos;
  };
  return { gateway, exchange, referee, baseline, away, close: session.close, unleash };
}

function fillLine({ at, execution }: Extract<ExchangeEvent, { kind: 'execution' }>): string {
  const { side, shares, symbol, price, realizedPnl } = execution;
  const trade = `${side === 'BUY' ? 'bought' : 'sold  '} ${String(shares).padStart(5)} ${symbol.padEnd(5)} @ ${toDollars(price).toFixed(2)}`;
  return `${clockTime(at)}  ${trade}${realizedPnl === undefined ? '' : `  ${signedDollars(toDollars(realizedPnl))}`}`;
}

function failure(error: unknown, workshop: Workshop | null): Problem {
  const isOfTheWorld = error instanceof DayFailed || workshop === null || (error instanceof Error && 'code' in error);
  if (!isOfTheWorld) throw error;
  const seen = workshop ? tailOf(workshop.console, 12) : '';
  return {
    code: EXIT.unavailable,
    happened: `The demo could not go on: ${wordsOf(error)}.${seen === '' ? '' : `\n    ${seen.replaceAll('\n', '\n    ')}`}`,
    did: `Everything of it was stopped${workshop ? `; its desk and logs are kept in ${workshop.folder}` : ''}.`,
    todo: 'Look into the logs there; run `npm run build` if the checkout was changed.',
  };
}
