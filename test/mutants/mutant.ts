/** One deliberate break of one safety rule, made in the loaded text of the built program. */
export interface Mutant {
  readonly name: string;
  /** The rule that is broken, as it should hold. */
  readonly rule: string;
  /** Which invariants may say so first. */
  readonly caughtBy: readonly string[];
  readonly breaks: readonly Break[];
  /** Trading days a seed runs; one unless what is broken is seldom asked for. */
  readonly days?: number;
}

export interface Break {
  /** Built file, from the root of the repository. */
  readonly file: string;
  /** Stands in it exactly once. */
  readonly find: string;
  readonly replace: string;
}
