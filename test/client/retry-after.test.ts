/** What the service says of when to come back, and what the client does about it. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type KvError } from "../../src/client/index.ts";
import { events, problem, scriptedWith, value, type Answer } from "../e2e/support/scripted-fetch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const later = (retryAfter: string, status = 503, code = "overloaded"): Response => {
  const answer = problem(status, code);
  answer.headers.set("Retry-After", retryAfter);
  return answer;
};

const asking = (...answers: readonly Answer[]) => {
  const { asked, kv } = scriptedWith({ timeoutMs: 10_000 }, ...answers);
  const got = kv
    .bucket("b")
    .get("a")
    .catch((error: unknown) => error as KvError);
  return { asked, got };
};

describe("Retry-After", () => {
  it("is heeded: nothing is asked before, and then it is", async () => {
    const { asked, got } = asking(later("1"), value(1));
    await vi.advanceTimersByTimeAsync(999);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
    expect(await got).toBe(1);
  });

  it("may be a date", async () => {
    vi.setSystemTime(new Date("2030-01-01T00:00:00Z"));
    const { asked, got } = asking(later("Tue, 01 Jan 2030 00:00:02 GMT"), value(1));
    await vi.advanceTimersByTimeAsync(1_999);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await got).toBe(1);
  });

  it.each(["soon", "-1", ""])("that is none, %j, is no reason to wait", async (none) => {
    const { asked, got } = asking(later(none), value(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(await got).toBe(1);
    expect(asked).toHaveLength(2);
  });

  it("of something on the way is heeded, too", async () => {
    const { asked, got } = asking(
      new Response("busy", { status: 429, headers: { "Retry-After": "3" } }),
      value(1),
    );
    await vi.advanceTimersByTimeAsync(2_999);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await got).toBe(1);
  });

  it("behind the call's deadline ends it at once, with what the service has said", async () => {
    const { asked, got } = asking(later("11"), value(1));
    expect(await got).toMatchObject({ code: "overloaded", status: 503, retryAfterMs: 11_000 });
    expect(asked).toHaveLength(1);
  });

  it("is told of a write, which is not repeated", async () => {
    const { asked, kv } = scriptedWith({}, later("1"));
    const error: unknown = await kv
      .bucket("b")
      .put("a", 1)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "overloaded", retryAfterMs: 1_000 });
    expect(asked).toHaveLength(1);
  });

  it("is heeded by a stream that comes back", async () => {
    const put = (revision: number): Response =>
      events(
        `id: i-${revision}\nevent: put\ndata: ${JSON.stringify({ key: "a", revision, etag: "i", type: "", value: "1" })}\n\n`,
      );
    const { asked, kv } = scriptedWith(
      { silenceMs: 3_600_000 },
      put(1),
      later("60", 503, "too_many_connections"),
      put(2),
    );
    const changes = kv.bucket("b").watch();
    expect(await changes.next()).toMatchObject({ value: { revision: 1 } });
    const next = changes.next();
    await vi.waitUntil(() => asked.length === 2);
    await vi.advanceTimersByTimeAsync(59_900);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(300);
    expect(await next).toMatchObject({ value: { revision: 2 } });
    await changes.return();
  });
});
