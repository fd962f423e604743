import { tradeDate, tradeDateOf } from '@holdfast/core/calendar';
import type { TradeDate } from '@holdfast/core/units';
import { attempt } from '@holdfast/store/refusal';
import { lastTradedDate, reviewDay } from '@holdfast/store/reports';
import { InvalidArgumentError } from 'commander';
import type { Place, Verb } from './command-line.js';
import { exchangeNow, openForReport, openWorkingDesk, shownPath, storeProblem } from './desk.js';
import { complain, EXIT, isProblem } from './problem.js';
import { formatReview, reviewJson } from './review-table.js';
import { printJson } from './screen.js';

/** `holdfast review [date]`: the day's round trips and totals, from the store alone. */
export const addReviewCommand: Verb = (program, run) => {
  program
    .command('review')
    .description('round trips and totals of a trading date; without one, of the last that traded')
    .argument('[date]', 'trading date, YYYY-MM-DD', parseTradeDate)
    .option('--json', 'one line of JSON on stdout')
    .addHelpText('after', '\nExamples:\n  ./holdfast review\n  ./holdfast review 2026-03-09 --json | jq .pnl')
    .action((date: TradeDate | undefined, options: { readonly json?: boolean }) =>
      run(place => review(place, date, options.json === true)),
    );
};

function parseTradeDate(text: string): TradeDate {
  try {
    return tradeDate(text);
  } catch {
    throw new InvalidArgumentError('Write it as YYYY-MM-DD, for example 2026-03-09.');
  }
}

function review({ machine, screen, config }: Place, date: TradeDate | undefined, json: boolean): number {
  const desk = openWorkingDesk({ machine, screen, config });
  if (isProblem(desk)) return complain(screen, desk);
  const db = openForReport(machine, desk.files);
  if (isProblem(db)) return complain(screen, db);
  const seen = attempt(() => reviewDay(db, date ?? lastTradedDate(db) ?? tradeDateOf(exchangeNow(machine, desk.files))));
  db.close();
  if ('detail' in seen) return complain(screen, storeProblem(shownPath(machine, desk.files.store), seen.detail));
  if (json) printJson(screen, reviewJson(seen));
  else screen.out.line(formatReview(seen, screen.out.paint));
  return EXIT.ok;
}
