/** A program that people would use instead of this service. */

export interface Peer {
  readonly name: string;
  /** How it keeps data, in a line for the report. */
  readonly settings: string;
  /** What to do if it is not installed. */
  readonly install: string;
  /** Its version; undefined if it is not installed. */
  version(): Promise<string | undefined>;
}
