/** Reads on behind a connection's last reply: closing a socket with unread data resets it, and the reset overtakes the reply. */

import { breath } from "../lib/breath.ts";
import { soon } from "../lib/soon.ts";

/** Bytes that are read and dropped, of a client that may use the service, and of a stranger. */
const MAX_BYTES = 16 * 1_048_576;
const MAX_BYTES_OF_STRANGER = 1_048_576;
/** How long a client that goes on sending is read on, waiting for a place included, in milliseconds. */
const MAX_MS = 10_000;
/** Connections that are read on at once: in a flood of them, to read is what would keep others waiting. */
const MAX_AT_ONCE = 16;
/** What it is worth to read once: see {@link breath}. */
const READ_UNITS = 8;

/** What a connection reads next. */
export type Read = () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;

export interface LingerOptions {
  /** Whether the client has yet to show the token. */
  readonly stranger: boolean;
}

/** Connections that wait for one of the others to be done; plain data, so requests may share it. */
const queue = new Set<() => void>();
let reading = 0;

/** Reads and drops what still comes, until the client stops. Bounded in bytes, in time, and in how many do so at once. */
export async function linger(read: Read, { stranger }: LingerOptions): Promise<void> {
  const over = Promise.withResolvers<"over">();
  const timer = setTimeout(() => over.resolve("over"), MAX_MS);
  try {
    if (reading >= MAX_AT_ONCE && (await placeOr(over.promise)) === "over") return;
    reading += 1;
    try {
      await Promise.race([drop(read, stranger ? MAX_BYTES_OF_STRANGER : MAX_BYTES), over.promise]);
    } finally {
      reading -= 1;
      // The first of those who wait; it is told in its own request.
      const [next] = queue;
      next?.();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a place, or until the time is over. */
async function placeOr(over: Promise<"over">): Promise<"place" | "over"> {
  const free = Promise.withResolvers<"place">();
  const told = (): void => {
    queue.delete(told);
    free.resolve("place");
  };
  queue.add(told);
  try {
    return await Promise.race([free.promise, over]);
  } finally {
    queue.delete(told);
  }
}

async function drop(read: Read, limit: number): Promise<void> {
  for (let bytes = 0; bytes < limit;) {
    const pause = breath.take(READ_UNITS);
    if (pause !== undefined) await pause;
    const next = await soon(read());
    if (next?.value === undefined) return;
    bytes += next.value.byteLength;
  }
}
