/** A reason not to serve that the person at the terminal can do something about. */

/** Shown as one line, without a stack; the exit code is 1. */
export class Stop extends Error {
  override readonly name = "Stop";
}
