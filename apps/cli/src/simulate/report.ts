import type { CampaignReport } from '@holdfast/sim/world/campaign';
import { countOf, formatTable, type Stream } from '../screen.js';

/** The report as `--json` prints it: what a script reads first stands first, in the order of the documentation. */
export const reportJson = ({ seeds, days, faults, orders, executions, crashes, violations, daysPerSecond, ...more }: CampaignReport) => ({
  seeds,
  days,
  faults,
  orders,
  executions,
  crashes,
  violations,
  daysPerSecond: Math.round(daysPerSecond * 100) / 100,
  ...more,
});

/** The report for a person. */
export function formatCampaign(report: CampaignReport, missing: readonly string[], paint: Stream['paint']): string {
  const { seeds, days, entries, stops, orders, executions, crashes, violations, daysPerSecond, seconds } = report;
  const perDay = (count: number): string => (days === 0 ? '-' : (count / days).toFixed(1));
  const rows = Object.entries(report.faults).sort(([left], [right]) => (left < right ? -1 : 1));
  const verdict =
    seeds === 0
      ? 'nothing was run'
      : violations.length === 0
        ? paint.green('no violation')
        : paint.red(countOf(violations.length, 'violation'));
  return [
    `${countOf(seeds, 'seed')}, ${countOf(days, 'day')} under ${report.profile}: ${verdict}`,
    `  ${perDay(entries)} entries and ${perDay(stops)} stops a day; ${countOf(orders, 'order')}, ${countOf(executions, 'execution')}, ${crashes} ${crashes === 1 ? 'crash' : 'crashes'}`,
    `  ${seconds.toFixed(1)} s, ${daysPerSecond.toFixed(2)} days a second`,
    ...Object.entries(report.worlds).map(([world, count]) => `  ${world}: ${countOf(count, 'day')}`),
    ...Object.entries(report.unprotectedMsMax).map(([mode, ms]) => `  longest without protection, ${mode}: ${ms} ms`),
    '',
    formatTable(
      [
        { title: 'fault', cell: ([kind]: readonly [string, number]) => kind },
        { title: 'bit', align: 'right', cell: ([, count]) => String(count) },
        { title: 'a day', align: 'right', cell: ([, count]) => perDay(count) },
      ],
      rows,
      paint,
    ),
    ...(missing.length > 0 ? ['', paint.red(`never bit: ${missing.join(', ')}`)] : []),
  ].join('\n');
}
