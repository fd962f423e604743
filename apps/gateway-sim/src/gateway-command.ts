import { Command, InvalidArgumentError } from 'commander';

/** What a person may ask of the simulated gateway on the command line. */
export interface GatewayCommand {
  readonly port: number;
  readonly controlPort: number;
  readonly seed: number;
  readonly data?: string;
  readonly date?: string;
  readonly symbols?: readonly string[];
  readonly speed: number;
  readonly start: string;
  readonly account: string;
  readonly cash: number;
  readonly holding: readonly (readonly [symbol: string, quantity: number])[];
  readonly liveData: boolean;
  readonly cancelAcrossClients?: boolean;
  readonly waitFor?: readonly number[];
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  ./holdfast gateway                                        a synthetic day in real time from 09:25 on port 4002
  ./holdfast gateway --seed 7 --speed 60 --start 09:30      another day, an hour a minute, from the open
  ./holdfast gateway --data ../shared/data/us-equity --date 2025-11-14 --symbols CMBM,MSGY
  ./holdfast gateway --holding AAPL:40 --delayed-data       a baseline holding, no market-data subscription
  ./holdfast gateway --speed 240 --wait-for 2,10            fast, but never faster than clients 2 and 10 can follow
Control port: curl localhost:4003/truth · curl -d '{"symbol":"AAPL","side":"BUY","quantity":10}' localhost:4003/manual-trade
`;

function whole(text: string, { min, max }: { readonly min: number; readonly max: number }): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}.`);
  }
  return value;
}

const port = (text: string): number => whole(text, { min: 0, max: 65_535 });

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a number above 0.');
  return value;
}

function clock(text: string): string {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) throw new InvalidArgumentError('must be a New York clock time HH:MM, 00:00 to 23:59.');
  return text;
}

function account(text: string): string {
  if (!/^DU\d+$/.test(text)) throw new InvalidArgumentError('must look like a paper account, DU and digits.');
  return text;
}

const symbols = (text: string): string[] => {
  const names = text.toUpperCase().split(',').filter(Boolean);
  if (names.length === 0) throw new InvalidArgumentError('must name symbols, as in CMBM,MSGY.');
  return names;
};
const clientIds = (text: string): number[] => text.split(',').map(id => whole(id, { min: 0, max: 999_999 }));

function holding(text: string, before: readonly (readonly [string, number])[]): (readonly [string, number])[] {
  const parts = /^([A-Za-z.]{1,8}):(-?\d{1,7})$/.exec(text);
  if (!parts) throw new InvalidArgumentError('must be SYMBOL:SHARES, as in AAPL:40.');
  return [...before, [String(parts[1]).toUpperCase(), Number(parts[2])]];
}

/** Parses the command line. Throws commander's error on a bad one, and when help was asked for (and printed). */
export function readGatewayCommand(argv: readonly string[]): GatewayCommand {
  const command = new Command('./holdfast gateway')
    .description('A simulated IB Gateway: speaks the TWS protocol on loopback before a simulated exchange. Paper accounts only.')
    .option('--port <port>', 'TWS port; 0 takes a free one', port, 4002)
    .option('--control-port <port>', 'control port (HTTP, JSON); 0 takes a free one', port, 4003)
    .option('--seed <n>', 'seed of the synthetic day', text => whole(text, { min: 0, max: Number.MAX_SAFE_INTEGER }), 1)
    .option('--data <folder>', 'recorded data instead of a synthetic day')
    .option('--date <date>', 'the day, YYYY-MM-DD')
    .option('--symbols <list>', 'only these symbols of the recorded data', symbols)
    .option('--speed <n>', 'exchange seconds per second', positive, 1)
    .option('--start <clock>', 'New York time to start at, HH:MM', clock, '09:25')
    .option('--account <id>', 'account id', account, 'DU1234567')
    .option('--cash <dollars>', 'cash at the start', positive, 100_000)
    .option('--holding <symbol:shares>', 'held before the day, repeatable', holding, [])
    .option('--live-data', 'the account is subscribed to live market data (default)')
    .option('--delayed-data', 'the account has no subscription: delayed data only')
    .option('--cancel-across-clients', 'every client may cancel every order, unlike the documented broker')
    .option('--wait-for <ids>', 'client ids that fast time waits for, as in 2,10', clientIds)
    .option('--json', 'one JSON line on stdout once listening; everything else on stderr')
    .addHelpText('after', EXAMPLES);
  command.exitOverride().configureOutput({ outputError: () => undefined });
  command.parse([...argv], { from: 'user' });
  const options = command.opts<GatewayCommand & { delayedData?: boolean; liveData?: boolean }>();
  if (options.delayedData && options.liveData) command.error('error: choose --live-data or --delayed-data, not both');
  return { ...options, liveData: !options.delayedData };
}
