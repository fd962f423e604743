import type { CampaignReport } from '@holdfast/sim/world/campaign';
import { countOf } from '../screen.js';

/** A cell that was hit less often proves little. */
const ENOUGH = 20;

const escaped = (text: string): string => text.replaceAll('|', '\\|');
const tableOf = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), `|${head.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`, ...body.map(line)].join('\n');
};

/** A campaign for a document: what was run, what bit how often, and in which states of an order. */
export function campaignMarkdown(report: CampaignReport): string {
  const { seeds, days, entries, stops, orders, executions, crashes, violations, seconds, daysPerSecond } = report;
  const perDay = (count: number): string => (days === 0 ? '-' : (count / days).toFixed(1));
  const worlds = Object.entries(report.worlds).sort(([left], [right]) => (left < right ? -1 : 1));
  return [
    `${countOf(seeds, 'seed')}, **${countOf(days, 'trading day')}** under \`${report.profile}\`: **${countOf(violations.length, 'violation')}**. ${crashes} crashes, ${orders} orders, ${executions} executions;`,
    `${perDay(entries)} entries and ${perDay(stops)} stops a day. ${Math.round(seconds)} s, ${daysPerSecond.toFixed(1)} days a second.`,
    '',
    tableOf([['protection and order ownership', 'days'], ...worlds.map(([world, count]) => [world, String(count)])]),
    '',
    `Times each kind of fault bit, and beside it how often while an order was in each state (an order filled in part stands in two columns;`,
    `several orders may live at a time). Columns: order state by the workers' own table; *none*: no order lived. Bold: fewer than ${ENOUGH}.`,
    '',
    matrixOf(report),
    '',
    thinCells(report),
  ].join('\n');
}

function columnsOf({ cells }: CampaignReport): readonly string[] {
  const all = new Set(Object.values(cells).flatMap(row => Object.keys(row)));
  return [...all].sort((left, right) => (left < right ? -1 : 1));
}

function matrixOf(report: CampaignReport): string {
  const columns = columnsOf(report);
  const rows = Object.entries(report.faults).sort(([left], [right]) => (left < right ? -1 : 1));
  return tableOf([
    ['fault', 'bit', ...columns],
    ...rows.map(([kind, count]) => {
      const row = report.cells[kind] ?? {};
      return [kind, String(count), ...columns.map(column => shown(row[column] ?? 0))];
    }),
  ]);
}

const shown = (count: number): string => (count === 0 ? '' : count < ENOUGH ? `**${count}**` : String(count));

function thinCells(report: CampaignReport): string {
  const columns = columnsOf(report);
  const counts = Object.keys(report.faults).flatMap(kind => columns.map(column => report.cells[kind]?.[column] ?? 0));
  const hit = counts.filter(count => count > 0);
  return `${hit.length} of ${counts.length} cells were hit, ${hit.filter(count => count >= ENOUGH).length} of them at least ${ENOUGH} times.`;
}
