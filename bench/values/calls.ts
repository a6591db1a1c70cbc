/** One call of a value of ten digits, by each client that is compared. */

import { once } from "node:events";
import { Kv, text, type Bucket } from "../../src/client/index.ts";
import type { Server } from "../servers.ts";

const KEY = "key";
const DIGITS = 10;

export type Verb = "GET" | "PUT";
/** One call of many in parallel. @throws if the response is wrong */
export type Call = (verb: Verb) => Promise<void>;

/** A client with its connections. */
export interface Caller {
  readonly call: Call;
  close(): void;
}

export type Way = (server: Server) => Promise<Caller>;

export const overHttp: Way = async (server) => {
  const bucket = bucketOf(server);
  return { call: callsOf(bucket), close: () => undefined };
};

export const overSession: Way = async (server) => {
  const session = bucketOf(server).session();
  return { call: callsOf(session.bucket), close: () => session.close() };
};

type Strings = Record<string, string>;

function bucketOf({ http }: Server): Bucket<Strings> {
  return new Kv({ url: `http://127.0.0.1:${http}` }).bucket<Strings>("bench", { codec: text });
}

function callsOf(bucket: Pick<Bucket<Strings>, "get" | "put">): Call {
  return async (verb) => {
    if (verb === "PUT") await bucket.put(KEY, nextValue());
    else checkValue((await bucket.get(KEY)) ?? "");
  };
}

/** @param pathOf where the server has the key */
export const byFetch =
  (pathOf: (key: string) => string): Way =>
  async ({ http }) => {
    const url = `http://127.0.0.1:${http}${pathOf(KEY)}`;
    const call: Call = async (verb) => {
      const response = await fetch(url, verb === "PUT" ? { method: "PUT", body: nextValue() } : {});
      const answer = await response.text();
      if (!response.ok) throw new Error(`unexpected response: ${response.status} ${answer}`);
      if (verb === "GET") checkValue(answer);
    };
    return { call, close: () => undefined };
  };

/** Each call is a message, and its response the next message: the simplest pipelining on one socket. */
export const bySocket: Way = async ({ http }) => {
  const socket = new WebSocket(`ws://127.0.0.1:${http}/`);
  await once(socket, "open");
  const waiting: ((reply: string) => void)[] = [];
  socket.addEventListener("message", ({ data }) => waiting.shift()?.(String(data)));
  const call: Call = async (verb) => {
    const reply = await new Promise<string>((resolve) => {
      waiting.push(resolve);
      socket.send(verb === "PUT" ? `PUT bench ${KEY} ${nextValue()}` : `GET bench ${KEY}`);
    });
    if (verb === "GET") checkValue(reply.slice(0, DIGITS));
    else if (reply !== "OK\r\n") throw new Error(`unexpected reply: ${reply}`);
  };
  return { call, close: () => socket.close() };
};

let written = 0;

/** A new value each time, because SQLite does not write an unchanged row. */
export function nextValue(): string {
  written += 1;
  return String(written).padStart(DIGITS, "0");
}

/** @throws {Error} unless it is a value of {@link nextValue} */
export function checkValue(value: string): void {
  if (!/^\d{10}$/.test(value)) throw new Error(`unexpected value: ${value}`);
}
