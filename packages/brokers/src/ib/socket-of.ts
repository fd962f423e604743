import { Socket } from 'node:net';
import type { IBApi } from '@stoqey/ib/dist/api/api.js';

const inside = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

/**
 * The library's TCP socket, which it keeps private (api → controller → socket → client). Undefined when another version of it keeps it elsewhere:
 * everything works without, only slower or less guarded.
 */
export function socketOf(api: IBApi): Socket | undefined {
  const client = inside(inside(inside(api, 'controller'), 'socket'), 'client');
  return client instanceof Socket ? client : undefined;
}

const FRAME_HEADER_BYTES = 4;
/** The library's own bound for one message. */
const FRAME_BYTES_MAX = 0xff_ff_ff;
const isPossible = (length: number): boolean => length >= 1 && length <= FRAME_BYTES_MAX;

/** Follows the frame boundaries of a byte stream without decoding it. */
export class FrameBounds {
  #header: Buffer = Buffer.alloc(0);
  #left = 0;

  /** False when the bytes name an impossible length: from there on nothing in the stream can be trusted. */
  follow(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      if (this.#header.length === 0 && bytes.length - at >= FRAME_HEADER_BYTES) {
        this.#left = bytes.readInt32BE(at);
        at += FRAME_HEADER_BYTES;
        if (!isPossible(this.#left)) return false;
        continue;
      }
      const missing = FRAME_HEADER_BYTES - this.#header.length;
      this.#header = Buffer.concat([this.#header, bytes.subarray(at, at + missing)]);
      at += missing;
      if (this.#header.length < FRAME_HEADER_BYTES) return true;
      this.#left = this.#header.readInt32BE(0);
      this.#header = Buffer.alloc(0);
      if (!isPossible(this.#left)) return false;
    }
    return true;
  }
}

/**
 * Stands between the socket and the library's decoder, for two things the library can't survive: a negative frame length turns its read loop
 * endless, and malformed JSON in an order's reject (and any other throw while decoding) would end the process. `broken` is called instead,
 * once; what came before is decoded, the rest of the stream is not. Since a message may be lost then, the owner must reconnect and
 * ask again. Returns whether the guard is in place.
 */
export function guardSocket(socket: Socket, broken: (why: string) => void): boolean {
  const decoders = socket.listeners('data');
  const decode = decoders[0];
  if (decoders.length !== 1 || !decode) return false;
  const bounds = new FrameBounds();
  let trusted = true;
  const giveUp = (why: string) => {
    trusted = false;
    broken(why);
  };
  socket.removeAllListeners('data');
  socket.on('data', (bytes: Buffer) => {
    if (!trusted) return;
    if (!bounds.follow(bytes)) return giveUp('a message of impossible length: this is no TWS stream');
    try {
      decode.call(socket, bytes);
    } catch (error) {
      giveUp(`a message could not be decoded: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  return true;
}
