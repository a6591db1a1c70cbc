/** Callers: each carries out operations of a history, over one of the ways to the service. */

import { Kv, text } from "../../../src/client/index.ts";
import { openTcp, type TcpConversation } from "../../e2e/support/transports.ts";
import type { Operation, Result } from "../check/history.ts";
import type { Target } from "../faults/target.ts";
import { ask, type Answer, Impossible, TIMEOUT_MS } from "./http.ts";

export interface Caller {
  /** Whether it can carry out such an operation. */
  can(operation: Operation): boolean;
  /** @returns undefined if the outcome is unknown @throws {Impossible} */
  run(operation: Operation): Promise<Result | undefined>;
  close(): void;
}

const SIMPLE: ReadonlySet<Operation["does"]> = new Set(["get", "put", "delete", "take", "increment"]);

/** Over HTTP: everything. */
export class HttpCaller implements Caller {
  readonly #target: Target;
  readonly #path: string;
  /** The ETag under which a value was read, by key and value: a transaction stores one value under two keys. */
  readonly #etags = new Map<string, string>();

  constructor(target: Target, bucket: string) {
    this.#target = target;
    this.#path = `/v1/buckets/${bucket}`;
  }

  can(operation: Operation): boolean {
    return operation.does !== "replace" || this.#etags.has(`${operation.key} ${operation.expected}`);
  }

  close(): void {}

  async run(operation: Operation): Promise<Result | undefined> {
    const answer = await this.#ask(operation);
    if (answer === undefined) return undefined;
    const { status, code } = answer;
    if (code === "key_not_found") return operation.does === "delete" ? true : null;
    if (status === 412) return false;
    if (status >= 300) throw new Impossible(`${operation.does}: ${status} ${answer.text}`);
    return this.#resultOf(operation, answer);
  }

  #ask(operation: Operation): Promise<Answer | undefined> {
    const target = this.#target;
    const one = "key" in operation ? `${this.#path}/keys/${operation.key}` : "";
    switch (operation.does) {
      case "get":
        return ask(target, "GET", one);
      case "put":
        return ask(target, "PUT", one, { body: operation.value });
      case "add":
        return ask(target, "PUT", one, { body: operation.value, headers: { "If-None-Match": "*" } });
      case "replace": {
        const headers = { "If-Match": this.#etags.get(`${operation.key} ${operation.expected}`) ?? "" };
        return ask(target, "PUT", one, { body: operation.value, headers });
      }
      case "delete":
        return ask(target, "DELETE", one);
      case "take":
        return ask(target, "POST", `${one}/get-and-delete`);
      case "increment":
        return ask(target, "POST", `${one}/increment`);
      case "both": {
        const { keys, value } = operation;
        const then = keys.map((key) => ({ op: "put", key, value }));
        return ask(target, "POST", `${this.#path}/transaction`, { body: JSON.stringify({ then }) });
      }
      case "list":
        return ask(target, "GET", `${this.#path}/keys?values=true`);
    }
  }

  #resultOf(operation: Operation, { text: body, etag }: Answer): Result {
    switch (operation.does) {
      case "get":
        this.#etags.set(`${operation.key} ${body}`, etag);
        return body;
      case "take":
        return body;
      case "increment":
        return String((JSON.parse(body) as { value: number }).value);
      case "list": {
        const { keys } = JSON.parse(body) as { keys: { key: string; value: string }[] };
        return Object.fromEntries(keys.map(({ key, value }) => [key, value]));
      }
      default:
        return true;
    }
  }
}

/** Over TCP, in the text protocol of the guide. */
export class TcpCaller implements Caller {
  readonly #target: Target;
  readonly #bucket: string;
  #conversation: TcpConversation | undefined;

  constructor(target: Target, bucket: string) {
    this.#target = target;
    this.#bucket = bucket;
  }

  can({ does }: Operation): boolean {
    return SIMPLE.has(does);
  }

  close(): void {
    this.#conversation?.close();
    this.#conversation = undefined;
  }

  async run(operation: Operation): Promise<Result | undefined> {
    await this.#target.up;
    try {
      this.#conversation ??= await openTcp(this.#target.tcp.port);
      const conversation = this.#conversation;
      conversation.send(`${lineOf(operation, this.#bucket)}\n`);
      const first = await within(conversation.take(1));
      if (first === "NOT FOUND\r\n") throw new Impossible(`${operation.does} over TCP: NOT FOUND`);
      if (first.startsWith("ERROR ")) return undefined;
      if (operation.does === "put" || operation.does === "delete") return true;
      await within(conversation.take(1));
      return first === "\r\n" ? null : first.slice(0, -2);
    } catch (error) {
      if (error instanceof Impossible) throw error;
      this.close();
      return undefined;
    }
  }
}

const WORDS: Readonly<Partial<Record<Operation["does"], string>>> = {
  get: "GET",
  put: "PUT",
  delete: "DELETE",
  take: "GETDEL",
  increment: "INCR",
};

function lineOf(operation: Operation, bucket: string): string {
  const parts = "key" in operation ? [operation.key] : [];
  if ("value" in operation) parts.push(operation.value);
  return [WORDS[operation.does], bucket, ...parts].join(" ");
}

/** Through the published client's session, a WebSocket. */
export class SessionCaller implements Caller {
  readonly #target: Target;
  readonly #name: string;
  #session: ReturnType<SessionCaller["open"]> | undefined;

  constructor(target: Target, bucket: string) {
    this.#target = target;
    this.#name = bucket;
  }

  can({ does }: Operation): boolean {
    return SIMPLE.has(does);
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  open() {
    const kv = new Kv({ url: this.#target.url, timeoutMs: TIMEOUT_MS, retries: 0 });
    return kv.bucket(this.#name, { codec: text }).session();
  }

  async run(operation: Operation): Promise<Result | undefined> {
    await this.#target.up;
    const session = (this.#session ??= this.open());
    try {
      switch (operation.does) {
        case "get":
          return (await session.bucket.get(operation.key)) ?? null;
        case "put":
          await session.bucket.put(operation.key, operation.value);
          return true;
        case "delete":
          await session.bucket.delete(operation.key);
          return true;
        case "take":
          return (await session.bucket.getAndDelete(operation.key)) ?? null;
        case "increment":
          return String((await session.bucket.increment(operation.key)).value);
        default:
          return undefined;
      }
    } catch (error) {
      const { code } = error as { readonly code?: string };
      if (code === "bucket_not_found") throw new Impossible(`${operation.does} in a session: ${code}`);
      this.close();
      return undefined;
    }
  }
}

/** @throws if it takes too long */
export async function within<T>(promise: Promise<T>, ms = TIMEOUT_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), ms);
  });
  // A line that comes after all is nobody's any more.
  promise.catch(() => undefined);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
