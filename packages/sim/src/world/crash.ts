/**
 * kill −9 in the middle of a call. Thrown by a hook between two effects, it unwinds the process's own stack; nothing may catch it and go on
 * acting: every door of a dead process throws it again.
 */
export class Crash extends Error {
  constructor(readonly where: string) {
    super(`killed ${where}`);
  }
}
