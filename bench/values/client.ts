/** The client with many parallel callers, compared with hand-written calls of the minimal Worker. */

import { once } from "node:events";
import { Kv, text, type Bucket } from "../../src/client/index.ts";
import { measure } from "../load/measure.ts";
import type { Server } from "../servers.ts";
import { makeBucket, type Bench } from "./bench.ts";

const CALLERS = 32;
const ROUND_MS = 1_000;
const KEY = "key";
const DIGITS = 10;

type Verb = "GET" | "PUT";
/** One call of many in parallel. @throws if the response is wrong */
type Call = (verb: Verb) => Promise<void>;
type Way = (server: Server) => Promise<Call>;

export const client: readonly Bench[] = [
  ...calls("HTTP", { ours: overHttp, bare: byFetch }),
  ...calls("a session", { ours: overSession, bare: bySocket }),
];

function calls(over: string, ways: Readonly<Record<Server["name"], Way>>): Bench[] {
  return (["GET", "PUT"] as const).map((verb) => ({
    name: `client, ${CALLERS} callers over ${over}: ${verb}`,
    bare: true,
    prepare: async (server) => {
      await makeBucket(server);
      const call = await ways[server.name](server);
      await call("PUT");
      const caller = { exchange: () => call(verb), close: () => undefined };
      const load = { batch: 1, connections: CALLERS, connect: async () => caller };
      return { measure: async () => ({ "calls/s": (await measure(load, ROUND_MS)).rate }) };
    },
  }));
}

async function overHttp(server: Server): Promise<Call> {
  return callsOf(bucketOf(server));
}

async function overSession(server: Server): Promise<Call> {
  return callsOf(bucketOf(server).session().bucket);
}

type Strings = Record<string, string>;

function bucketOf({ http }: Server): Bucket<Strings> {
  return new Kv({ url: `http://127.0.0.1:${http}` }).bucket<Strings>("bench", { codec: text });
}

function callsOf(bucket: Pick<Bucket<Strings>, "get" | "put">): Call {
  return async (verb) => {
    if (verb === "PUT") await bucket.put(KEY, next());
    else check((await bucket.get(KEY)) ?? "");
  };
}

async function byFetch({ http }: Server): Promise<Call> {
  const url = `http://127.0.0.1:${http}/${KEY}`;
  return async (verb) => {
    const response = await fetch(url, verb === "PUT" ? { method: "PUT", body: next() } : {});
    const answer = await response.text();
    if (verb === "GET") check(answer);
  };
}

/** Each call is a message, and its response the next message: the simplest pipelining on one socket. */
async function bySocket({ http }: Server): Promise<Call> {
  const socket = new WebSocket(`ws://127.0.0.1:${http}/`);
  await once(socket, "open");
  const waiting: ((reply: string) => void)[] = [];
  socket.addEventListener("message", ({ data }) => waiting.shift()?.(String(data)));
  return async (verb) => {
    const reply = await new Promise<string>((resolve) => {
      waiting.push(resolve);
      socket.send(verb === "PUT" ? `PUT bench ${KEY} ${next()}` : `GET bench ${KEY}`);
    });
    if (verb === "GET") check(reply.slice(0, DIGITS));
    else if (reply !== "OK\r\n") throw new Error(`unexpected reply: ${reply}`);
  };
}

let written = 0;

/** A new value each time, because SQLite does not write an unchanged row. */
function next(): string {
  written += 1;
  return String(written).padStart(DIGITS, "0");
}

function check(value: string): void {
  if (!/^\d{10}$/.test(value)) throw new Error(`unexpected value: ${value}`);
}
