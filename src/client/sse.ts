/** Server-Sent Events, read from a response (WHATWG HTML §9.2.6). */

import { LONGEST_TIMER_MS } from "./deadline.ts";
import { ConnectionError } from "./errors.ts";

export interface ServerEvent {
  readonly event: string;
  /** Undefined where an id comes without an event. */
  readonly data: string | undefined;
  /** The last id that the stream has said. */
  readonly id: string | undefined;
}

/**
 * The events of a stream, and ids that come without one. It ends, or breaks off, as the stream does.
 * @throws {ConnectionError} where that says nothing for so long: the service gives signs of life
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

/** What ends a line: any of the three, and what is on the way may make one of another. */
const LINE_END = /\r\n|\n|\r/;

async function* lines(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<string, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  // Pieces of a line that has not ended: put together once, however many they are.
  let pieces: string[] = [];
  let afterReturn = false;
  try {
    for (;;) {
      const { done, value } = await heard(reader, silenceMs);
      if (done) return;
      let text = decoder.decode(value, { stream: true });
      if (text === "") continue;
      // A CRLF that was cut in two has ended its line already: whoever waits for the event need not wait for the LF.
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

async function heard(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  silenceMs: number,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    const lost = new ConnectionError("connection_lost", `Nothing was heard for ${silenceMs} ms.`);
    timer = setTimeout(() => reject(lost), Math.min(silenceMs, LONGEST_TIMER_MS));
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
