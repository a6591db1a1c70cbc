/** What is written to a socket, and what waits for it. */

import { describe, expect, it } from "vitest";
import { SocketWriter } from "../../src/connection/socket-writer.ts";

function writer() {
  const { readable, writable } = new IdentityTransformStream();
  return { writer: new SocketWriter(writable.getWriter()), reader: readable.getReader() };
}

describe("what goes out", () => {
  it("is all of a reply, however long, to a client that reads", async () => {
    const { writer: out, reader } = writer();
    const written = out.write("x".repeat(20 * 1_048_576));
    let heard = 0;
    while (heard < 20 * 1_048_576) heard += (await reader.read()).value?.byteLength ?? 0;
    await written;
    expect(heard).toBe(20 * 1_048_576);
  });

  it("is what was said also where a slice would end in the middle of a character", async () => {
    const { writer: out, reader } = writer();
    const text = `x${"😀".repeat(200_000)}`;
    const written = out.write(text);
    const decoder = new TextDecoder();
    let heard = "";
    while (heard.length < text.length) heard += decoder.decode((await reader.read()).value, { stream: true });
    await written;
    expect(heard === text).toBe(true);
  });

  it("is no more of what was not asked for than four megabytes, while nothing is read", () => {
    const { writer: out } = writer();
    const megabyte = "x".repeat(1_048_576);
    const offered = Array.from({ length: 10 }, () => out.offer(megabyte));
    expect(offered).toEqual([
      ...Array.from({ length: 5 }, () => true),
      ...Array.from({ length: 5 }, () => false),
    ]);
  });

  it("is no more for all connections together than sixteen megabytes, but little is always taken", () => {
    const all = Array.from({ length: 30 }, writer);
    const taken = all.filter(({ writer: out }) => out.offer("x".repeat(1_048_576)));
    expect(taken.length).toBeLessThanOrEqual(16);
    expect(all.at(-1)?.writer.offer("little")).toBe(true);
  });
});
