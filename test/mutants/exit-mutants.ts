import type { Break, Mutant } from './mutant.js';

const EXITS = 'packages/core/dist/exits';
const STORE = 'packages/store/dist';
const ENGINE = 'packages/engine/dist';

/**
 * How many shares may leave is asked three times: by the brain, by the store in the intent's own transaction, and by the cap at the wire. A break
 * of one is stopped by the next, as it should be; to see that the referees would notice, the other two look away.
 */
const NO_SECOND_OPINION: Break = {
  file: `${STORE}/sellable.js`,
  find: 'if (reduces && working.withOrder <= holding)',
  replace: 'if (true)',
};
const NO_CAP: Break = {
  file: `${ENGINE}/wire-cap.js`,
  find: 'if (exposed > acquired && exposed > exposedBefore) {',
  replace: 'if (false) {',
};
const ALONE: readonly Break[] = [NO_SECOND_OPINION, NO_CAP];

/** Rules about what leaves: how many shares, when, after which word, and what is believed of the broker's answers. */
export const EXIT_MUTANTS: readonly Mutant[] = [
  // ---- exits: how many, and after which word ----
  {
    name: 'cancel-not-confirmed',
    rule: 'What rests is gone by the broker’s word alone; only then is the position sold.',
    caughtBy: ['I1'],
    breaks: [
      {
        file: `${EXITS}/place.js`,
        find: "stepOrder(tracked.order, 'cancelAsked', why);",
        replace: "stepOrder(stepOrder(tracked.order, 'cancelAsked', why).order, 'cancelled');",
      },
      ...ALONE,
    ],
  },
  {
    name: 'working-exits-not-counted',
    rule: 'What works already, or is in doubt, may not be sold again.',
    caughtBy: ['I1'],
    breaks: [{ file: `${EXITS}/sellable.js`, find: 'available - committedShares(working) -', replace: 'available -' }, ...ALONE],
  },
  {
    name: 'sells-what-was-held',
    rule: 'An exit sells what is left, not what was held when it was decided.',
    caughtBy: ['I1'],
    breaks: [
      {
        file: `${EXITS}/sell.js`,
        find: 'const quantity = sellableShares(d.s, current, { mono: d.mono, without: lost.map(({ order }) => order.orderRef) });',
        replace:
          "const quantity = Math.abs([...d.s.executions.values()].reduce((sum, one) => sum + (one.tradeId === care.tradeId && (one.side === 'BUY') === (care.side > 0) ? one.shares : 0), Math.abs(care.base)));",
      },
      ...ALONE,
    ],
  },
  {
    name: 'broker-position-ignored',
    rule: 'A lower figure of the broker limits at once what may be sold: a person may have sold by hand.',
    caughtBy: ['I1', 'I3', 'I6'],
    breaks: [
      {
        file: `${EXITS}/sellable.js`,
        find: 'const limit = isUnlimited ? null : brokerLimit(s, care, held, mono);',
        replace: 'const limit = null;',
      },
      // An unexplained position makes it ask for executions, which would tell the same a moment later.
      { file: `${EXITS}/steer.js`, find: '    compareHolding(d, conId);\n', replace: '' },
    ],
  },
  {
    name: 'resting-exits-without-group',
    rule: 'Target and stop of one position share one OCA group, or both fill.',
    caughtBy: ['I1'],
    breaks: [
      { file: `${EXITS}/place.js`, find: 'spec.inPlaceOf.order.ocaGroup : (spec.ocaGroup ?? null)', replace: 'null : null' },
      ...ALONE,
    ],
  },
  {
    name: 'group-counted-per-member',
    rule: 'An OCA group counts once, by its largest member.',
    caughtBy: ['I2', 'I3'],
    breaks: [
      { file: `${STORE}/sellable.js`, find: 'const key = exit.oca_group ?? exit.order_ref;', replace: 'const key = exit.order_ref;' },
      { file: `${STORE}/sellable.js`, find: 'const key = order.ocaGroup ?? order.orderRef;', replace: 'const key = order.orderRef;' },
    ],
  },
  {
    name: 'unprotected-while-the-entry-works',
    rule: 'A partly filled entry is protected at once, not when its order ends.',
    caughtBy: ['I2'],
    breaks: [
      {
        file: `${EXITS}/steer.js`,
        find: 'protect(d, decided, held);',
        replace:
          "if (![...d.s.entries.values()].some(order => order.tradeId === decided.tradeId && order.filled < order.quantity && order.status === 'SUBMITTED')) protect(d, decided, held);",
      },
    ],
  },
  {
    name: 'overshoot-kept',
    rule: 'What our own sale crossed into is bought back at once.',
    caughtBy: ['I1', 'I2', 'I3'],
    breaks: [{ file: `${EXITS}/decide-exit.js`, find: 'if (isOvershot(d.s, care, held))', replace: 'if (false)' }],
  },
  // ---- exits: when ----
  {
    name: 'stop-never-compared',
    rule: 'A mark beyond the stop lets the position go.',
    caughtBy: ['I3'],
    breaks: [{ file: `${EXITS}/decide-exit.js`, find: "if (step.verdict !== 'confirmed')", replace: 'if (true)' }],
  },
  {
    name: 'one-crazy-mark-sells',
    rule: 'A breach needs a second mark, or a second source, or three seconds.',
    caughtBy: ['I3'],
    breaks: [
      {
        file: 'packages/core/dist/market/mark.js',
        find: 'if (isNext && areNear(began.price, judged.price, rules))',
        replace: 'if (true)',
      },
    ],
  },
  {
    name: 'delayed-data-trusted',
    rule: 'Delayed data never judges a stop.',
    caughtBy: ['I3'],
    // What is heard counts as heard now, though it is a quarter of an hour old.
    breaks: [
      {
        file: 'packages/core/dist/exit-manager.js',
        find: 'const { book, moved } = recordMark(sight.book, { source, price, receivedAt: d.at });',
        replace: `const heard = [...(sight.heard ?? []).filter(one => d.at - one.at < 1_000_000), { price, at: d.at }];
    const late = heard.findLast(one => d.at - one.at >= 900_000) ?? heard[0];
    const { book, moved } = recordMark(sight.book, { source, price: late.price, receivedAt: d.at });`,
      },
      {
        file: 'packages/core/dist/exit-manager.js',
        find: "edit(d, 'sights').set(conId, { ...sight, book });",
        replace: "edit(d, 'sights').set(conId, { ...sight, book, heard });",
      },
    ],
  },
  {
    name: 'stale-marks-believed',
    rule: 'A mark that cannot be shown to be live makes the stop rest at its real level.',
    caughtBy: ['I2'],
    breaks: [
      {
        file: `${EXITS}/decide-exit.js`,
        find: "const isBlind = step.verdict === 'blind' || bestMark(sight.book, clock)?.isLive !== true;",
        replace: 'const isBlind = false;',
      },
    ],
  },
  {
    name: 'short-judged-as-long',
    rule: 'A short is a long in the mirror: its stop lies above.',
    caughtBy: ['I3'],
    breaks: [
      {
        file: `${EXITS}/decide-exit.js`,
        find: "side: care.side > 0 ? 'long' : 'short'",
        replace: "side: 'long'",
      },
    ],
  },
  {
    name: 'short-levels-as-long',
    rule: 'A short is a long in the mirror: its target lies below.',
    caughtBy: ['I3'],
    breaks: [{ file: `${EXITS}/care.js`, find: 'bps(ratio * side)', replace: 'bps(ratio)' }],
  },
  {
    name: 'end-of-day-ignored',
    rule: 'Intraday positions are flat by the end-of-day time.',
    caughtBy: ['I7'],
    breaks: [
      {
        file: `${EXITS}/decide-exit.js`,
        find: 'if (session.isTradingDay && d.at >= flatBy && d.at < session.close)',
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'nothing-carried',
    rule: 'What could not be sold by the close is carried under a GTC stop.',
    caughtBy: ['I7'],
    breaks: [{ file: `${EXITS}/steer.js`, find: 'if (isCarried(d, decided)) {', replace: 'if (false) {' }],
  },
  {
    name: 'no-disaster-stop',
    rule: 'In `guarded` a disaster stop rests, for the time in which every process is dead.',
    caughtBy: ['I2'],
    breaks: [
      {
        file: `${EXITS}/protect.js`,
        find: "if (d.s.rules.protection === 'monitored' && !stopIsReal)",
        replace: "if (d.s.rules.protection !== 'resting' && !stopIsReal)",
      },
    ],
  },
  // ---- reconcile ----
  {
    name: 'no-barrier',
    rule: 'After a connect nothing is sent before open orders, executions and positions have been heard.',
    caughtBy: ['I1', 'I3', 'I4', 'I6', 'I12'],
    breaks: [
      {
        file: 'packages/core/dist/exit-manager.js',
        find: "updateLink(d, { phase: 'RECONCILING' });",
        replace: "updateLink(d, { phase: d.s.baseline === null ? 'RECONCILING' : 'READY' });",
      },
      {
        file: 'packages/core/dist/exit-manager.js',
        find: "phase: 'RECONCILING', detail: `session",
        replace: 'phase: d.s.link.phase, detail: `session',
      },
      {
        file: 'packages/core/dist/exit-manager.js',
        find: '` });\n    askSnapshot(d, true);\n}\nfunction lost',
        replace: '` });\n    if (d.s.baseline === null) askSnapshot(d, true);\n}\nfunction lost',
      },
      ...ALONE,
    ],
  },
  {
    name: 'absent-means-gone',
    rule: 'Silence is never an answer: an order that one answer leaves out still counts.',
    caughtBy: ['I1'],
    breaks: [
      {
        file: 'packages/core/dist/reconcile/settle.js',
        find: "step(d, { ...tracked, missingSince: null, cancelAskedAt: null }, 'missing', null);",
        replace: "step(d, { ...tracked, missingSince: null, cancelAskedAt: null }, 'cancelled', null);",
      },
      { file: 'packages/core/dist/reconcile/settle.js', find: 'if (waitsForSecondAnswer(d, tracked)) {', replace: 'if (false) {' },
      ...ALONE,
    ],
  },
  {
    name: 'trades-by-hand-not-seen',
    rule: 'A position that no known execution explains is asked about and adopted.',
    caughtBy: ['I1', 'I2', 'I3', 'I6', 'I7'],
    breaks: [
      { file: `${EXITS}/adopt.js`, find: "if (!holding || d.s.baseline === null || d.s.link.phase !== 'READY')", replace: 'if (true)' },
    ],
  },
];
