/** Sessions: WebSockets on which a bucket is asked in JSON, many requests in one message. */

import { CLOSE_GOING_AWAY, CLOSE_RESTART } from "../close-codes.ts";
import { behind } from "../cursor.ts";
import { failure, failureOf } from "../errors.ts";
import { MAX_PAGE } from "../limits.ts";
import { callHere } from "../otp/call.ts";
import { isExit, type Answered } from "../otp/exit.ts";
import { Serial } from "../otp/serial.ts";
import { check, parseJson } from "../wire/check.ts";
import { operationsOf, transactionOf } from "../wire/operations.ts";
import { SessionMessageJson, SessionRequestJson } from "../wire/session.ts";
import type { ListQuery } from "./entry.ts";
import { onceFor, type Idempotency } from "./idempotency.ts";
import type { Operation } from "./operations.ts";
import type { Transaction } from "./transaction.ts";

/** The tag of sessions' sockets. */
export const SESSION = "session";

/**
 * Characters of answers in one message; one more may come on top, of up to twelve million. The platform's
 * limit is 32 MiB.
 */
const MAX_ANSWERS_LENGTH = 2 * 1_048_576;
const TOO_MUCH = failure(
  "answers_too_long",
  "The answers to this message are too long. This request was not done: send it in another message.",
);

/** What a session asks of its bucket. */
export interface SessionOwner {
  readonly batch: (operations: readonly Operation[]) => Answered<string>;
  readonly transact: (
    transaction: Transaction,
    idempotency?: Idempotency,
  ) => Answered<{ readonly result: string }>;
  readonly list: (query: ListQuery) => Answered<string>;
}

/**
 * A bucket's sessions, with hibernation. A message is a JSON array of requests, and is answered by one with an answer
 * for each: `{"id", "ok"}` or `{"id", "error"}`. The output gate holds it back until what was written is on disk.
 */
export class JsonSockets {
  readonly #ctx: DurableObjectState;
  readonly #owner: SessionOwner;
  readonly #turns = new Serial<WebSocket>();

  constructor(ctx: DurableObjectState, owner: SessionOwner) {
    this.#ctx = ctx;
    this.#owner = owner;
  }

  accept(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [SESSION]);
    return new Response(null, { status: 101, webSocket: client });
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#turns.run(socket, async () => {
      const text = await this.#answer(message);
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    });
  }

  closeAll(event: "DOWN" | "RESTARTED"): void {
    const [code, word] = event === "DOWN" ? [CLOSE_GOING_AWAY, "noproc"] : [CLOSE_RESTART, "restarted"];
    for (const socket of this.#ctx.getWebSockets(SESSION)) socket.close(code, word);
  }

  async #answer(message: string | ArrayBuffer): Promise<string> {
    let requests: { readonly id: number }[];
    try {
      const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
      requests = check(SessionMessageJson, parseJson(bytes), "body_invalid");
    } catch (error) {
      // Without an id: nobody can tell whose it is.
      return JSON.stringify([{ id: null, error: failureOf(error) }]);
    }
    const answers: string[] = [];
    let length = 0;
    for (const { id, ...request } of requests) {
      // What is no longer answered is no longer done.
      const full = length > MAX_ANSWERS_LENGTH;
      const answer = full
        ? JSON.stringify({ id, error: TOO_MUCH })
        : await this.#answerTo({ id, ...request });
      answers.push(answer);
      length += answer.length;
    }
    return `[${answers.join(",")}]`;
  }

  async #answerTo(request: { readonly id: number }): Promise<string> {
    const { id } = request;
    try {
      const ask = await this.#asked(check(SessionRequestJson, request, "body_invalid"));
      return `{"id":${id},"ok":${await callHere(ask)}}`;
    } catch (error) {
      const gone = isExit(error, "noproc");
      const why = gone
        ? failure("bucket_not_found", "The bucket of this session has ended.")
        : failureOf(error);
      return JSON.stringify({ id, error: why });
    }
  }

  /** What a request asks of the bucket. @throws {KvError} if it can't be asked */
  async #asked(request: SessionRequestJson): Promise<() => Answered<string>> {
    if ("batch" in request) {
      const operations = operationsOf(request.batch);
      return () => this.#owner.batch(operations);
    }
    if ("list" in request) {
      const { cursor, limit = MAX_PAGE, ...query } = request.list;
      const after = behind(cursor);
      return () => this.#owner.list({ ...query, after, limit });
    }
    const transaction = transactionOf(request.transaction);
    const idempotency = await onceFor(request.idempotencyKey, ["transaction", request.transaction]);
    return async () => {
      const answer = await this.#owner.transact(transaction, idempotency);
      return "reply" in answer ? { reply: answer.reply.result } : answer;
    };
  }
}
