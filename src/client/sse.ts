/** A parser for Server-Sent Events (WHATWG HTML §9.2.6). */

import { LONGEST_TIMER_MS } from "./deadline.ts";
import { ConnectionError } from "./errors.ts";

export interface ServerEvent {
  readonly event: string;
  /** Undefined for an id without an event. */
  readonly data: string | undefined;
  /** The stream's latest id. */
  readonly id: string | undefined;
}

/**
 * The events of a stream, and ids without an event. Ends or fails as the stream does.
 * @param silenceMs longest time without a byte; the service sends heartbeats
 * @throws {ConnectionError} `connection_lost` after `silenceMs` without a byte
 */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<ServerEvent, void, void> {
  let id: string | undefined;
  let event = "";
  let data: string[] = [];
  for await (const line of lines(body, silenceMs)) {
    if (line === "") {
      if (data.length > 0) yield { event: event || "message", data: data.join("\n"), id };
      else if (id !== undefined) yield { event: "", data: undefined, id };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}

/** Any of the three line ends: a proxy may convert one into another. */
const LINE_END = /\r\n|\n|\r/;

async function* lines(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<string, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  // Pieces of an unfinished line, joined once at its end, so that many small chunks stay cheap.
  let pieces: string[] = [];
  let afterReturn = false;
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, silenceMs);
      if (done) return;
      let text = decoder.decode(value, { stream: true });
      if (text === "") continue;
      // A CR ends the line at once, without waiting for the next chunk; an LF at its start belongs to that CR.
      if (afterReturn && text.startsWith("\n")) text = text.slice(1);
      afterReturn = text.endsWith("\r");
      const parts = text.split(LINE_END);
      for (const [index, part] of parts.entries()) {
        pieces.push(part);
        if (index === parts.length - 1) break;
        yield pieces.join("");
        pieces = [];
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function readWithin(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  silenceMs: number,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    const lost = new ConnectionError("connection_lost", `Nothing was received for ${silenceMs} ms.`);
    timer = setTimeout(() => reject(lost), Math.min(silenceMs, LONGEST_TIMER_MS));
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
