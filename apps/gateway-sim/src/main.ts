import { type RunningGateway, startGateway } from '@holdfast/sim/gateway/gateway';
import { openSimulatedDay } from '@holdfast/sim/gateway/simulated-day';
import { type GatewayCommand, readGatewayCommand } from './gateway-command.js';

/** People read stderr; with --json stdout carries one line for programs. */
const say = (line: string): void => {
  process.stderr.write(`gateway-sim: ${line}\n`);
};

async function run(command: GatewayCommand): Promise<number> {
  const day = openSimulatedDay({ ...command, holdings: command.holding });
  if (!day.ok) {
    say(`not started: ${day.detail}`);
    return 1;
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
    say(`not started: ${problem instanceof Error ? problem.message : String(problem)}`);
    return 1;
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

process.exitCode = await run(readGatewayCommand(process.argv.slice(2)));
