/** Watch requests: which changes a watcher receives, and in which format. */

/** `json`: each message is a JSON array of events. `sse`: each message is a part of a stream of Server-Sent Events. */
export type WatchFormat = "json" | "sse";

/** The part of a bucket that a watcher sees. */
export interface View {
  readonly format: WatchFormat;
  /** `prefix`: keys that begin with `text`. `key`: only the key `text`. */
  readonly scope: "prefix" | "key";
  readonly text: string;
  /** Whether changes include values. */
  readonly values: boolean;
}

/** A request to watch a bucket. */
export interface WatchRequest {
  readonly view: View;
  /** Starts after this revision, which must be of this incarnation if one is given. If left out, starts now. */
  readonly since?: { readonly revision: number; readonly incarnation?: string | undefined } | undefined;
  /** Whether the watch starts with all existing entries. */
  readonly snapshot: boolean;
}
