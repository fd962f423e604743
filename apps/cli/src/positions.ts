import { tradeDateOf } from '@holdfast/core/calendar';
import { isoTime, type Micros, toDollars } from '@holdfast/core/units';
import { readBaseline } from '@holdfast/store/baseline';
import type { Db } from '@holdfast/store/db';
import { readPositions } from '@holdfast/store/positions';
import { attempt } from '@holdfast/store/refusal';
import type { Place, Verb } from './command-line.js';
import { exchangeNow, openForReport, openWorkingDesk, shownPath, storeProblem } from './desk.js';
import { complain, EXIT, isProblem } from './problem.js';
import { dollars, formatTable, printJson } from './screen.js';

/** `holdfast positions`: what is in care, with its levels, and what is hands-off. */
export const addPositionsCommand: Verb = (program, run) => {
  program
    .command('positions')
    .description('positions in care with entry, target and stop, and the baseline that is never touched')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExamples:\n  ./holdfast positions\n  ./holdfast positions --json | jq ".positions[].symbol"')
    .action((options: { readonly json?: boolean }) => run(place => positions(place, options.json === true)));
};

const dollarsOrNull = (amount: Micros | null): number | null => (amount === null ? null : toDollars(amount));

const read = (db: Db) => ({
  positions: readPositions(db).map(row => ({
    symbol: row.contract.symbol,
    status: row.status,
    quantity: row.quantity,
    entryPrice: dollarsOrNull(row.entryPrice),
    entryAt: row.entryAt === null ? null : isoTime(row.entryAt),
    target: dollarsOrNull(row.targetPrice),
    stop: dollarsOrNull(row.stopPrice),
    disasterStop: dollarsOrNull(row.metadata.disasterPrice),
    origin: row.metadata.origin,
    agent: row.agentName,
    quarantined: row.metadata.quarantinedAt !== null,
  })),
  baseline: readBaseline(db).map(({ symbol, quantity }) => ({ symbol, quantity })),
});

type PositionRow = ReturnType<typeof read>['positions'][number];

function positions({ machine, screen, config }: Place, json: boolean): number {
  const desk = openWorkingDesk({ machine, screen, config });
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForReport(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  const seen = attempt(() => read(db));
  db.close();
  if ('detail' in seen) return complain(screen, storeProblem(shownPath(machine, desk.files.store), seen.detail));
  const at = exchangeNow(machine, desk.files);
  if (json) {
    printJson(screen, { at: isoTime(at), tradeDate: tradeDateOf(at), ...seen });
    return EXIT.ok;
  }
  const { paint, line } = screen.out;
  const columns = [
    { title: 'symbol', cell: (row: PositionRow) => row.symbol },
    { title: 'qty', align: 'right' as const, cell: (row: PositionRow) => String(row.quantity) },
    { title: 'entry', align: 'right' as const, cell: (row: PositionRow) => dollars(row.entryPrice) },
    { title: 'target', align: 'right' as const, cell: (row: PositionRow) => dollars(row.target) },
    { title: 'stop', align: 'right' as const, cell: (row: PositionRow) => dollars(row.stop) },
    { title: 'disaster', align: 'right' as const, cell: (row: PositionRow) => dollars(row.disasterStop) },
    { title: 'status', cell: (row: PositionRow) => (row.quarantined ? 'QUARANTINED' : row.status) },
    { title: 'agent', cell: (row: PositionRow) => (row.origin === 'adopted' ? 'adopted' : row.agent) },
  ];
  line(seen.positions.length === 0 ? 'No position in care.' : formatTable(columns, seen.positions, paint));
  const held = seen.baseline.filter(({ quantity }) => quantity !== 0).map(({ symbol, quantity }) => `${symbol} ${quantity}`);
  if (held.length > 0) line(`Hands off (held before the first start): ${held.join(', ')}`);
  return EXIT.ok;
}
