/** Serves the text protocol on a TCP connection. */

import { breath } from "../lib/breath.ts";
import { Budget } from "../lib/budget.ts";
import { beginsForeign } from "../text/foreign.ts";
import { LineSplitter, MAX_LINE_BYTES } from "../text/lines.ts";
import { errorLine } from "../text/replies.ts";
import { Interpreter } from "../text/interpreter.ts";
import { connections, type Connections } from "../lib/connections.ts";
import { failure, failureOf, serverStopping, tooManyConnections, type Failure } from "../model/errors.ts";
import type { Directory } from "../directory/directory.ts";
import { Feeds } from "./feeds.ts";
import { linger } from "./linger.ts";
import type { Login } from "./login.ts";
import { ConnectionMonitors } from "./monitors.ts";
import { SocketReader } from "./socket-reader.ts";
import { SocketWriter } from "./socket-writer.ts";
import { directoryService } from "./service.ts";

/** The cost of one read, and of accepting a connection: see {@link Breath}. */
const READ_UNITS = 8;
const CONNECTION_UNITS = 64;
/** How long a client may take to send a valid token, in milliseconds. */
const LOGIN_WITHIN_MS = 10_000;
/** How long a client may take to read why its connection is closed, in milliseconds. */
const LAST_WORD_MS = 1_000;
/** Bytes of unfinished lines on all connections. A buffer may have twice the capacity of its content. */
const lines = new Budget({ each: 2 * MAX_LINE_BYTES, all: 64 * 1_048_576, share: 65_536 });

export interface TcpOptions {
  readonly loginWithinMs?: number;
  readonly places?: Connections;
}

/**
 * Serves a connection until either side ends it. It reads commands, runs them, and writes their replies, in turn. While
 * a slow client does not read its replies, no command is read; they gather into the next batch.
 */
export async function serveTcp(
  socket: Socket,
  directory: Directory,
  login: Login,
  { loginWithinMs = LOGIN_WITHIN_MS, places = connections }: TcpOptions = {},
): Promise<void> {
  const reader = new SocketReader(socket.readable.getReader());
  const pause = breath.take(CONNECTION_UNITS);
  if (pause !== undefined) await pause;
  const sink = socket.writable.getWriter();
  let closeReason: Failure | undefined;
  let abortTimer: number | null = null;
  // Running commands still get their replies; the next read then returns the end.
  const endWith = (why: Failure): void => {
    if (closeReason !== undefined) return;
    closeReason = why;
    reader.end();
    // If the client does not read, the last write never ends: abort it.
    abortTimer = setTimeout(() => void sink.abort().catch(() => undefined), LAST_WORD_MS);
  };
  const place = places.enter({ stranger: !login.admitted, goodbye: () => endWith(serverStopping()) });
  if (place === undefined) {
    reader.release();
    sink.releaseLock();
    return refuseTcp(socket, failureOf(tooManyConnections()), { lingers: false });
  }
  const tooLate = (): void => endWith(failure("unauthorized", "No valid AUTH in time. Send AUTH first."));
  const loginTimer = login.admitted ? null : setTimeout(tooLate, loginWithinMs);
  const writer = new SocketWriter(sink);
  const offer = (text: string): boolean => writer.offer(text);
  const tooSlow = (): void => {
    // No error line: the client does not read.
    void socket.close().catch(() => undefined);
  };
  const feeds = new Feeds(offer, tooSlow);
  const monitors = new ConnectionMonitors(directory, offer, tooSlow);
  const service = directoryService(directory, { feeds, monitors });
  const admitted = (): void => {
    clearTimeout(loginTimer);
    place.admit();
  };
  try {
    await converse(reader, writer, new Interpreter(service, login), () => {
      if (login.admitted) admitted();
    });
    if (closeReason !== undefined) await writer.write(errorLine(closeReason));
    await sink.close();
    clearTimeout(abortTimer);
    await linger(() => reader.read(), { stranger: !login.admitted });
  } catch {
    // A read or a write failed: the client has gone. Acknowledged changes are kept.
  } finally {
    clearTimeout(loginTimer);
    clearTimeout(abortTimer);
    place.leave();
    feeds.closeAll();
    monitors.closeAll();
    await socket.close().catch(() => undefined);
  }
}

/** Rejects a connection with one line. With `lingers: false` it is closed at once, as it is one too many. */
export async function refuseTcp(
  socket: Socket,
  why: Failure,
  { lingers = true }: { readonly lingers?: boolean } = {},
): Promise<void> {
  const writer = socket.writable.getWriter();
  try {
    await writer.write(new TextEncoder().encode(errorLine(why)));
    await writer.close();
    if (!lingers) return;
    const reader = new SocketReader(socket.readable.getReader());
    await linger(() => reader.read(), { stranger: true });
  } catch {
    // The client has gone.
  } finally {
    await socket.close().catch(() => undefined);
  }
}

/** Reads and runs commands until the connection ends. @param progress called after each batch of lines */
async function converse(
  reader: SocketReader,
  writer: SocketWriter,
  interpreter: Interpreter,
  progress: () => void,
): Promise<void> {
  const splitter = new LineSplitter();
  const held = lines.hold();
  let first = true;
  try {
    while (!interpreter.closed) {
      const value = await reader.next();
      if (value === undefined) return;
      const pause = breath.take(READ_UNITS);
      if (pause !== undefined) await pause;
      const foreign = first ? beginsForeign(value) : undefined;
      if (foreign !== undefined) return await writer.write(errorLine(foreign));
      first &&= isBlank(value);
      const { lines: whole, tooLong } = splitter.push(value);
      for await (const text of interpreter.run(whole)) await writer.write(text);
      progress();
      if (interpreter.closed) return;
      if (tooLong || interpreter.isTooLong(splitter.held)) return await writer.write(interpreter.tooLong());
      if (!held.keep(splitter.capacity)) return await writer.write(errorLine(tooMuchUnfinished()));
    }
  } finally {
    held.keep(0);
  }
}

/** Whether there are only line ends, so that the first command is still to come. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x0d || byte === 0x0a);
}

function tooMuchUnfinished(): Failure {
  return failure(
    "overloaded",
    "All connections together hold too many bytes of unfinished lines. This connection is closed.",
  );
}
