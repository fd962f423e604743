/**
 * Bytes of the TWS protocol: a frame is a 4-byte big-endian length and a payload, a payload is fields that each end in NUL.
 * A frame may arrive in any number of segments and a segment may hold many frames.
 */

/** Requests are small; the longest real one (an order with many conditions) is a few kilobytes. Anything above is garbage. */
const FRAME_BYTES_MAX = 1024 * 1024;
const GREETING = Buffer.from('API\0', 'latin1');
/** The hello's version range with options is far below this. */
const HELLO_BYTES_MAX = 512;

export type Field = string | number | boolean;

/** How an unset number travels: the largest 32-bit integer and the largest double, spelled as the real gateway spells them. */
export const UNSET_INTEGER = '2147483647';
export const UNSET_DOUBLE = '1.7976931348623157E308';
export const UNSET_LONG = '9223372036854775807';

export type FrameReading =
  | { readonly kind: 'hello'; readonly minVersion: number; readonly maxVersion: number }
  | { readonly kind: 'message'; readonly fields: readonly string[] }
  | { readonly kind: 'garbage'; readonly detail: string };

/** Non-ASCII text is escaped as `\uXXXX`, which is how server versions from 153 on keep texts to seven bits. */
const ascii = (text: string): string => text.replace(/[^\n\x20-\x7e]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

const spell = (field: Field): string => {
  if (typeof field === 'boolean') return field ? '1' : '0';
  return typeof field === 'number' ? String(field) : ascii(field);
};

/** One frame, every field terminated, the last one too: a client glues the next frame's first field on otherwise. */
export function encodeFrame(fields: readonly Field[]): Buffer {
  let text = '';
  for (const field of fields) text += `${spell(field)}\0`;
  const frame = Buffer.allocUnsafe(4 + text.length);
  frame.writeUInt32BE(text.length, 0);
  frame.write(text, 4, 'latin1');
  return frame;
}

function parseHello(payload: string): FrameReading {
  const range = /^v(\d{2,4})(?:\.\.(\d{2,4}))?(?:\s.*)?$/.exec(payload.replace(/\0+$/, ''));
  const low = Number(range?.[1]);
  if (!range || Number.isNaN(low))
    return { kind: 'garbage', detail: `the hello names no version range: ${JSON.stringify(payload.slice(0, 40))}` };
  return { kind: 'hello', minVersion: low, maxVersion: Number(range[2] ?? low) };
}

/**
 * Turns a socket's bytes into readings. After one `garbage` reading the stream has no known boundaries any more:
 * the owner closes that socket and feeds nothing further.
 */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);
  #greeted = false;

  feed(bytes: Buffer): FrameReading[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const readings: FrameReading[] = [];
    for (let reading = this.#next(); reading !== undefined; reading = this.#next()) {
      readings.push(reading);
      if (reading.kind === 'garbage') break;
    }
    return readings;
  }

  #next(): FrameReading | undefined {
    const start = this.#greeted ? 0 : GREETING.length;
    if (!this.#greeted) {
      const seen = this.#pending.subarray(0, GREETING.length);
      if (!GREETING.subarray(0, seen.length).equals(seen)) return { kind: 'garbage', detail: 'the stream does not begin with "API"' };
    }
    if (this.#pending.length < start + 4) return undefined;
    const length = this.#pending.readUInt32BE(start);
    const limit = this.#greeted ? FRAME_BYTES_MAX : HELLO_BYTES_MAX;
    if (length === 0 || length > limit) return { kind: 'garbage', detail: `a frame of ${length} bytes (1 to ${limit} are possible)` };
    if (this.#pending.length < start + 4 + length) return undefined;
    const payload = this.#pending.toString('utf8', start + 4, start + 4 + length);
    this.#pending = this.#pending.subarray(start + 4 + length);
    if (!this.#greeted) {
      this.#greeted = true;
      return parseHello(payload);
    }
    if (!payload.endsWith('\0')) return { kind: 'garbage', detail: 'a message whose last field does not end' };
    return { kind: 'message', fields: payload.slice(0, -1).split('\0') };
  }
}
