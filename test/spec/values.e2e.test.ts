/** The conformance suite of values: over the client, HTTP and the text protocol. */

import { afterAll } from "vitest";
import { Kv, KvError, text as textCodec, type Bucket } from "../../src/client/index.ts";
import { valuesSuite, type Values } from "../support/values-suite.ts";
import { server } from "../e2e/support/shared-server.ts";
import { openTcp } from "../e2e/support/transports.ts";

const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
});

async function opened(name: string, state: "empty" | "missing"): Promise<Bucket<Record<string, string>>> {
  const kv = new Kv({ url: server.http });
  if (state === "empty") await kv.create(name);
  return kv.bucket<Record<string, string>>(name, { codec: textCodec });
}

function values(bucket: Bucket<Record<string, string>>): Values {
  return {
    put: async (key, value, options = {}) => void (await bucket.put(key, value, options)),
    get: (key) => bucket.get(key),
    delete: async (key, options = {}) => void (await bucket.delete(key, options)),
    getAndDelete: (key) => bucket.getAndDelete(key),
    increment: async (key, options = {}) => BigInt((await bucket.increment(key, options)).value),
    keys: async (prefix) => {
      const keys = [];
      for await (const { key } of bucket.list({ prefix })) keys.push(key);
      return keys;
    },
    more: {
      entry: async (key) => {
        const entry = await bucket.entry(key);
        return entry && { ...entry, value: entry.value ?? "" };
      },
      list: async (query) => {
        const keys = [];
        for await (const { key } of bucket.list(query)) keys.push(key);
        return keys;
      },
      batch: async (operations) =>
        (await bucket.batch(operations)).map((result) => {
          if (result instanceof KvError) return result.code;
          if (result.op !== "get" && result.op !== "getAndDelete") return "ok";
          return result.found ? (result.value ?? "") : "absent";
        }),
      transaction: async (transaction) => (await bucket.transaction(transaction)).succeeded,
    },
  };
}

valuesSuite("the client, over HTTP", async (name, state) => values(await opened(name, state)));

valuesSuite("the client, over WebSocket", async (name, state) => {
  const session = (await opened(name, state)).session();
  closers.push(() => session.close());
  return values(session.bucket);
});

valuesSuite("HTTP", async (name, state) => {
  const base = `${server.http}/v1/buckets/${name}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(base + path, init);
    if (response.ok) return response;
    throw Object.assign(new Error("refused"), (await response.json()) as object);
  };
  const pathOf = (key: string): string =>
    key === "." || key === ".." || key === ""
      ? `/keys/?key64=${Buffer.from(key).toString("base64url")}`
      : `/keys/${encodeURIComponent(key)}`;
  const post = (path: string, json: unknown): Promise<Response> =>
    ask(path, { method: "POST", body: JSON.stringify(json) });
  const orUndefined = async (work: () => Promise<Response>): Promise<Response | undefined> => {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: string }).code === "key_not_found") return undefined;
      throw error;
    }
  };
  const list = async (query: Record<string, unknown>): Promise<string[]> => {
    const text = new URLSearchParams(Object.entries(query).map(([k, v]): [string, string] => [k, String(v)]));
    const { keys } = (await (await ask(`/keys?${text}`)).json()) as { keys: { key: string }[] };
    return keys.map(({ key }) => key);
  };
  if (state === "empty") await ask("", { method: "PUT" });
  return {
    put: async (key, value, { ttl, metadata, ifMatch, ifNoneMatch } = {}) => {
      const query = new URLSearchParams(pathOf(key).split("?")[1]);
      if (ttl !== undefined) query.set("ttl", String(ttl));
      if (metadata !== undefined) query.set("metadata", JSON.stringify(metadata));
      await ask(`${pathOf(key).split("?")[0]}?${query}`, {
        method: "PUT",
        body: value,
        headers: {
          "Content-Type": "text/plain; charset=utf-8",
          ...(ifMatch === undefined ? {} : { "If-Match": `"${ifMatch}"` }),
          ...(ifNoneMatch === undefined ? {} : { "If-None-Match": ifNoneMatch }),
        },
      });
    },
    get: async (key) => (await orUndefined(() => ask(pathOf(key))))?.text(),
    delete: async (key, { ifMatch } = {}) => {
      const headers = ifMatch === undefined ? undefined : { "If-Match": `"${ifMatch}"` };
      await ask(pathOf(key), { method: "DELETE", ...(headers && { headers }) });
    },
    getAndDelete: async (key) => {
      const [path, query = ""] = pathOf(key).split("?");
      const place = query === "" ? `${path}/get-and-delete` : `${path}-/get-and-delete?${query}`;
      return (await orUndefined(() => ask(place, { method: "POST" })))?.text();
    },
    increment: async (key, options = {}) => {
      const answer = await post(`/keys/${encodeURIComponent(key)}/increment`, options);
      return BigInt(((await answer.json()) as { value: number | string }).value);
    },
    keys: (prefix) => list({ prefix }),
    more: {
      entry: async (key) => {
        const found = await orUndefined(() => ask(pathOf(key)));
        if (found === undefined) return undefined;
        const { headers } = found;
        const expires = headers.get("KV-Expires");
        const metadata = headers.get("KV-Metadata");
        return {
          value: await found.text(),
          revision: Number(headers.get("KV-Revision")),
          etag: (headers.get("ETag") ?? "").replaceAll('"', ""),
          metadata: metadata === null ? undefined : JSON.parse(metadata),
          expires: expires === null ? undefined : new Date(expires),
        };
      },
      list,
      batch: async (operations) => {
        const { results } = (await (await post("/batch", operations)).json()) as {
          results: { found?: boolean; value?: string; error?: { code: string } }[];
        };
        return results.map(({ found, value, error }) => {
          if (error !== undefined) return error.code;
          if (found === undefined) return "ok";
          return found ? (value ?? "") : "absent";
        });
      },
      transaction: async (transaction) =>
        ((await (await post("/transaction", transaction)).json()) as { succeeded: boolean }).succeeded,
    },
  };
});

/** A value or key in the text protocol's quotes, which any text can be written in. */
const quoted = (text: string): string => JSON.stringify(text);

valuesSuite("the text protocol", async (name, state) => {
  const { ask, close } = await openTcp(server.tcpPort);
  closers.push(close);
  if (state === "empty") await ask(`CREATE ${name}\n`, 1);
  const failed = (line: string): Error => {
    const code = line.startsWith("NOT FOUND") ? "bucket_not_found" : (line.split(" ")[1] ?? "").toLowerCase();
    return Object.assign(new Error(line), { code });
  };
  /** The lines before `OK`; those who wait for one more line than comes would wait for ever. */
  const runNow = async (command: string): Promise<string[]> => {
    const lines: string[] = [];
    for (let next = await ask(`${command}\n`, 1); ; next = await ask("", 1)) {
      const line = next.replace(/\r\n$/, "");
      if (line === "OK") return lines;
      if (line === "NOT FOUND" || line.startsWith("ERROR ")) throw failed(line);
      lines.push(line);
    }
  };
  /** A reply is read line by line, so there is one command at a time. */
  let turn: Promise<unknown> = Promise.resolve();
  const run = (command: string): Promise<string[]> => {
    const ran = turn.then(() => runNow(command));
    turn = ran.catch(() => undefined);
    return ran;
  };
  const printed = (line: string): string => (line.startsWith('"') ? (JSON.parse(line) as string) : line);
  return {
    put: async (key, value) => void (await run(`PUT ${name} ${quoted(key)} ${quoted(value)}`)),
    get: async (key) => {
      const keys = (await run(`KEYS ${name}`)).map(printed);
      const [line = ""] = await run(`GET ${name} ${quoted(key)}`);
      // The protocol shows nothing for what is not there, and for an empty value.
      return keys.includes(key) ? printed(line) : undefined;
    },
    delete: async (key) => void (await run(`DELETE ${name} ${quoted(key)}`)),
    getAndDelete: async (key) => {
      const [line = ""] = await run(`GETDEL ${name} ${quoted(key)}`);
      return line === "" ? undefined : printed(line);
    },
    increment: async (key, { by = 1 } = {}) =>
      BigInt((await run(`INCR ${name} ${quoted(key)} ${by}`))[0] ?? ""),
    keys: async (prefix) => (await run(`KEYS ${name} ${quoted(prefix)}`)).map(printed),
  };
});
