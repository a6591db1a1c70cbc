/** The pace of a connection: no command costs a timer. */

import { describe, expect, inject, it } from "vitest";
import { ask, bucket, put } from "../support/http.ts";

const MESSAGES = inject("sizes").messages;

describe("a connection of the text protocol to a bucket", () => {
  it("has no limit to its pace: an object may have ten thousand timers, and commands need none", async () => {
    const b = await bucket("connection pace");
    await put(`${b}/keys/k`, "v");
    const { webSocket } = await ask(`${b}/connect`, { headers: { Upgrade: "websocket" } });
    let replies = "";
    const all = new Promise<void>((resolve) => {
      webSocket?.addEventListener("message", ({ data }: { data: unknown }) => {
        replies += String(data);
        if (replies.endsWith("PONG\r\n")) resolve();
      });
    });
    webSocket?.accept();
    for (let n = 0; n < MESSAGES; n += 1) webSocket?.send(`GET ${b} k`);
    webSocket?.send("PING");
    await all;
    expect(replies === `${"v\r\nOK\r\n".repeat(MESSAGES)}PONG\r\n`).toBe(true);
    webSocket?.close();
  });
});
