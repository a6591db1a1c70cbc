/** The client's reader of Server-Sent Events, whatever is on the way. */

import { describe, expect, it } from "vitest";
import { serverEvents, type ServerEvent } from "../../src/client/sse.ts";

const LINES = [
  "﻿: hi",
  "id: 1",
  "event: put",
  "data: é",
  "data:",
  "data: 🥛",
  "",
  "id: 2",
  "",
  "data: b",
  "",
  "data: cut off",
];
const EVENTS: readonly ServerEvent[] = [
  { event: "put", data: "é\n\n🥛", id: "1" },
  { event: "", data: undefined, id: "2" },
  { event: "message", data: "b", id: "2" },
];

async function eventsOf(...chunks: readonly Uint8Array[]): Promise<ServerEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const heard: ServerEvent[] = [];
  for await (const event of serverEvents(body, 60_000)) heard.push(event);
  return heard;
}

describe("a stream of events", () => {
  const ways = { LF: ["\n"], CR: ["\r"], CRLF: ["\r\n"], "all three": ["\r\n", "\n", "\r"] };
  it.each(Object.entries(ways))(
    "whose lines end in %s is read the same, wherever it is cut",
    async (_, ends) => {
      let text = "";
      for (const [index, line] of LINES.entries()) {
        const end = ends[index % ends.length];
        // Behind a CR the LF of an empty line would be its other half.
        text += line + (line === "" && text.endsWith("\r") ? "\r" : end);
      }
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at <= bytes.length; at += 1) {
        expect(await eventsOf(bytes.subarray(0, at), bytes.subarray(at)), `cut at ${at}`).toEqual(EVENTS);
      }
      expect(await eventsOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(EVENTS);
    },
  );

  it("tells an event as soon as its last line ends, also where that is the first half of a CRLF", async () => {
    let rest: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        rest = controller;
        controller.enqueue(new TextEncoder().encode("data: a\r\n\r"));
      },
    });
    const events = serverEvents(body, 60_000);
    expect(await events.next()).toMatchObject({ value: { data: "a" } });
    rest?.enqueue(new TextEncoder().encode("\ndata: b\r\n\r\n"));
    expect(await events.next()).toMatchObject({ value: { data: "b" } });
    await events.return();
  });

  it("keeps its id where one comes that no header could carry", async () => {
    expect(await eventsOf(new TextEncoder().encode("id: 1\nid: 2\0\ndata: a\n\n"))).toMatchObject([
      { id: "1" },
    ]);
  });
});
