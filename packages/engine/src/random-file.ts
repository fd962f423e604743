/**
 * A file whose space is reserved beforehand, so that writing it needs no room on the disk. Failures are values: its users are the
 * ones that must go on when the disk does not. Filled in by live.ts, and by memory in a simulation.
 */
export interface RandomFile {
  /** Reserved bytes. */
  readonly size: number;
  write(offset: number, text: string): { ok: true } | { ok: false; detail: string };
  /** Everything written so far is on the disk afterwards (fsync). */
  sync(): { ok: true } | { ok: false; detail: string };
  /** The whole content; never-written bytes are NUL, and those behind the last written one may be left out. */
  read(): string;
  close(): void;
}

/** A `RandomFile` that lives in memory: simulations and tests. */
export function createMemoryFile(size: number): RandomFile {
  const bytes = Buffer.alloc(size);
  let written = 0;
  return {
    size,
    write(offset, text) {
      const data = Buffer.from(text);
      if (offset + data.length > size) return { ok: false, detail: `no room: ${offset + data.length} of ${size} bytes` };
      data.copy(bytes, offset);
      written = Math.max(written, offset + data.length);
      return { ok: true };
    },
    sync: () => ({ ok: true }),
    read: () => bytes.toString('utf8', 0, written),
    close: () => undefined,
  };
}
