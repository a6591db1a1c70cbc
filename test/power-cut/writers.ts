/** Clients that change their own buckets, one request after the other, and note where each reply was to be seen. */

import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Addresses } from "../e2e/support/server.ts";
import { apply, nextChange, textOf, type Abilities, type Buckets, type Change } from "./changes.ts";
import type { Random } from "../support/random.ts";

/** The n-th reply on a connection, as the trace names it; from 0. */
export interface Reply {
  readonly connection: string;
  readonly n: number;
}

export interface Done {
  readonly change: Change;
  /** Where it is acknowledged. */
  readonly reply: Reply;
  /** Index of the last change that was sent together with it. */
  readonly sentWith: number;
}

/** All that a writer has done, over all lives of the server. */
export interface Writer {
  readonly name: string;
  readonly transport: "HTTP" | "TCP";
  readonly done: Done[];
  /** What its buckets hold now. */
  readonly buckets: Buckets;
}

export function newWriter(name: string, transport: "HTTP" | "TCP"): Writer {
  return { name, transport, done: [], buckets: new Map() };
}

const CAN: Readonly<Record<Writer["transport"], Abilities>> = {
  HTTP: { buckets: true, transactions: true, temporary: true, large: true },
  TCP: { buckets: true, transactions: false, temporary: false, large: false },
};
const MAX_BURST = 5;

/** Makes that many changes on one life of the server. All are acknowledged when this returns. */
export async function write(writer: Writer, server: Addresses, random: Random, count: number): Promise<void> {
  const send = writer.transport === "HTTP" ? overHttp(server) : await overTcp(server);
  const end = writer.done.length + count;
  while (writer.done.length < end) {
    const first = writer.done.length;
    const changes = drawBurst(writer, random);
    const made = await send.changes(changes);
    writer.done.push(...made.map((one) => ({ ...one, sentWith: first + changes.length - 1 })));
  }
  send.close();
}

/** Changes to send at once, mostly one. Of several, each puts or deletes a key: only these run beside each other. */
function drawBurst(writer: Writer, random: Random): Change[] {
  const size = writer.transport === "TCP" && random.chance(0.3) ? 1 + random.below(MAX_BURST) : 1;
  const changes: Change[] = [];
  while (changes.length < size) {
    const change = nextChange(random, {
      writer: writer.name,
      id: writer.done.length + changes.length + 1,
      buckets: writer.buckets,
      can: { ...CAN[writer.transport], buckets: changes.length === 0 },
    });
    apply(writer.buckets, change);
    changes.push(change);
    if (change.kind !== "put" && change.kind !== "delete") break;
  }
  return changes;
}

interface Sender {
  /** Sends them at once, and waits for the reply of each. */
  changes(changes: readonly Change[]): Promise<{ readonly change: Change; readonly reply: Reply }[]>;
  close(): void;
}

async function overTcp({ tcpPort }: Addresses): Promise<Sender> {
  const socket = connect(tcpPort, "127.0.0.1");
  await once(socket, "connect");
  const connection = `${tcpPort}-${socket.localPort}`;
  let lines = 0;
  let text = "";
  return {
    async changes(changes) {
      socket.write(changes.map((change) => `${commandOf(change)}\n`).join(""));
      for (let expected = changes.length; expected > 0;) {
        const at = text.indexOf("\r\n");
        if (at === -1) {
          text += String((await once(socket, "data"))[0]);
          continue;
        }
        if (text.slice(0, at) !== "OK") throw new Error(`${text.slice(0, at)} to ${JSON.stringify(changes)}`);
        text = text.slice(at + 2);
        expected -= 1;
      }
      return changes.map((change) => ({ change, reply: { connection, n: lines++ } }));
    },
    close: () => void socket.end(),
  };
}

function commandOf(change: Change): string {
  switch (change.kind) {
    case "create":
      return `CREATE ${change.bucket}`;
    case "stop":
      return `STOP ${change.bucket}`;
    case "put":
      return `PUT ${change.bucket} ${change.key} ${textOf(change.value)}`;
    case "delete":
      return `DELETE ${change.bucket} ${change.key}`;
    case "exit":
    case "pair":
      throw new Error(`${change.kind} is made over HTTP`);
  }
}

function overHttp({ httpPort }: Addresses): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const replies = new Map<string, number>();
  return {
    async changes(changes) {
      const made: { change: Change; reply: Reply }[] = [];
      for (const change of changes) {
        const { method, path, body } = requestOf(change);
        const { status, text, localPort } = await ask(httpPort, method, path, { body, agent });
        if (status >= 300) throw new Error(`${status} ${text} to ${JSON.stringify(change)}`);
        const connection = `${httpPort}-${localPort}`;
        const n = replies.get(connection) ?? 0;
        replies.set(connection, n + 1);
        made.push({ change, reply: { connection, n } });
      }
      return made;
    },
    close: () => agent.destroy(),
  };
}

function requestOf(change: Change): { method: string; path: string; body?: string | undefined } {
  const bucket = `/v1/buckets/${change.bucket}`;
  switch (change.kind) {
    case "create":
      return {
        method: "PUT",
        path: bucket,
        body: JSON.stringify({ restart: change.temporary ? "temporary" : "permanent" }),
      };
    case "stop":
      return { method: "DELETE", path: bucket };
    case "exit":
      return { method: "POST", path: `${bucket}/exit`, body: JSON.stringify({ reason: "boom" }) };
    case "put":
      return { method: "PUT", path: `${bucket}/keys/${change.key}`, body: textOf(change.value) };
    case "delete":
      return { method: "DELETE", path: `${bucket}/keys/${change.key}` };
    case "pair": {
      const value = textOf(change.value);
      const then = change.keys.map((key) => ({ op: "put", key, value }));
      return { method: "POST", path: `${bucket}/transaction`, body: JSON.stringify({ then }) };
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The client's port of the connection. */
  readonly localPort: number;
}

/** One request. Not `fetch`: it does not tell on which connection a response came. */
export async function ask(
  port: number,
  method: string,
  path: string,
  { body, agent }: { body?: string | undefined; agent?: Agent } = {},
): Promise<Answer> {
  const asked = request({ host: "127.0.0.1", port, method, path, ...(agent && { agent }) });
  let localPort = 0;
  asked.once("socket", (socket: Socket) => {
    if (socket.connecting) socket.once("connect", () => (localPort = socket.localPort ?? 0));
    else localPort = socket.localPort ?? 0;
  });
  asked.end(body);
  const [response] = (await once(asked, "response")) as [AsyncIterable<Buffer> & { statusCode?: number }];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString(), localPort };
}
