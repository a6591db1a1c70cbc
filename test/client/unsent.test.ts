/** What a session never sent: it was not done, and that is said. */

import { describe, expect, it, vi } from "vitest";
import { BucketNotFoundError, Kv, type KvError, type KvOptions } from "../../src/client/index.ts";
import { NOWHERE } from "../e2e/support/nowhere.ts";
import { problem, scriptedWith, type Answer } from "../e2e/support/scripted-fetch.ts";

const caught = (work: Promise<unknown>): Promise<KvError> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => error as KvError,
  );

const NOT_DONE = { name: "ConnectionError", code: "not_connected", outcomeUnknown: false };

/** A platform whose WebSockets do what is told: in turn, and at last always the same. */
function sockets(...lives: readonly ("refused" | "silent" | "cut")[]) {
  let opened = 0;
  let closed = 0;
  class Scripted extends EventTarget {
    readonly #life = lives[Math.min(opened, lives.length - 1)];
    constructor() {
      super();
      opened += 1;
      if (this.#life !== "silent") {
        queueMicrotask(() => this.dispatchEvent(new Event(this.#life === "cut" ? "open" : "error")));
      }
    }
    send(): void {
      queueMicrotask(() => this.dispatchEvent(new Event("close")));
    }
    close(): void {
      closed += 1;
      this.dispatchEvent(new Event("close"));
    }
  }
  return { WebSocket: Scripted as unknown as typeof WebSocket, opened: () => opened, closed: () => closed };
}

function sessionOn(options: Partial<KvOptions>, ...answers: readonly Answer[]) {
  const { asked, kv } = scriptedWith(options, ...answers);
  return { asked, session: kv.bucket<Record<string, number>>("b").session() };
}

describe("a request over HTTP to an address where nothing listens", () => {
  it("was not sent, and says so, also for a write", async () => {
    const kv = new Kv({ url: NOWHERE, retries: 0 });
    const error = await caught(kv.bucket("b").put("a", 1));
    expect(error).toMatchObject(NOT_DONE);
    expect(error.message).toBe(
      "PUT /v1/buckets/b/keys/a was not sent: there is no connection to http://127.0.0.1:2.",
    );
  });

  it("may have been sent, for all that other failures say", async () => {
    for (const code of ["ECONNRESET", "UND_ERR_SOCKET", undefined]) {
      const cause = Object.assign(new Error("gone"), { code });
      const fetch = () => Promise.reject(new TypeError("fetch failed", { cause }));
      const error = await caught(new Kv({ url: NOWHERE, retries: 0, fetch }).bucket("b").put("a", 1));
      expect(error).toMatchObject({ code: "connection_lost", outcomeUnknown: true });
    }
  });
});

describe("a call that was sent, and whose retry was not", () => {
  const refused = (): Promise<never> => {
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    return Promise.reject(new TypeError("fetch failed", { cause }));
  };
  const putting = (...attempts: readonly (() => Promise<Response>)[]): Promise<KvError> => {
    let asked = 0;
    const fetch = (): Promise<Response> => (attempts[asked++] ?? refused)();
    const kv = new Kv({ url: NOWHERE, retryBaseMs: 0, retries: attempts.length, fetch });
    return caught(kv.bucket("b").increment("visits", { idempotencyKey: "k" }));
  };
  const broken = () => Promise.reject(new TypeError("fetch failed"));

  it.each([
    ["the connection was refused then", refused],
    ["it was too many then", () => Promise.resolve(problem(429, "too_many_connections"))],
    ["the token was wrong then", () => Promise.resolve(problem(401, "unauthorized"))],
    ["it was another host then", () => Promise.resolve(problem(421, "host_unknown"))],
    ["there was no such path then", () => Promise.resolve(problem(404, "path_not_found"))],
    ["it was too large then", () => Promise.resolve(problem(413, "body_too_large"))],
    ["the service could not do it then", () => Promise.resolve(problem(503, "upload_lost"))],
  ])("is not known to be undone: %s", async (_, second) => {
    expect(await putting(broken, second)).toMatchObject({ outcomeUnknown: true, code: "connection_lost" });
  });

  it("is known where the service has looked at it again", async () => {
    const looked = () => Promise.resolve(problem(409, "not_an_integer"));
    expect(await putting(broken, looked)).toMatchObject({ outcomeUnknown: false, code: "not_an_integer" });
  });

  it("says of a read why the last attempt failed", async () => {
    let asked = 0;
    const fetch = (): Promise<Response> =>
      (asked += 1) === 1 ? broken() : Promise.resolve(problem(401, "unauthorized"));
    const kv = new Kv({ url: NOWHERE, retryBaseMs: 0, fetch });
    expect(await caught(kv.lookup("b"))).toMatchObject({ code: "unauthorized", outcomeUnknown: false });
  });

  it("was never sent if no attempt was", async () => {
    expect(await putting(refused, refused)).toMatchObject(NOT_DONE);
  });
});

describe("a session that can't connect", () => {
  it("says so of a write, however long that would wait", async () => {
    const kv = new Kv({ url: NOWHERE, timeoutMs: 3_600_000, retryBaseMs: 1 });
    const session = kv.bucket("b").session();
    expect(await caught(session.bucket.put("a", 1))).toMatchObject(NOT_DONE);
    expect(await caught(session.bucket.get("a"))).toMatchObject(NOT_DONE);
    session.close();
  });

  it("has tried a few times, and asked each time why not, once", async () => {
    const { WebSocket, opened } = sockets("refused");
    const { asked, session } = sessionOn({ WebSocket });
    expect(await caught(session.bucket.put("a", 1))).toMatchObject(NOT_DONE);
    expect([opened(), asked.length]).toEqual([4, 4]);
    session.close();
  });

  it("has tried as often as the client is to", async () => {
    const { WebSocket, opened } = sockets("refused");
    const { session } = sessionOn({ WebSocket, retries: 0 });
    expect(await caught(session.bucket.put("a", 1))).toMatchObject(NOT_DONE);
    expect(opened()).toBe(1);
    session.close();
  });

  it("lets go of the connection that is opening when it is closed", async () => {
    const { WebSocket, opened, closed } = sockets("silent");
    const { asked, session } = sessionOn({ WebSocket });
    const call = caught(session.bucket.put("a", 1));
    await vi.waitUntil(() => opened() === 1, 30_000);
    session.close();
    expect(await call).toMatchObject({ code: "session_closed", outcomeUnknown: false });
    expect([closed(), asked.length]).toEqual([1, 0]);
  });

  it("says what the service says, if it has refused", async () => {
    const { WebSocket, opened } = sockets("refused");
    const { session } = sessionOn({ WebSocket }, problem(404, "bucket_not_found"));
    expect(await caught(session.bucket.put("a", 1))).toBeInstanceOf(BucketNotFoundError);
    expect(opened()).toBe(1);
    session.close();
  });

  it("tries again where the service could not, and says at last why not", async () => {
    const { WebSocket } = sockets("refused");
    const answers = Array.from({ length: 4 }, () => problem(503, "overloaded"));
    const { session } = sessionOn({ WebSocket }, ...answers);
    const error = await caught(session.bucket.put("a", 1));
    expect(error).toMatchObject({ ...NOT_DONE, cause: { code: "overloaded" } });
    session.close();
  });

  it("says so also where a call's time is over before", async () => {
    const { WebSocket } = sockets("silent");
    const { asked, session } = sessionOn({ WebSocket }, "hang");
    expect(await caught(session.bucket.put("a", 1, { timeoutMs: 1 }))).toMatchObject(NOT_DONE);
    expect(asked).toEqual([]);
    session.close();
  });

  it("gives up to connect after the client's time, too", async () => {
    const { WebSocket, opened } = sockets("silent");
    const { session } = sessionOn({ WebSocket, timeoutMs: 1 });
    expect(await caught(session.bucket.put("a", 1, { timeoutMs: 3_600_000 }))).toMatchObject(NOT_DONE);
    expect(opened()).toBe(4);
    session.close();
  });
});

describe("a transaction on a session whose connection breaks", () => {
  it("is sent again if it only reads", async () => {
    const { WebSocket, opened } = sockets("cut");
    const { session } = sessionOn({ WebSocket });
    const reads = session.bucket.transaction({ then: [{ op: "get", key: "a" }] });
    expect(await caught(reads)).toMatchObject({ code: "connection_lost" });
    expect(opened()).toBe(4);
    const writes = session.bucket.transaction({ else: [{ op: "delete", key: "a" }] });
    expect(await caught(writes)).toMatchObject({ code: "connection_lost" });
    expect(opened()).toBe(5);
    session.close();
  });
});

describe("a session that has sent a call before", () => {
  it("does not say that it was not done, if it can't connect again", async () => {
    const { WebSocket } = sockets("cut", "refused");
    const { session } = sessionOn({ WebSocket });
    const retried = { idempotencyKey: "k" };
    const error = await caught(session.bucket.transaction({}, retried));
    expect(error).toMatchObject({ code: "connection_lost", outcomeUnknown: true });
    session.close();
  });
});
