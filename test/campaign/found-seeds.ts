import type { Invariant } from '@holdfast/sim/audits/violation';
import type { Ownership, Protection } from '@holdfast/sim/world/setup';

/** A seed whose story once broke a promise, as it was run then. */
export interface FoundSeed {
  readonly seed: number;
  readonly days: number;
  readonly protection?: Protection;
  readonly ownership?: Ownership;
  /** Run with `--focus`. */
  readonly focused?: boolean;
  readonly invariant: Invariant;
  /** What happened, in one sentence. */
  readonly what: string;
}

/**
 * Seeds that found something, under storm. Each is clean now and stays so; its story may have changed since (any new draw of the simulation
 * changes it), so the rule itself is kept as a story of its own in `test/scenarios`.
 */
export const FOUND: readonly FoundSeed[] = [
  {
    seed: 303,
    days: 1,
    invariant: 'I2',
    what: 'A busted part of a target whose rest then filled left shares that new exits in the finished group could not cover.',
  },
  { seed: 2014, days: 1, invariant: 'I3', what: 'In quarantine a refused resting stop waited for the minute of the sale.' },
  { seed: 2024, days: 1, invariant: 'I3', what: 'The same under monitored protection, while the referees knew nothing of refusals.' },
  { seed: 2139, days: 1, invariant: 'I2', what: 'Marks of which one in four was crazy counted as no marks at all with the referees.' },
  {
    seed: 2283,
    days: 1,
    invariant: 'I1',
    what: 'A buy-back in a thin book took longer than the referees allowed, its order working all the while.',
  },
  {
    seed: 2288,
    days: 1,
    invariant: 'I3',
    what: 'A target re-priced into the sale never arrived, and was believed to be selling until the look of the next minute.',
  },
  {
    seed: 2321,
    days: 1,
    invariant: 'I1',
    what: 'An overshoot was still being held after the bound (the words of seed 2283; its cause was not looked into by itself).',
  },
  { seed: 2366, days: 1, invariant: 'I1', what: 'The same words, of a long position.' },
  {
    seed: 2707,
    days: 1,
    protection: 'resting',
    ownership: 'any-client',
    invariant: 'I2',
    what: 'A stop whose placement vanished was missed only after twelve seconds, each time.',
  },
  {
    seed: 2771,
    days: 1,
    protection: 'resting',
    ownership: 'any-client',
    invariant: 'I6',
    what: 'The claim of a lost entry stood until the next look of the minute, which is machine time.',
  },
  {
    seed: 2781,
    days: 1,
    protection: 'resting',
    ownership: 'any-client',
    invariant: 'I1',
    what: 'A target that had filled, its execution late, was believed dead after an answer without that fill, and its shares were sold again.',
  },
  {
    seed: 2827,
    days: 1,
    protection: 'monitored',
    invariant: 'I3',
    what: 'The exchange ran ahead while a refused sale waited for its next try.',
  },
  {
    seed: 2952,
    days: 1,
    protection: 'guarded',
    ownership: 'any-client',
    invariant: 'I1',
    what: 'The same words, where any client may cancel.',
  },
  { seed: 9030, days: 1, invariant: 'I2', what: 'Told as unprotected while the simulated gateway was being built; no longer seen.' },
  { seed: 9034, days: 1, invariant: 'I3', what: 'A bust after the end left a short that the referees judged by a stop of 0.' },
  {
    seed: 462,
    days: 3,
    invariant: 'I3',
    what: 'Order ids rolled back below one of the day before; the refused order counted at the wire for ever, and nothing could be sold.',
  },
  {
    seed: 7007,
    days: 3,
    invariant: 'I6',
    what: 'The day trader died before its send; its claim outlived the good-till time by minutes of exchange time.',
  },
  { seed: 9107, days: 2, invariant: 'I6', what: 'The same: the barrier that ends a lost entry waited for the next look of the minute.' },
  {
    seed: 7038,
    days: 3,
    protection: 'resting',
    invariant: 'I2',
    what: 'An entry in many parts used up the orders of the minute; a stop that was selling was cancelled, and its successor not sent.',
  },
  { seed: 10053, days: 3, invariant: 'I2', what: 'The same under guarded protection: no disaster stop for the rest of the minute.' },
  {
    seed: 10018,
    days: 3,
    invariant: 'I3',
    what: 'After a restart a stop that had begun to sell was moved away from its price, armed anew, and then waited for as if it were the sale.',
  },
  {
    seed: 1002881,
    days: 2,
    invariant: 'I7',
    what: 'After an older copy of the store a busted sale still counted as owed there: what came back was refused every sale until the close.',
  },
  { seed: 1014721, days: 2, invariant: 'I6', what: 'The same copy knew the order that had sold as working, and nobody told it otherwise.' },
  {
    seed: 3001203,
    days: 2,
    invariant: 'I12',
    what: 'A first answer left the operator’s shares out; the testament then left them out of the baseline, and the next one adopted and sold them.',
  },
  { seed: 1200110, days: 2, invariant: 'I2', what: 'Two sales in a row never arrived, and each was missed only after ten seconds.' },
  {
    seed: 4000325,
    days: 2,
    invariant: 'I2',
    what: 'A damaged page that the start of an exit manager met first: it waited for an answer, and the supervisor for its end, for two hours.',
  },
  {
    seed: 3006601,
    days: 2,
    invariant: 'I1',
    what: 'A target was not shrunk to what a sale by hand had left, because a refused stop had its next try in a minute.',
  },
  {
    seed: 4000640,
    days: 2,
    invariant: 'I3',
    what: 'The sale of a trade carried over a night was busted after a restart, which had not read its first day: adopted anew, at other levels.',
  },
  {
    seed: 4000269,
    days: 2,
    invariant: 'I3',
    what: 'One crazy mark, then the gateway restarted: nobody contradicted it for three seconds, and it was believed.',
  },
  {
    seed: 4000353,
    days: 2,
    invariant: 'I6',
    what: 'A commission overtook its execution, and nobody asked for it before the comparison of the minute.',
  },
  {
    seed: 1003521,
    days: 2,
    invariant: 'I6',
    what: 'After an older copy of the store nobody ended the trade whose entry had been taken back: its commission was not in the result.',
  },
  {
    seed: 1310044,
    days: 2,
    protection: 'resting',
    invariant: 'I3',
    what: 'A lost stop had been replaced under its own id; when its successor began to sell, that counted as the end of the group, and it was cancelled.',
  },
  {
    seed: 3002306,
    days: 2,
    invariant: 'I2',
    what: 'An answer asked for before its time kept the one that counts from being asked for: orders lost by the gateway were missed for a minute.',
  },
  {
    seed: 6100144,
    days: 2,
    invariant: 'I3',
    what: 'The simulated line told a crazy mark after the true one that followed it, because the exit manager had stood still meanwhile.',
  },
  {
    seed: 6100406,
    days: 2,
    invariant: 'I2',
    what: 'The successor of a hung exit manager hung in its start, before its first heartbeat, and is given ten seconds to that: a fifth of a second over the referee’s bound.',
  },
  {
    seed: 4000052,
    days: 2,
    invariant: 'I2',
    what: 'An exit withdrew the stop at once and could sell nothing for ten seconds, because the first answer told an empty account.',
  },
  {
    seed: 4000601,
    days: 2,
    invariant: 'I2',
    what: 'Four sales in a row never arrived; one that would have rested was missed only after ten seconds, and the referee counted the silences.',
  },
  {
    seed: 6000394,
    days: 2,
    invariant: 'I3',
    what: 'The start on a restored store that took no write yet knew no ended trade; a busted purchase left a short that was adopted anew, at other levels.',
  },
  {
    seed: 6000360,
    days: 2,
    invariant: 'I2',
    what: 'What was bought by hand before its position was adopted did not count at the wire: sold in part and added to, its exits could not grow.',
  },
  {
    seed: 6000262,
    days: 2,
    invariant: 'I2',
    what: 'A part of a stop was busted and the rest of it sold: the broker’s Filled was no end, and the part was missed until the look of the minute.',
  },
  {
    seed: 6100544,
    days: 2,
    invariant: 'I6',
    what: 'A successor whose clock was half a second behind its predecessor closed a trade while the store was locked; at the merge the end looked older than the row.',
  },
  {
    seed: 6100758,
    days: 2,
    invariant: 'I2',
    what: 'After a restored store ids of executions on record were used again; what was refused for it (104) counted at the wire for ever, and nothing could be sold.',
  },
  {
    seed: 6100953,
    days: 2,
    invariant: 'I3',
    what: 'Shares that had come back into a short were forgotten with its end at a restart: busted, it was a short again, and the cap refused the sale.',
  },
  {
    seed: 6101004,
    days: 2,
    invariant: 'I8',
    what: 'The day trader stood still in the very call that sent an entry, the kill switch came meanwhile: the referee counted the standstill as a late decision.',
  },
  {
    seed: 6101050,
    days: 2,
    invariant: 'I3',
    what: 'What the gateway said of the time while the guard stood still was not told: its clock jumped four seconds after a crazy mark, which was believed.',
  },
  {
    seed: 7336033,
    days: 2,
    invariant: 'I1',
    what: 'Five changes in a row of a target that had to shrink never arrived: for twenty seconds it could sell more than was held.',
  },
  {
    seed: 73,
    days: 1,
    invariant: 'I1',
    what: 'The gateway swallowed five purchases in a row that would have bought back what crossed a sale by hand; the referee did not know of them.',
  },
  {
    seed: 8200181,
    days: 2,
    invariant: 'I3',
    what: 'A stop that a partial answer left out was changed all the same: the cap at the wire counted its fills twice, and stopped every sale after it.',
  },
  {
    seed: 8400067,
    days: 2,
    invariant: 'I1',
    what: 'Three purchases that would have bought back what crossed a sale by hand were refused; the referee of overshoots knew no quarantine.',
  },
  {
    seed: 8100289,
    days: 2,
    invariant: 'I4',
    what: 'What an entry had bought was busted while both workers were dead: the day trader gave the position back as a claim and entered beside its exits.',
  },
  {
    seed: 9100136,
    days: 2,
    protection: 'guarded',
    ownership: 'own-only',
    invariant: 'I6',
    what: 'The tail of a burst began in the quiet phase and waited there for its moment: a kill in the last minute of what should have been quiet.',
  },
  {
    seed: 10_200_388,
    days: 2,
    protection: 'guarded',
    ownership: 'any-client',
    invariant: 'I6',
    what: 'An exit manager died between learning of two fills from rows and writing their sum: its successor left the position’s row as it was.',
  },
  {
    seed: 10_200_037,
    days: 2,
    protection: 'guarded',
    ownership: 'any-client',
    invariant: 'I1',
    what: 'After a sale by hand the target’s cancel left at once and took the gateway two seconds, in which it filled: the referee blamed the desk.',
  },
  {
    seed: 11_200_112,
    days: 2,
    protection: 'guarded',
    ownership: 'any-client',
    invariant: 'I3',
    what: 'The simulated line broke between a crazy mark and the true one after it, and went on with another crazy one: two marks agreed.',
  },
  {
    seed: 11_500_557,
    days: 2,
    protection: 'resting',
    ownership: 'own-only',
    invariant: 'I2',
    what: 'After a hang, the first answer’s position lagged behind its executions, and the broker was asked again only after ten seconds.',
  },
  {
    seed: 12_200_646,
    days: 2,
    protection: 'guarded',
    ownership: 'own-only',
    invariant: 'I1',
    what: 'The store was lost and its disk failed: the target’s fill was heard before the answer that told of the entry, and its shares were sold again.',
  },
  {
    seed: 13_000_511,
    days: 1,
    focused: true,
    invariant: 'I2',
    what: 'Everything was killed while the disk was full: the supervisor waited for its lease, and started no exit manager.',
  },
  {
    seed: 12_300_422,
    days: 2,
    protection: 'guarded',
    ownership: 'any-client',
    invariant: 'I2',
    what: 'After eight refusals in a row a disaster stop was asked for once a minute only; then a sale vanished, and the exit manager hung.',
  },
  {
    seed: 14_600_497,
    days: 2,
    protection: 'resting',
    ownership: 'any-client',
    invariant: 'I1',
    what: 'The simulation let a person sell by hand while orders still vanished for an aimed fault: the stop that was to shrink sold all.',
  },
  {
    seed: 1_795_197_419_656,
    days: 1,
    invariant: 'I2',
    what: 'A whole sale whose last word was missed was taken back: the cap at the wire took its order for working still, and refused new exits.',
  },
  {
    seed: 16_000_897,
    days: 1,
    focused: true,
    invariant: 'I2',
    what: 'A sale by hand had filled in part, and a new answer told its whole size: what it had sold already was left unprotected beside it.',
  },
  {
    seed: 16_001_716,
    days: 1,
    focused: true,
    invariant: 'I6',
    what: 'After a loss of the store the exit manager merged a lost entry and its claim; the day trader had read the copy before, and never heard of them.',
  },
];
