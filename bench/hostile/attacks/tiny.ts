/** Attacks with tiny commands at full speed, whose replies are read. */

import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { openWebSocket } from "../raw-web-socket.ts";
import { openText } from "../text-connection.ts";
import { BUCKET, store } from "./stored.ts";

const COMMANDS = 60_000;
/** Most requests in one message of a session. */
const MAX_REQUESTS = 1_000;
/** Lines in one GET reply. */
const REPLY_LINES = 2;

const LINE = "GET b k\n";
const REQUEST = '{"id":1,"batch":[{"op":"get","key":"k"}]}';

const lines = (count: number): string => LINE.repeat(count);
const requests = (count: number): string => `[${Array.from({ length: count }, () => REQUEST).join()}]`;

interface Tiny {
  readonly name: string;
  /** Commands per message or write. */
  readonly together: number;
  readonly run: (attacker: Attacker, together: number) => Promise<string>;
}

const TINY: readonly Tiny[] = [
  ...[1, 32, COMMANDS].flatMap((together) => [
    webSocket("connect", "/v1/connect", { together, message: lines }),
    webSocket("bucket", `${BUCKET}/connect`, { together, message: lines }),
  ]),
  ...[1, 32, MAX_REQUESTS].map((together) =>
    webSocket("session", `${BUCKET}/session`, { together, message: requests }),
  ),
  ...[1, 32, COMMANDS].map((together): Tiny => ({ name: "tcp-tiny", together, run: overTcp })),
];

export const tiny: readonly Attack[] = TINY.map(({ name, together, run }) => ({
  name: `${name}-${together === COMMANDS ? "all" : together}`,
  about: `${COMMANDS} tiny commands, ${together} in one ${name === "tcp-tiny" ? "write" : "message"}, replies read.`,
  prepare: (attacker) => store(attacker, "k", "1"),
  run: (attacker) => run(attacker, together),
}));

function webSocket(
  name: string,
  path: string,
  { together, message }: { readonly together: number; readonly message: (count: number) => string },
): Tiny {
  return {
    name: `websocket-tiny-${name}`,
    together,
    run: (attacker) => overWebSocket(attacker, path, messagesOf(together, message)),
  };
}

function messagesOf(together: number, message: (count: number) => string): string[] {
  const one = message(together);
  return Array.from({ length: Math.ceil(COMMANDS / together) }, () => one);
}

async function overWebSocket(attacker: Attacker, path: string, messages: readonly string[]): Promise<string> {
  const connection = await openWebSocket(attacker, path);
  const began = performance.now();
  await connection.send(messages);
  await attacker.until(() => connection.messages >= messages.length || connection.isClosed);
  const seconds = (performance.now() - began) / 1_000;
  const answered = `${connection.messages} of ${messages.length} messages answered in ${seconds.toFixed(1)} s`;
  return `${answered}; ${connection.ending()}; last: ${connection.latest.slice(0, 24)}`;
}

async function overTcp(attacker: Attacker, together: number): Promise<string> {
  const connection = await openText(attacker);
  const began = performance.now();
  const text = lines(together);
  // Replies are read meanwhile, by event handlers.
  for (let sent = 0; sent < COMMANDS && !connection.isClosed && !attacker.isOver; sent += together) {
    await connection.send(text);
  }
  await attacker.until(() => connection.lines >= COMMANDS * REPLY_LINES || connection.isClosed);
  const seconds = (performance.now() - began) / 1_000;
  const replies = connection.lines / REPLY_LINES;
  return `${replies} replies in ${seconds.toFixed(1)} s; ${connection.ending()}; last: ${connection.latest(2)}`;
}
