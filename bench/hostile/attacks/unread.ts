/** Attacks that request much data over a WebSocket and then never read, or disconnect. */

import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { openWebSocket } from "../raw-web-socket.ts";
import { BUCKET, MEBIBYTE, store } from "./stored.ts";

/** Gets per message: one more would exceed 16 MiB of replies, and the server would close the connection. */
const GETS = 12;
const UNREAD_BYTES = 48_000;
const LEAVING_BYTES = 1_000_000;
const UNREAD_MS = 6_000;
const READ_ON_MS = 2_000;
const AFTER_LEAVING_MS = 7_000;

interface Asked {
  readonly name: string;
  readonly path: string;
  /** Sent in rotation. */
  readonly messages: readonly string[];
}

const GET = { op: "get", key: "big" };
const ASKED: readonly Asked[] = [
  { name: "", path: "/v1/connect", messages: ["GET b big\n".repeat(GETS)] },
  { name: "-bucket", path: `${BUCKET}/connect`, messages: ["GET b big\n".repeat(GETS)] },
  {
    name: "-session",
    path: `${BUCKET}/session`,
    messages: [
      JSON.stringify([{ id: 1, batch: Array.from({ length: GETS - 2 }, () => GET) }]),
      JSON.stringify([
        { id: 2, list: { values: true } },
        { id: 3, list: { values: true, prefix: "b" } },
      ]),
    ],
  },
];

export const unread: readonly Attack[] = ASKED.flatMap((asked) => [
  {
    name: `websocket-unread${asked.name}`,
    about: `48 KB of requests for a value of 1 MiB at ${asked.path}, and nothing read.`,
    prepare: (attacker: Attacker) => store(attacker, "big", "x".repeat(MEBIBYTE)),
    run: (attacker: Attacker) => readNothing(attacker, asked),
  },
  {
    name: `websocket-leave${asked.name}`,
    about: `1 MB of such requests at ${asked.path}, and the client closes at once.`,
    prepare: (attacker: Attacker) => store(attacker, "big", "x".repeat(MEBIBYTE)),
    run: (attacker: Attacker) => leave(attacker, asked),
  },
]);

async function readNothing(attacker: Attacker, asked: Asked): Promise<string> {
  const webSocket = await openWebSocket(attacker, asked.path);
  webSocket.pause();
  const messages = messagesOf(asked, UNREAD_BYTES);
  await webSocket.send(messages);
  await attacker.wait(UNREAD_MS);
  // The server's close frame comes after the data that it has sent before.
  webSocket.resume();
  await attacker.until(() => webSocket.isClosed, READ_ON_MS);
  const read = `${webSocket.messages} of ${messages.length} answers, ${(webSocket.bytes / 1e6).toFixed(0)} MB`;
  return `${webSocket.ending()}; in ${READ_ON_MS / 1_000} s of reading then: ${read}`;
}

async function leave(attacker: Attacker, asked: Asked): Promise<string> {
  const webSocket = await openWebSocket(attacker, asked.path);
  webSocket.pause();
  const messages = messagesOf(asked, LEAVING_BYTES);
  await webSocket.send(messages);
  await webSocket.leave();
  await attacker.wait(AFTER_LEAVING_MS);
  return `disconnected after sending ${messages.length} messages; ${await attacker.newClient()}`;
}

function messagesOf({ messages }: Asked, bytes: number): string[] {
  const all: string[] = [];
  for (let size = 0; size < bytes; size += all.at(-1)?.length ?? 0) {
    all.push(messages[all.length % messages.length] ?? "");
  }
  return all;
}
