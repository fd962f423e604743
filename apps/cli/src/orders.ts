import { tradeDateOf } from '@holdfast/core/calendar';
import { isFinal, type Order } from '@holdfast/core/orders/order';
import { isoTime, type Micros, toDollars } from '@holdfast/core/units';
import { readLiveOrders } from '@holdfast/store/orders';
import { attempt } from '@holdfast/store/refusal';
import type { Place, Verb } from './command-line.js';
import { exchangeNow, openForReport, openWorkingDesk, shownPath, storeProblem } from './desk.js';
import { complain, EXIT, isProblem } from './problem.js';
import { dollars, formatTable, printJson } from './screen.js';

interface Options {
  readonly json?: boolean;
  readonly all?: boolean;
}

/** `holdfast orders`: our orders as the store knows them; with --all also those that ended today. */
export const addOrdersCommand: Verb = (program, run) => {
  program
    .command('orders')
    .description('our orders that may still live at the broker')
    .option('--all', 'those that ended today too')
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExamples:\n  ./holdfast orders\n  ./holdfast orders --all')
    .action((options: Options) => run(place => orders(place, options)));
};

const dollarsOrNull = (amount: Micros | null): number | null => (amount === null ? null : toDollars(amount));

const jsonRow = (order: Order) => ({
  orderRef: order.orderRef,
  symbol: order.contract.symbol,
  role: order.role,
  side: order.side,
  quantity: order.quantity,
  filled: order.filled,
  type: order.type,
  limitPrice: dollarsOrNull(order.limitPrice),
  stopPrice: dollarsOrNull(order.stopPrice),
  tif: order.tif,
  status: order.status,
  clientId: order.clientId,
  orderId: order.orderId,
  permId: order.permId,
  createdAt: isoTime(order.createdAt),
  updatedAt: isoTime(order.updatedAt),
  reason: order.reason,
});

type Row = ReturnType<typeof jsonRow>;

function orders({ machine, screen, config }: Place, { json = false, all = false }: Options): number {
  const desk = openWorkingDesk({ machine, screen, config });
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForReport(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  const at = exchangeNow(machine, desk.files);
  const seen = attempt(() => readLiveOrders(db, tradeDateOf(at)));
  db.close();
  if ('detail' in seen) return complain(screen, storeProblem(shownPath(machine, desk.files.store), seen.detail));
  const rows = seen.filter(order => all || !isFinal(order)).map(jsonRow);
  if (json) {
    printJson(screen, { at: isoTime(at), tradeDate: tradeDateOf(at), orders: rows });
    return EXIT.ok;
  }
  const columns = [
    { title: 'symbol', cell: (row: Row) => row.symbol },
    { title: 'role', cell: (row: Row) => row.role },
    { title: 'side', cell: (row: Row) => row.side },
    { title: 'filled', align: 'right' as const, cell: (row: Row) => `${row.filled}/${row.quantity}` },
    {
      title: 'price',
      align: 'right' as const,
      cell: (row: Row) => (row.type === 'MKT' ? 'market' : dollars(row.stopPrice ?? row.limitPrice)),
    },
    { title: 'tif', cell: (row: Row) => row.tif },
    { title: 'status', cell: (row: Row) => row.status },
    { title: 'orderRef', cell: (row: Row) => row.orderRef },
  ];
  const none = all ? 'No order today.' : 'No order of ours may still live.';
  screen.out.line(rows.length === 0 ? none : formatTable(columns, rows, screen.out.paint));
  return EXIT.ok;
}
