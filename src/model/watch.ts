/** What a watcher asks for. */

/** `json`: each message is a JSON array of events. `sse`: each is a piece of a stream of Server-Sent Events. */
export type WatchFormat = "json" | "sse";

export interface View {
  readonly format: WatchFormat;
  /** Keys that begin with `text`; or the one key that is `text`. */
  readonly scope: "prefix" | "key";
  readonly text: string;
  /** Whether values come with changes. */
  readonly values: boolean;
}

export interface WatchRequest {
  readonly view: View;
  /** Begin behind this revision, of this incarnation if it is given; from now on if left out. */
  readonly since?: { readonly revision: number; readonly incarnation?: string | undefined } | undefined;
  /** Begin with all entries that are there. */
  readonly snapshot: boolean;
}
