/** The published shape of an error, over every protocol and every binding. Types only. */

/** What an error says. */
export interface FailureJson {
  /** Stable: decide by this. */
  readonly code: string;
  /** What went wrong, and what to do about it. For people; it may change. */
  readonly detail: string;
}
