/** Ways for lines of the text protocol to a server, cut as one likes; each gives all replies as bytes. */

import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
// Node's own drops a byte order mark at the beginning of a message.
import { WebSocket } from "ws";
import type { Addresses } from "../../e2e/support/server.ts";
import type { RawClient } from "./raw-http.ts";

/** After this long without an end the server hangs, in milliseconds. */
const PATIENCE_MS = 20_000;
const QUIT = "QUIT\r\n";

/** Where pieces end, as shares of the whole between 0 and 1. */
export type Cuts = readonly number[];

/** Over TCP, in pieces that end anywhere. `QUIT` is sent behind all, and its `OK` is part of the reply. */
export async function overTcp({ tcpPort }: Addresses, lines: readonly Buffer[], cuts: Cuts): Promise<Buffer> {
  const socket = connect({ port: tcpPort, host: "127.0.0.1", noDelay: true });
  const replies: Buffer[] = [];
  socket.on("data", (piece: Buffer) => replies.push(piece));
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("the connection does not end")));
  const closed = once(socket, "close");
  await once(socket, "connect");
  for (const piece of piecesOf(Buffer.concat([...lines, Buffer.from(QUIT)]), cuts)) {
    socket.write(piece);
    await setImmediate();
  }
  await closed;
  return Buffer.concat(replies);
}

/** Over a WebSocket, in messages of one line or several. */
export async function overWebSocket(
  { httpPort }: Addresses,
  path: string,
  lines: readonly Buffer[],
  cuts: Cuts,
): Promise<Buffer> {
  const messages = groupsOf(lines, cuts).map((group) => Buffer.concat(group));
  const replies = await converse(
    `ws://127.0.0.1:${httpPort}${path}`,
    // A message of text is one of UTF-8; where lines are, one is as good as the other.
    messages.map((message, index) => {
      const text = message.toString("utf8");
      return index % 2 === 0 && Buffer.from(text).equals(message) ? text : new Uint8Array(message);
    }),
  );
  return Buffer.from(replies.join(""));
}

/** As the body of a request. */
export async function overHttp(client: RawClient, lines: readonly Buffer[], cuts: Cuts): Promise<Buffer> {
  const { status, body } = await client.send({
    method: "POST",
    path: "/v1/commands",
    headers: { "Content-Type": "text/plain" },
    body: Buffer.concat(lines),
    chunked: cuts.length % 2 === 1,
  });
  if (status !== 200) throw new Error(`POST /v1/commands is answered with ${status}: ${String(body)}`);
  return body;
}

/** Sends messages, all at once, and waits for as many answers; `unanswered` are sent before them. */
export function converse(
  url: string,
  messages: readonly (string | Uint8Array<ArrayBuffer>)[],
  unanswered: readonly string[] = [],
): Promise<string[]> {
  const socket = new WebSocket(url);
  const answers: string[] = [];
  return new Promise<string[]>((resolve, reject) => {
    const late = setTimeout(() => fail(`${answers.length} of ${messages.length} answers came`), PATIENCE_MS);
    const fail = (why: string): void => {
      clearTimeout(late);
      reject(new Error(why));
      socket.close();
    };
    socket.addEventListener("open", () => {
      for (const message of [...unanswered, ...messages]) socket.send(message);
    });
    socket.addEventListener("error", () => fail(`${url} does not open`));
    socket.addEventListener("close", ({ code, reason }) => fail(`it was closed: ${code} ${reason}`));
    socket.addEventListener("message", ({ data }) => {
      answers.push(typeof data === "string" ? data : "a message that is no text");
      if (answers.length < messages.length) return;
      clearTimeout(late);
      resolve(answers);
      socket.close();
    });
  });
}

/** Things in groups of one or more, by where the cuts are. */
export function groupsOf<T>(all: readonly T[], cuts: Cuts): T[][] {
  const ends = [...new Set([...cuts.map((cut) => Math.ceil(cut * all.length)), all.length])].toSorted(
    (a, b) => a - b,
  );
  let from = 0;
  return ends
    .map((end) => {
      const group = all.slice(from, end);
      from = end;
      return group;
    })
    .filter((group) => group.length > 0);
}

function piecesOf(bytes: Buffer, cuts: Cuts): Buffer[] {
  const ends = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].toSorted((a, b) => a - b);
  let from = 0;
  return ends
    .map((end) => {
      const piece = bytes.subarray(from, end);
      from = end;
      return piece;
    })
    .filter((piece) => piece.length > 0);
}
