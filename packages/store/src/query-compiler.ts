import { type LimitNode, SqliteQueryCompiler, type WhereNode } from 'kysely';

/** Stands for a parameter while a statement is being built. */
export class Slot {
  constructor(readonly key: string) {}
}

/**
 * Writes queries whose plan depends on no parameter. SQLite marks a statement where a parameter's value might make another plan better
 * (a bare `limit ?`, `status = ?` beside an `order by`) and compiles it anew after every new binding; the driver clears all bindings
 * before every call, so such a statement is compiled at each call, which costs ten times what most of ours cost to run.
 * So in `where` and `limit` a value that is known is written out, and a parameter stands inside `likely()`: SQLite's own no-op, which
 * leaves an index usable and has the planner not look at the value. Anywhere else both are parameters.
 */
export class SamePlanCompiler extends SqliteQueryCompiler {
  #isPlanned = false;

  protected override visitWhere(node: WhereNode): void {
    this.#planned(() => super.visitWhere(node));
  }

  protected override visitLimit(node: LimitNode): void {
    this.#planned(() => super.visitLimit(node));
  }

  protected override appendValue(value: unknown): void {
    if (!this.#isPlanned) super.appendValue(value);
    else if (value instanceof Slot) {
      this.append('likely(');
      super.appendValue(value);
      this.append(')');
    } else this.appendImmediateValue(value);
  }

  /** A `select` inside a `where` is planned as well. */
  #planned(visit: () => void): void {
    const before = this.#isPlanned;
    this.#isPlanned = true;
    visit();
    this.#isPlanned = before;
  }
}
