/** A TCP connection that speaks the text protocol. */

import { LineSplitter } from "../command/lines.ts";
import { errorLine } from "../command/reply.ts";
import { Interpreter, type Admission } from "../command/run.ts";
import type { Failure } from "../errors.ts";
import type { Directory } from "../registry/directory.ts";
import { Feeds } from "./feeds.ts";
import { SessionMonitors } from "./monitors.ts";
import { Outbox } from "./outbox.ts";
import { directoryService } from "./service.ts";

/**
 * Serves a connection until either side ends it. Commands are read, run and answered in turn: while a reply
 * waits for a slow reader nothing more is read, and meanwhile commands gather into the next batch.
 */
export async function serveTcp(socket: Socket, directory: Directory, admission: Admission): Promise<void> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = socket.readable.getReader();
  const writer = socket.writable.getWriter();
  const outbox = new Outbox(writer);
  const offer = (text: string): boolean => outbox.offer(text);
  const tooSlow = (): void => {
    // The error line would only join the queue that the client does not read.
    void socket.close().catch(() => undefined);
  };
  const feeds = new Feeds(offer, tooSlow);
  const monitors = new SessionMonitors(directory, offer, tooSlow);
  const service = directoryService(directory, { feeds, monitors });
  try {
    await converse(reader, outbox, new Interpreter(service, admission));
    await writer.close();
  } catch {
    // The client has gone: a write or a read failed. What was acknowledged is kept, the rest has no reader.
  } finally {
    feeds.closeAll();
    monitors.closeAll();
    await socket.close().catch(() => undefined);
  }
}

/** Turns a connection away with one line. */
export async function refuseTcp(socket: Socket, why: Failure): Promise<void> {
  const writer = socket.writable.getWriter();
  try {
    await writer.write(new TextEncoder().encode(errorLine(why)));
    await writer.close();
  } catch {
    // It has gone already.
  } finally {
    await socket.close().catch(() => undefined);
  }
}

async function converse(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  outbox: Outbox,
  interpreter: Interpreter,
): Promise<void> {
  const splitter = new LineSplitter();
  while (!interpreter.closed) {
    const { done, value } = await reader.read();
    if (done) return;
    const { lines, tooLong } = splitter.push(value);
    for await (const text of interpreter.run(lines)) await outbox.write(text);
    if (tooLong && !interpreter.closed) await outbox.write(interpreter.tooLong());
  }
}
