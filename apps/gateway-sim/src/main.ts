import { type RunningGateway, startGateway } from '@holdfast/sim/gateway/gateway';
import { openSimulatedDay } from '@holdfast/sim/gateway/simulated-day';
import { CommanderError } from 'commander';
import { type GatewayCommand, readGatewayCommand } from './gateway-command.js';

/** People read stderr; with --json stdout carries one line for programs. */
const say = (line: string): void => {
  process.stderr.write(`gateway-sim: ${line}\n`);
};

/** As of sysexits.h, and as of the command line. */
const USAGE = 64;
const UNAVAILABLE = 69;
const WRONG_WISH = new Set(['NO_DATE', 'BAD_DATE', 'NO_SESSION', 'NO_CHOICE', 'UNKNOWN_HOLDING']);

/** What happened, what was done, what to do: three lines on stderr. */
function refuse(code: number, happened: string, todo: string): number {
  process.stderr.write(`gateway-sim: ${happened}\n  The gateway was not started.\n  ${todo}\n`);
  return code;
}

/** A bad command line is told; help that was asked for is no error. */
function start(argv: readonly string[]): number | Promise<number> {
  let command: GatewayCommand;
  try {
    command = readGatewayCommand(argv);
  } catch (problem) {
    if (!(problem instanceof CommanderError)) throw problem;
    if (problem.exitCode === 0) return 0;
    return refuse(USAGE, problem.message.replace(/^error: /, ''), 'See `./holdfast gateway --help`.');
  }
  return run(command);
}

async function run(command: GatewayCommand): Promise<number> {
  const day = openSimulatedDay({ ...command, holdings: command.holding });
  if (!day.ok) {
    const isWish = WRONG_WISH.has(day.code);
    return refuse(
      isWish ? USAGE : UNAVAILABLE,
      day.detail,
      isWish ? 'See `./holdfast gateway --help`.' : 'Mend or replace what is named above, then try again.',
    );
  }
  for (const { symbol, grain, updates, crossedDropped } of day.report) {
    say(`${symbol}: ${updates} updates from ${grain}${crossedDropped > 0 ? `, ${crossedDropped} crossed quotes dropped` : ''}`);
  }
  let gateway: RunningGateway;
  try {
    gateway = await startGateway({
      exchange: day.exchange,
      source: day.source,
      port: command.port,
      controlPort: command.controlPort,
      speed: command.speed,
      liveData: command.liveData,
      cancelsAcrossClients: command.cancelAcrossClients ?? false,
      log: say,
      start: command.start,
      ...(command.waitFor === undefined ? {} : { waitFor: command.waitFor }),
    });
  } catch (problem) {
    const [happened, advice] = (problem instanceof Error ? problem.message : String(problem)).split(/: (?=stop|choose)/);
    return refuse(
      UNAVAILABLE,
      `${happened}.`,
      advice ? `${advice[0]?.toUpperCase()}${advice.slice(1)} (--port, --control-port).` : 'Try again.',
    );
  }
  announce(gateway, command, day.source);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      say(`${signal}: closing`);
      void gateway.close();
    });
  }
  await gateway.closed;
  const { effectiveSpeed } = gateway.truth().pace;
  say(`closed after a ${effectiveSpeed.toFixed(1)}× run`);
  return 0;
}

function announce(gateway: RunningGateway, command: GatewayCommand, source: { readonly name: string; readonly date: string }): void {
  const symbols = gateway.exchange.instruments.map(instrument => instrument.symbol);
  const { port, controlPort } = gateway;
  if (command.json) {
    const started = { port, controlPort, account: command.account, source: source.name, date: source.date, speed: command.speed, symbols };
    process.stdout.write(`${JSON.stringify(started)}\n`);
  }
  say(`${source.name}, ${source.date}, ${symbols.length} symbols: ${symbols.join(' ')}`);
  say(
    `TWS protocol on 127.0.0.1:${port}, control on 127.0.0.1:${controlPort}, account ${command.account}, ${command.speed}×; Ctrl+C ends it`,
  );
}

process.exitCode = await start(process.argv.slice(2));
