/**
 * Waits until `probe` gives something (not undefined, null or false), asking every 20 ms of machine time. Fails with what was awaited, for
 * how long, and what the last look or error said: a timed-out test must tell its story.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  { withinMs = 20_000, lastSeen }: { readonly withinMs?: number; readonly lastSeen?: () => string } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const until = performance.now() + withinMs;
  let trouble = '';
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>;
      trouble = '';
    } catch (error) {
      trouble = ` (last error: ${error instanceof Error ? error.message : String(error)})`;
    }
    if (performance.now() > until) throw new Error(`waited ${withinMs} ms for ${what}${trouble}${lastSeen ? `\n${lastSeen()}` : ''}`);
    await pause(20);
  }
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
