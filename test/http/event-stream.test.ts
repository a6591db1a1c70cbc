/** The response of Server-Sent Events: what it holds for its client, and when it ends. */

import { afterEach, describe, expect, it, onTestFinished, vi, type Mock } from "vitest";
import { EventStream, type EventStreamOptions } from "../../src/http/event-stream.ts";
import { Budget } from "../../src/lib/budget.ts";
import { connections } from "../../src/lib/connections.ts";

const decoder = new TextDecoder();

interface Opened {
  readonly stream: EventStream;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly unread: Budget;
  readonly closed: Mock<() => void>;
}

function open(options: Partial<EventStreamOptions> = {}): Opened {
  const unread = options.unread ?? new Budget({ each: Infinity, all: Infinity, share: Infinity });
  const closed = vi.fn<() => void>();
  const stream = new EventStream({
    heartbeatMs: 60_000,
    keepAlive: () => undefined,
    closed,
    ...options,
    unread,
  });
  onTestFinished(() => stream.discard());
  const { body } = stream.response();
  return { stream, reader: (body as ReadableStream<Uint8Array>).getReader(), unread, closed };
}

/** How many places are taken. */
function places(): number {
  let count = 0;
  for (connections.limit = 1; connections.full; connections.limit = count + 1) count += 1;
  connections.limit = Infinity;
  return count;
}

/** The next chunk as text; undefined at the end. */
async function next({ reader }: Opened): Promise<string | undefined> {
  const { value, done } = await reader.read();
  return done ? undefined : decoder.decode(value);
}

describe("what a client has not read", () => {
  it("counts until the client reads on, and then its sender is told", async () => {
    const taken = vi.fn<(characters: number) => void>();
    const opened = open({ taken });
    opened.stream.write("milk");
    opened.stream.write("eggs!");
    expect(opened.unread.used).toBe(9);
    expect(await next(opened)).toBe("milkeggs!");
    const more = next(opened);
    expect(taken.mock.calls).toEqual([[9]]);
    expect(opened.unread.used).toBe(0);
    opened.stream.write("more");
    expect(await more).toBe("more");
  });

  it("ends the stream if it does not fit the window, after all that was written", async () => {
    const opened = open({ unread: new Budget({ each: 8, all: 100, share: 0 }) });
    opened.stream.write("milk");
    expect(opened.closed).not.toHaveBeenCalled();
    opened.stream.write("eggs!");
    opened.stream.write("too late");
    expect(opened.closed).toHaveBeenCalledOnce();
    expect([await next(opened), await next(opened)]).toEqual(["milkeggs!", undefined]);
    expect(opened.unread.used).toBe(0);
  });

  it("is nothing after an empty write, which does not end the stream", async () => {
    const opened = open();
    const waits = next(opened);
    opened.stream.write("");
    opened.stream.write("milk");
    expect(await waits).toBe("milk");
  });

  it("comes in chunks, however much waits", async () => {
    const opened = open();
    for (let n = 0; n < 4; n += 1) opened.stream.write(String(n).repeat(40_000));
    expect([(await next(opened))?.length, (await next(opened))?.length]).toEqual([80_000, 80_000]);
  });
});

describe("a client that goes", () => {
  it("ends its stream at once, if it has not read", async () => {
    const opened = open();
    opened.stream.write("unread");
    await opened.reader.cancel();
    expect(opened.closed).toHaveBeenCalledOnce();
    expect(opened.unread.used).toBe(0);
    opened.stream.write("nobody reads this");
    expect(opened.unread.used).toBe(0);
  });

  it("ends its stream at once, if it waits for more", async () => {
    const opened = open();
    const waits = opened.reader.read();
    await opened.reader.cancel();
    expect(opened.closed).toHaveBeenCalledOnce();
    expect(await waits).toMatchObject({ done: true });
  });

  it("gives its place back", async () => {
    onTestFinished(() => {
      connections.limit = Infinity;
    });
    const before = places();
    const opened = open();
    expect(places()).toBe(before + 1);
    connections.limit = before + 1;
    expect(() => open()).toThrow("connection limit");
    connections.limit = Infinity;
    await opened.reader.cancel();
    expect(places()).toBe(before);
  });
});

describe("the end of a stream", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("waits for its reader, however long, if little is unread: the DOWN of a monitor is not lost", async () => {
    vi.useFakeTimers();
    const opened = open();
    opened.stream.send({ id: "1", event: "DOWN", data: { reason: "normal" } });
    opened.stream.close();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(await next(opened)).toBe('id: 1\nevent: DOWN\ndata: {"reason":"normal"}\n\n');
    expect(await next(opened)).toBeUndefined();
  });

  it("waits 10 seconds if much is unread", async () => {
    vi.useFakeTimers();
    const opened = open();
    opened.stream.write("x".repeat(100_000));
    opened.stream.close();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(opened.unread.used).toBe(100_000);
    await vi.advanceTimersByTimeAsync(1);
    expect(opened.unread.used).toBe(0);
    await expect(next(opened)).rejects.toThrow("does not read");
  });

  it("comes at once to a client that has read everything and waits", async () => {
    const opened = open();
    const waits = next(opened);
    opened.stream.close();
    expect(await waits).toBeUndefined();
  });
});

describe("a heartbeat", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is written while nothing waits", async () => {
    vi.useFakeTimers();
    const opened = open({ heartbeatMs: 1_000 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await next(opened)).toBe(": still here\n\n");
  });
});
