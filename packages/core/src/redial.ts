const FIRST_MS = 100;
const MS_MAX = 5_000;
const IN_USE_MS_MAX = 1_000;

/** The gateway's code for a login under a client id that another connection has (reference/ibkr-behaviour.md §2). */
export const CLIENT_ID_IN_USE = 326;

/**
 * How long to wait before the gateway is dialled again, in milliseconds of machine time, after so many failures in a row (0 when a connection that
 * stood was lost): doubled each time, up to 5 s, for ever. Never above a second where it answers that our client id is in use: it is there, the id
 * frees itself as soon as it notices that our old socket is dead, and until we are back nobody watches what is held (I2).
 */
export const redialWaitMs = (failures: number, code: number | null): number =>
  Math.min(code === CLIENT_ID_IN_USE ? IN_USE_MS_MAX : MS_MAX, FIRST_MS * 2 ** failures);
