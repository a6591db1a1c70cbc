/**
 * The minimal Worker to compare with: one object, or one for each name, with durable puts and gets over the same
 * transports. It has no registry, limits, tokens or errors, so the difference is the cost of this service.
 */

import { DurableObject } from "cloudflare:workers";
import { Values } from "./values.ts";

interface Env {
  readonly STORE: DurableObjectNamespace<Store>;
}

const OBJECTS = "/objects/";

export class Store extends DurableObject<Env> {
  readonly #sql = this.ctx.storage.sql;
  readonly #values = new Values(this.ctx.storage);

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value) WITHOUT ROWID");
    this.#values.createTable();
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade") === "websocket") {
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    if (request.url.includes("/values/")) return this.#values.serve(request);
    const key = request.url.slice(request.url.lastIndexOf("/") + 1);
    if (request.method === "PUT") {
      this.put(key, await request.text());
      return new Response(null, { status: 204 });
    }
    return new Response(this.get(key) ?? null);
  }

  override webSocketMessage(socket: WebSocket, message: string): void {
    socket.send(this.run(message.split("\n")));
  }

  run(lines: readonly string[]): string {
    let replies = "";
    for (const line of lines) {
      const [verb, , key, value] = line.split(" ");
      if (verb === "PUT") {
        this.put(key as string, value as string);
        replies += "OK\r\n";
      } else {
        replies += `${this.get(key as string) as string}\r\nOK\r\n`;
      }
    }
    return replies;
  }

  private put(key: string, value: ArrayBuffer | string): void {
    this.#sql.exec("INSERT OR REPLACE INTO entries VALUES (?, ?)", key, value);
  }

  private get(key: string): ArrayBuffer | string | undefined {
    return this.#sql
      .exec<{ value: ArrayBuffer | string }>("SELECT value FROM entries WHERE key = ?", key)
      .toArray()[0]?.value;
  }
}

export default {
  fetch(request, env): Promise<Response> {
    return env.STORE.get(idOf(request.url, env)).fetch(request);
  },

  async connect(socket, env): Promise<void> {
    const store = env.STORE.get(env.STORE.idFromName("store"));
    const writer = socket.writable.getWriter();
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    let rest = "";
    for await (const chunk of socket.readable as ReadableStream<Uint8Array>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (lines.length > 0) await writer.write(encoder.encode(await store.run(lines)));
    }
  },
} satisfies ExportedHandler<Env>;

/** `/create/…` is a new object, `/objects/{name}/{key}` the object of that name, and all else one object. */
function idOf(url: string, { STORE }: Env): DurableObjectId {
  if (url.includes("/create/")) return STORE.newUniqueId();
  const at = url.indexOf(OBJECTS);
  return STORE.idFromName(at === -1 ? "store" : url.slice(at + OBJECTS.length, url.lastIndexOf("/")));
}
