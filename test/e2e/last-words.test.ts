/** Replies arrive although their connection ends while the client still sends. */

import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { server } from "./support/shared-server.ts";

/** What a client goes on sending, in bytes: more than what fits between the two. */
const SENT_BEHIND = 2 * 1_048_576;

/** Sends lines, and much more, as long as it can. @returns all that came until the connection was closed */
async function lastWords(begin: string): Promise<string> {
  const socket = connect(server.tcpPort, "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (some: string) => (text += some));
  socket.on("error", () => (text += "(reset)"));
  await once(socket, "connect");
  socket.write(begin);
  socket.write("PUT behind k 1\n".repeat(SENT_BEHIND / 15));
  // Not `once`: that rejects with what is an outcome here.
  await new Promise((closed) => socket.on("close", closed));
  return text;
}

describe("the last replies of a connection that the server closes", () => {
  it.each([
    ["QUIT", "PING\nQUIT\n", /^PONG\r\nOK\r\n$/],
    ["another protocol", "GET / HTTP/1.1\r\n", /^ERROR WRONG_PROTOCOL [^\r\n]+\r\n$/],
    [
      "another protocol behind a command",
      "PING\nget /x HTTP/1.1\r\n",
      /^PONG\r\nERROR WRONG_PROTOCOL [^\r\n]+\r\n$/,
    ],
    ["bytes that are no text", "\x16\x03\x01\x02", /^ERROR WRONG_PROTOCOL [^\r\n]+\r\n$/],
  ])("arrive although the client still sends: %s", async (_, begin, replies) => {
    const all = await Promise.all(Array.from({ length: 20 }, () => lastWords(begin)));
    expect(all.filter((text) => !replies.test(text))).toEqual([]);
  });
});
