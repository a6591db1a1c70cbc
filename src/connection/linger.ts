/** Keeps reading after the last reply: closing a socket with unread data resets it, and that can overtake the reply. */

import { breath } from "../lib/breath.ts";
import { soon } from "../lib/soon.ts";

/** Limits for bytes that are read and dropped: from an authorized client, and from a stranger. */
const MAX_BYTES = 16 * 1_048_576;
const MAX_BYTES_OF_STRANGER = 1_048_576;
/** Stop reading after this time, in milliseconds; it includes waiting for a place. */
const MAX_MS = 10_000;
/** Connections that linger at once. In a flood of connections, reading them all would keep others waiting. */
const MAX_AT_ONCE = 16;
/** The cost of one read: see {@link breath}. */
const READ_UNITS = 8;

/** Reads the next bytes of a connection. */
export type ReadNext = () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;

export interface LingerOptions {
  /** Whether the client has not sent a valid token. */
  readonly stranger: boolean;
}

/** Callbacks of connections that wait for a place. Plain data, so that all requests may share it. */
const queue = new Set<() => void>();
let reading = 0;

/** Reads and drops bytes until the client stops. Bounded in bytes, in time, and in the number of such connections. */
export async function linger(read: ReadNext, { stranger }: LingerOptions): Promise<void> {
  const over = Promise.withResolvers<"over">();
  const timer = setTimeout(() => over.resolve("over"), MAX_MS);
  try {
    if (reading >= MAX_AT_ONCE && (await waitForPlace(over.promise)) === "over") return;
    reading += 1;
    try {
      await Promise.race([drop(read, stranger ? MAX_BYTES_OF_STRANGER : MAX_BYTES), over.promise]);
    } finally {
      reading -= 1;
      // Gives the place to the first that waits. Its promise continues in its own request.
      const [next] = queue;
      next?.();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a place, or until `over` resolves. */
async function waitForPlace(over: Promise<"over">): Promise<"place" | "over"> {
  const free = Promise.withResolvers<"place">();
  const notify = (): void => {
    queue.delete(notify);
    free.resolve("place");
  };
  queue.add(notify);
  try {
    return await Promise.race([free.promise, over]);
  } finally {
    queue.delete(notify);
  }
}

async function drop(read: ReadNext, limit: number): Promise<void> {
  for (let bytes = 0; bytes < limit;) {
    const pause = breath.take(READ_UNITS);
    if (pause !== undefined) await pause;
    const next = await soon(read());
    if (next?.value === undefined) return;
    bytes += next.value.byteLength;
  }
}
