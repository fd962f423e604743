import type { Mutant } from './mutant.js';

const EXITS = 'packages/core/dist/exits';
const ENTRIES = 'packages/core/dist/entries';
const STORE = 'packages/store/dist';
const ENGINE = 'packages/engine/dist';
const SUPERVISION = 'packages/core/dist/supervision';

/** Rules about the books, who may act, what may come in, and the store. */
export const DESK_MUTANTS: readonly Mutant[] = [
  // ---- executions ----
  {
    name: 'execution-counted-twice',
    rule: 'An execution counts once, however often it is told.',
    caughtBy: ['I6', 'I7', 'I3', 'I1', 'I2'],
    breaks: [
      {
        file: `${EXITS}/learn.js`,
        find: 'const { root, revision } = splitExecId(told.execId);\n    const known',
        replace:
          "const { root: own, revision } = splitExecId(told.execId);\n    const root = d.s.executions.has(own) && !d.s.executions.has(own + '+') && told.shares > 0 ? own + '+' : own;\n    const known",
      },
    ],
  },
  {
    name: 'correction-added',
    rule: 'A corrected execution replaces the earlier one.',
    caughtBy: ['I6', 'I1', 'I2', 'I3'],
    breaks: [
      {
        file: `${EXITS}/learn.js`,
        find: 'const { root, revision } = splitExecId(told.execId);\n    const known',
        replace: 'const { root, revision } = { root: told.execId, revision: 0 };\n    const known',
      },
    ],
  },
  {
    name: 'bust-ignored',
    rule: 'A busted execution never happened.',
    caughtBy: ['I6', 'I1', 'I2', 'I3'],
    breaks: [
      {
        file: `${EXITS}/learn.js`,
        find: 'const { root, revision } = splitExecId(told.execId);\n    const known',
        replace: 'if (told.shares === 0) return;\n    const { root, revision } = splitExecId(told.execId);\n    const known',
      },
    ],
  },
  // ---- leases and supervision ----
  {
    name: 'predecessor-lives-on',
    rule: 'A successor starts once the old process is gone, and nothing is committed or sent under a lease that has passed on.',
    caughtBy: ['I10', 'I11'],
    breaks: [
      // The supervisor kills before it starts another one, the lease is not given away while its holder lives, and every commit asks for it.
      {
        file: `${SUPERVISION}/rounds.js`,
        find: "watch: { ...watch, status: { is: 'killed', pid, askedAt: now, why } },",
        replace: "watch: { ...watch, status: { is: 'due', at: now, mode: 'normal' } },",
      },
      {
        file: `${SUPERVISION}/rounds.js`,
        find: "            { do: 'signal', worker: watch.worker, pid, signal: 'SIGKILL' },\n            { do: 'record', worker: watch.worker, what: 'hung'",
        replace: "            { do: 'record', worker: watch.worker, what: 'hung'",
      },
      {
        file: `${STORE}/leases.js`,
        find: 'if (holder && !isSame(holder, request) && !holderIsGone(holder))',
        replace: "if (name === 'supervisor' && holder && !isSame(holder, request) && !holderIsGone(holder))",
      },
      { file: `${STORE}/commit.js`, find: 'if (!holdsLease(db, step.lease))', replace: 'if (false)' },
      { file: `${STORE}/claims.js`, find: 'if (!holdsLease(db, lease))', replace: 'if (false)' },
      { file: `${ENGINE}/perform.js`, find: 'if (books.isLeaseLost())', replace: 'if (false)' },
    ],
  },
  {
    name: 'second-supervisor-works',
    rule: 'A second supervisor refuses to start.',
    caughtBy: ['I10'],
    breaks: [
      {
        file: `${STORE}/leases.js`,
        find: 'if (holder && !isSame(holder, request) && !holderIsGone(holder))',
        replace: "if (name !== 'supervisor' && holder && !isSame(holder, request) && !holderIsGone(holder))",
      },
    ],
  },
  {
    name: 'hang-not-noticed',
    rule: 'A heartbeat that stands still for 5 s ends in SIGKILL and a restart.',
    caughtBy: ['I2', 'I11'],
    breaks: [
      {
        file: `${SUPERVISION}/watch.js`,
        find: 'return still >= (pulse.counter === null ? policy.firstBeatMsMax : policy.stillMsMax) ? still : null;',
        replace: 'return null;',
      },
    ],
  },
  {
    name: 'dead-guard-stays-dead',
    rule: 'The exit manager is started again at once, for ever.',
    caughtBy: ['I2', 'I3', 'I11'],
    breaks: [
      {
        file: `${SUPERVISION}/restart.js`,
        find: "const status = { is: 'due', at: now, mode };",
        replace: "const status = { is: 'stopped' };",
      },
    ],
  },
  // ---- entries ----
  {
    name: 'block-not-written',
    rule: 'The transaction that ends a position blocks its symbol for the date.',
    caughtBy: ['I4', 'I5'],
    breaks: [
      { file: `${STORE}/trades.js`, find: 'blockReentry(db, trade, percent);', replace: '' },
      // The day trader remembers its own entries of the day besides.
      { file: `${ENTRIES}/active.js`, find: 'order.filled > 0 && isClosedToday(s, symbol);', replace: 'order.filled > 0;' },
    ],
  },
  {
    name: 'block-not-read',
    rule: 'A symbol closed today is not entered again today.',
    caughtBy: ['I4', 'I5'],
    breaks: [
      { file: `${ENTRIES}/gate.js`, find: 'if (closedFor !== null)', replace: 'if (false)' },
      { file: `${STORE}/claims.js`, find: 'if (closedFor !== null)', replace: 'if (false)' },
    ],
  },
  {
    name: 'baseline-entered',
    rule: 'What the account held before is hands off: no entry there.',
    caughtBy: ['I4', 'I12'],
    breaks: [
      { file: `${ENTRIES}/gate.js`, find: 'if (held)', replace: 'if (false)' },
      { file: `${STORE}/claims.js`, find: 'if (baseline)', replace: 'if (false)' },
    ],
  },
  {
    name: 'baseline-forgotten',
    rule: 'What the account held before is never sold.',
    caughtBy: ['I1', 'I12'],
    breaks: [{ file: 'packages/core/dist/reconcile/meet.js', find: 'const holdings = told.positions', replace: 'const holdings = []' }],
  },
  {
    name: 'intent-sent-again',
    rule: 'An INTENT without an answer is asked about, never sent again.',
    caughtBy: ['I5', 'I4'],
    breaks: [
      {
        file: 'packages/core/dist/day-trader.js',
        find: 'reconcile(d, `session',
        replace: `for (const tracked of d.s.entries.values()) if (tracked.order.status === 'INTENT' && d.at < (tracked.order.goodTill ?? d.at + 1)) {
            const order = { ...tracked.order, orderId: d.s.nextOrderId };
            update(d, { nextOrderId: order.orderId + 1 });
            d.effects.push({ do: 'place', order, decidedAt: d.mono });
        }
        reconcile(d, \`session`,
      },
      // A process that has just begun has heard no price, and the cap lets nothing out without one.
      {
        file: `${ENGINE}/wire-cap.js`,
        find: "if (last === undefined)\n            return refuse('WIRE_CAP_NO_MARK'",
        replace: "if (false)\n            return refuse('WIRE_CAP_NO_MARK'",
      },
    ],
  },
  {
    name: 'claim-released-too-early',
    rule: 'A claim is given back by the broker’s last word about its entry, not while that works.',
    caughtBy: ['I4', 'I5', 'I9'],
    breaks: [
      {
        file: `${ENTRIES}/withdraw.js`,
        find: 'if (isReleased || !isFinal(order) ||',
        replace: "if (isReleased || order.status === 'INTENT' ||",
      },
      // The store looks at the order's row, and the day trader counts its own entries as long as they work.
      { file: `${STORE}/trades.js`, find: 'if (living)', replace: 'if (false)' },
      { file: `${ENTRIES}/active.js`, find: '(isReleased && isFinal(order) && order.filled === 0) ||', replace: 'isReleased ||' },
    ],
  },
  {
    name: 'kill-switch-ignored',
    rule: 'No entry is committed after the kill switch, and working ones are withdrawn.',
    caughtBy: ['I8'],
    breaks: [
      { file: `${ENTRIES}/gate.js`, find: 'if (killSwitch.on)', replace: 'if (false)' },
      { file: `${ENTRIES}/gate.js`, find: 'if (s.isHalted)', replace: 'if (false)' },
      { file: `${STORE}/claims.js`, find: 'if (killSwitch.on)', replace: 'if (false)' },
    ],
  },
  {
    name: 'too-many-positions',
    rule: 'Positions and claims together are at most `maxPositions`.',
    caughtBy: ['I9'],
    breaks: [{ file: `${ENTRIES}/gate.js`, find: 'if (active.size >= s.rules.maxPositions)', replace: 'if (false)' }],
  },
  {
    name: 'three-times-the-size',
    rule: 'An entry costs at most its share of the equity.',
    caughtBy: ['I9'],
    breaks: [{ file: 'packages/core/dist/risk/sizing.js', find: 'equity * allocation', replace: 'equity * allocation * 3' }],
  },
  {
    name: 'entries-without-an-end',
    rule: 'Entries die by themselves at the broker: resting ones carry their time to live.',
    caughtBy: ['I8'],
    breaks: [
      { file: `${ENTRIES}/enter.js`, find: "tif: rests ? 'GTD' : 'IOC',", replace: "tif: rests ? 'DAY' : 'IOC'," },
      { file: `${ENTRIES}/enter.js`, find: 'goodTill: rests ? goodTill(d.s, d.at) : null,', replace: 'goodTill: null,' },
    ],
  },
  {
    name: 'entry-without-guard',
    // A signal has to come in the few seconds a day in which no exit manager is able to guard.
    days: 4,
    rule: 'No guard, no entry.',
    caughtBy: ['I2'],
    breaks: [
      { file: `${ENTRIES}/gate.js`, find: "if (!guard.alive || guard.phase !== 'READY')", replace: 'if (false)' },
      { file: `${STORE}/claims.js`, find: "if (!guard?.holder || guard.phase !== 'READY')", replace: 'if (false)' },
    ],
  },
];
