/** Bugs that the server can be built with, each of which the torture has to catch. */

export const BROKEN = [
  /** Of two gets at once, each gets the other's answer. */
  "mixed answers",
  /** A put is acknowledged before it is written. */
  "early ack",
  /** A bucket that was stopped is found again. */
  "stale id",
  /** The end of a bucket is not in the log. */
  "forgotten DOWN",
  /** A watcher is not sent some of the changes. */
  "lost change",
] as const;

export type Broken = (typeof BROKEN)[number];
