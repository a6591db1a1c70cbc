/** Attacks that follow changes but never read them, while other clients write. */

import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { openWebSocket } from "../raw-web-socket.ts";
import { openText, type TextConnection } from "../text-connection.ts";
import { BUCKET, MEBIBYTE, store, tally } from "./stored.ts";

const FOLLOWERS = 100;
/** Number of followers that read on at the end, to get their outcome. */
const SEEN = 5;
const SUBSCRIBED_MS = 300;
const WRITE_MS = 6_000;
const READ_ON_MS = 2_000;
/** Values up to 64 KiB are included in a watch's events. */
const WATCHED_BYTES = 65_536;
const CREATORS = 4;

interface Follower {
  readonly isClosed: boolean;
  resume(): void;
  ending(): string;
}
type Follow = (attacker: Attacker) => Promise<Follower>;

export const feeds: readonly Attack[] = [
  fed("feeds-bucket", `SUBSCRIBE at ${BUCKET}/connect`, MEBIBYTE, (attacker) =>
    subscribe(attacker, `${BUCKET}/connect`),
  ),
  fed("feeds-connect", "SUBSCRIBE at /v1/connect", MEBIBYTE, (attacker) =>
    subscribe(attacker, "/v1/connect"),
  ),
  fed("feeds-tcp", "SUBSCRIBE over TCP", MEBIBYTE, async (attacker) => {
    const connection = await openText(attacker);
    connection.pause();
    await connection.send("SUBSCRIBE b\n");
    return quiet(connection);
  }),
  fed("watches-websocket", "a watch over WebSocket", WATCHED_BYTES, async (attacker) => {
    const webSocket = await openWebSocket(attacker, `${BUCKET}/watch`);
    webSocket.pause();
    return webSocket;
  }),
  fed("watches-sse", "a watch over Server-Sent Events", WATCHED_BYTES, (attacker) =>
    stream(attacker, `${BUCKET}/watch`),
  ),
  {
    name: "unread-events",
    about: "100 clients open /v1/events and never read, while 4 clients create buckets.",
    run: (attacker) =>
      readNothing(
        attacker,
        (one) => stream(one, "/v1/events"),
        async () => {
          const made = await Promise.all(Array.from({ length: CREATORS }, (_, at) => create(attacker, at)));
          return `${made.reduce((sum, count) => sum + count, 0)} buckets created`;
        },
      ),
  },
];

function fed(name: string, about: string, bytes: number, follow: Follow): Attack {
  return {
    name: `unread-${name}`,
    about: `100 times ${about} and nothing read, while a client puts values of ${bytes} bytes.`,
    prepare: (attacker) => store(attacker, "k", "1"),
    run: (attacker) => readNothing(attacker, follow, () => write(attacker, bytes)),
  };
}

async function readNothing(attacker: Attacker, follow: Follow, work: () => Promise<string>): Promise<string> {
  const followers = await Promise.all(Array.from({ length: FOLLOWERS }, () => follow(attacker)));
  await attacker.wait(SUBSCRIBED_MS);
  const done = await work();
  const seen = followers.slice(0, SEEN);
  for (const follower of seen) follower.resume();
  await attacker.until(() => seen.every((follower) => follower.isClosed), READ_ON_MS);
  return `${done}; of ${SEEN} that read on: ${tally(seen.map((follower) => follower.ending()))}`;
}

async function subscribe(attacker: Attacker, path: string): Promise<Follower> {
  const webSocket = await openWebSocket(attacker, path);
  webSocket.pause();
  await webSocket.send(["SUBSCRIBE b"]);
  return webSocket;
}

/** A response that is never read. */
async function stream(attacker: Attacker, path: string): Promise<Follower> {
  const connection = await openText(attacker, attacker.server.http);
  await connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await attacker.until(() => connection.bytes > 0 || connection.isClosed);
  connection.pause();
  return quiet(connection);
}

/** The outcome without the last received data, which differs between connections. */
function quiet(connection: TextConnection): Follower {
  return {
    ending: () => (connection.isClosed ? "closed" : "open"),
    get isClosed() {
      return connection.isClosed;
    },
    resume: () => connection.resume(),
  };
}

async function write(attacker: Attacker, bytes: number): Promise<string> {
  const end = performance.now() + WRITE_MS;
  const statuses: string[] = [];
  while (performance.now() < end && !attacker.isOver) {
    // A new value each time, so that each put is a change.
    const body = String(statuses.length).padStart(bytes, "x");
    const { status } = await attacker.ask("PUT", `${BUCKET}/keys/k`, { body });
    statuses.push(`put answered ${status}`);
  }
  return tally(statuses);
}

async function create(attacker: Attacker, creator: number): Promise<number> {
  const end = performance.now() + WRITE_MS;
  let made = 0;
  for (; performance.now() < end && !attacker.isOver; made += 1) {
    await attacker.ask("PUT", `/v1/buckets/made-${creator}-${made}`);
  }
  return made;
}
