/** Sessions: WebSockets that carry requests to a bucket in JSON, many in one message. */

import { breath } from "../lib/breath.ts";
import { CLOSE_GOING_AWAY, CLOSE_RESTART } from "../lib/close-codes.ts";
import { decodeKeyCursor } from "../model/cursor.ts";
import { failure, failureOf } from "../model/errors.ts";
import { OUTSIDE } from "../lib/connections.ts";
import { ackOf } from "../lib/flow-window.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { callHere } from "../otp/call.ts";
import { isExit, type Answered } from "../otp/exit.ts";
import { Serial } from "../otp/serial.ts";
import { SocketFlow } from "../lib/socket-flow.ts";
import { check } from "../schema/check.ts";
import { operationsOf, transactionOf } from "../schema/operations.ts";
import { plainBatchOf, requestsOf, SessionRequestJson, type Received } from "../schema/session.ts";
import type { ListQuery } from "../model/entry.ts";
import { onceFor, type Idempotency } from "../model/idempotency.ts";
import type { Operation, Transaction } from "../model/operation.ts";
import { lengthOf } from "../model/value.ts";

/** The tag of the sessions' WebSockets. */
export const SESSION = "session";

/** The calls that a session makes to its bucket. */
export interface SessionOwner {
  /**
   * Runs batches in one transaction.
   * @returns the JSON texts of the first ones, until they have `limit` characters; none if one of several threw
   */
  readonly batches: (
    batches: readonly (readonly Operation[])[],
    limit: number,
  ) => Answered<readonly string[]>;
  readonly transact: (
    transaction: Transaction,
    idempotency?: Idempotency,
  ) => Answered<{ readonly result: string }>;
  readonly list: (query: ListQuery) => Answered<string>;
}

/**
 * No further request of a message is run once its answers have this many characters. The answer that exceeds the limit
 * may have up to twelve million more. The platform's limit for a message is 32 MiB.
 */
const MAX_ANSWERS_LENGTH = 2 * 1_048_576;
const TOO_MUCH = failure(
  "answers_too_long",
  "The answers to this message are too long. This request was not run: send it in another message.",
);

/** Batches are run in one transaction until they have so many operations, or bytes of values: others wait for its end. */
const MAX_GROUP = 256;
const MAX_GROUP_BYTES = 262_144;

/** The cost of a request, beside the length of its answer: see {@link breath}. */
const REQUEST_UNITS = 3;

const CLOSINGS = {
  DOWN: [CLOSE_GOING_AWAY, "noproc"],
  RESTARTED: [CLOSE_RESTART, "restarted"],
  SERVER_STOPPING: [CLOSE_RESTART, "server_stopping"],
} as const;

/**
 * A bucket's sessions, with hibernation. A message is a JSON array of requests. Its answer is an array with one element
 * for each request, in the same order: `{"id", "ok"}` or `{"id", "error"}`; the id is null if it can't be read. The
 * output gate holds the answer back until all writes are on disk.
 *
 * A client that receives much sends acks: `{"ack": 262144}`, the number of characters that it has read since its last
 * ack. An ack has no answer.
 */
export class Sessions {
  readonly #ctx: DurableObjectState;
  readonly #owner: SessionOwner;
  readonly #turns = new Serial<WebSocket>();
  readonly #flow = new SocketFlow();

  constructor(ctx: DurableObjectState, owner: SessionOwner) {
    this.#ctx = ctx;
    this.#owner = owner;
  }

  accept(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [SESSION, OUTSIDE]);
    return new Response(null, { status: 101, webSocket: client });
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const acked = ackOf(message);
    if (acked !== undefined) {
      this.#flow.acked(socket, acked);
      return;
    }
    if (!this.#flow.receive(socket, message)) return;
    try {
      await this.#turns.run(socket, async () => {
        // If the socket was closed meanwhile, the client can't get an answer, so its requests are not run.
        if (socket.readyState === WebSocket.OPEN) this.#flow.send(socket, await this.#answer(message));
      });
    } finally {
      this.#flow.answered(socket, message);
    }
  }

  forget(socket: WebSocket): void {
    this.#flow.forget(socket);
  }

  closeAll(why: keyof typeof CLOSINGS): void {
    const [code, word] = CLOSINGS[why];
    for (const socket of this.#ctx.getWebSockets(SESSION)) socket.close(code, word);
  }

  async #answer(message: string | ArrayBuffer): Promise<string> {
    let requests: readonly Received[];
    try {
      requests = await requestsOf(message);
    } catch (error) {
      // The message can't be read, so the request's id is unknown.
      return JSON.stringify([{ id: null, error: failureOf(error) }]);
    }
    const answers: string[] = [];
    let length = 0;
    while (answers.length < requests.length) {
      const { answers: more, bytes } = await this.#answerNext(
        requests,
        answers.length,
        MAX_ANSWERS_LENGTH - length,
      );
      let added = 0;
      for (const answer of more) added += answer.length;
      length += added;
      answers.push(...more);
      const pause = breath.takeBytes(bytes + added, REQUEST_UNITS * more.length);
      if (pause !== undefined) await pause;
    }
    return `[${answers.join(",")}]`;
  }

  /**
   * Answers the request at `first`; if it is a plain batch, together with those that follow it.
   * @param room characters; a request whose answer has no room is not run
   * @returns the answers, and how many bytes of values were stored, where that is known
   */
  async #answerNext(
    requests: readonly Received[],
    first: number,
    room: number,
  ): Promise<{ readonly answers: string[]; readonly bytes: number }> {
    const received = requests[first] as Received;
    if (room < 0) return { answers: [JSON.stringify({ id: received.id, error: TOO_MUCH })], bytes: 0 };
    const batches: Batch[] = [];
    let operations = 0;
    let bytes = 0;
    for (let at = first; at < requests.length && operations < MAX_GROUP; at += 1) {
      const batch = await plainBatch(requests[at] as Received);
      if (batch === undefined) break;
      const size = bytesOf(batch);
      // At least one, also if it is too much by itself.
      if (bytes + size > MAX_GROUP_BYTES && batches.length > 0) break;
      operations += batch.operations.length;
      bytes += size;
      batches.push(batch);
    }
    const isPlain = batches.length > 0;
    return {
      answers: isPlain ? await this.#runBatches(batches, room) : [await this.#answerTo(received)],
      bytes,
    };
  }

  async #runBatches(batches: readonly Batch[], room: number): Promise<string[]> {
    try {
      const each = batches.map(({ operations }) => operations);
      const texts = await callHere(() => this.#owner.batches(each, room));
      if (texts.length === 0) return await this.#runOneByOne(batches, room);
      return texts.map((text, index) => `{"id":${(batches[index] as Batch).id},"ok":${text}}`);
    } catch (error) {
      return batches.map(({ id }) => errorText(id, error));
    }
  }

  /** Runs batches each in a transaction of its own. @returns the answers of the first ones, until they have no `room` */
  async #runOneByOne(batches: readonly Batch[], room: number): Promise<string[]> {
    const answers: string[] = [];
    let length = 0;
    for (const batch of batches) {
      const [answer = ""] = await this.#runBatches([batch], room - length);
      answers.push(answer);
      length += answer.length;
      if (length > room) break;
    }
    return answers;
  }

  async #answerTo(received: Received): Promise<string> {
    const { id } = received;
    if ("error" in received) return JSON.stringify({ id, error: failureOf(received.error) });
    const { request } = received;
    try {
      const call = await this.#callOf(check(SessionRequestJson, request, "body_invalid"));
      return `{"id":${id},"ok":${await callHere(call)}}`;
    } catch (error) {
      return errorText(id, error);
    }
  }

  /** The call that a request makes. @throws {KvError} if the request is invalid */
  async #callOf(request: SessionRequestJson): Promise<() => Answered<string>> {
    if ("batch" in request) {
      const operations = await operationsOf(request.batch);
      return async () => {
        const answer = await this.#owner.batches([operations], 0);
        return "reply" in answer ? { reply: answer.reply[0] ?? "" } : answer;
      };
    }
    if ("list" in request) {
      const { cursor, limit = MAX_PAGE, ...query } = request.list;
      const place = decodeKeyCursor(cursor);
      return () => this.#owner.list({ ...query, ...place, limit });
    }
    const transaction = await transactionOf(request.transaction);
    const idempotency = await onceFor(request.idempotencyKey, ["transaction", transaction]);
    return async () => {
      const answer = await this.#owner.transact(transaction, idempotency);
      return "reply" in answer ? { reply: answer.reply.result } : answer;
    };
  }
}

interface Batch {
  readonly id: number;
  readonly operations: readonly Operation[];
}

/** Bytes, or characters, of the values that a batch stores. */
function bytesOf({ operations }: Batch): number {
  return operations.reduce(
    (sum, operation) => sum + (operation.op === "put" ? lengthOf(operation.value) : 0),
    0,
  );
}

/** A request that is a batch of the most frequent forms; undefined if it is another one, or has an error. */
async function plainBatch(received: Received): Promise<Batch | undefined> {
  if ("error" in received) return undefined;
  const { id, request } = received;
  const batch = plainBatchOf(request);
  if (batch === undefined) return undefined;
  try {
    return { id, operations: await operationsOf(batch) };
  } catch {
    return undefined; // answered where it is alone
  }
}

function errorText(id: number | null, error: unknown): string {
  const gone = isExit(error, "noproc");
  const why = gone ? failure("bucket_not_found", "The bucket of this session has ended.") : failureOf(error);
  return JSON.stringify({ id, error: why });
}
