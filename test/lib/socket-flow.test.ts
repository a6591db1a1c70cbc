/** Bytes on WebSockets that their clients have not acknowledged. */

import { describe, expect, it, vi } from "vitest";
import { SocketFlow } from "../../src/lib/socket-flow.ts";

const LIMITS = {
  waiting: { each: 3 * 2_048, all: 5 * 2_048, share: 2_048 + 10 },
  unread: { each: 30, all: 50, share: 10 },
};

/** As much of a socket as the flow uses. */
function socket() {
  const sent: string[] = [];
  const one = {
    readyState: WebSocket.OPEN,
    sent,
    send: (text: string) => void sent.push(text),
    close: vi.fn<(code: number, reason: string) => void>(() => {
      one.readyState = WebSocket.CLOSING;
    }),
  };
  return one as typeof one & WebSocket;
}

describe("the flow on sockets", () => {
  it("closes one that is sent more than it reads, with 1013 and the reason, and sends it nothing more", () => {
    const flow = new SocketFlow(LIMITS);
    const one = socket();
    expect([flow.send(one, "x".repeat(30)), flow.send(one, "y")]).toEqual([true, false]);
    expect(one.close).toHaveBeenCalledExactlyOnceWith(1013, "slow_reader");
    expect(flow.send(one, "z")).toBe(false);
    expect(one.sent).toEqual(["x".repeat(30)]);
  });

  it("takes a message for a sign that what was sent has been read, unless another one waits for its answer", () => {
    const flow = new SocketFlow(LIMITS);
    const one = socket();
    flow.send(one, "x".repeat(30));
    expect(flow.receive(one, "next")).toBe(true);
    expect(flow.send(one, "x".repeat(30))).toBe(true);
    // It may have been sent long before that was read.
    expect(flow.receive(one, "waits")).toBe(true);
    expect(flow.send(one, "y")).toBe(false);
  });

  it("counts what the client says that it has read", () => {
    const flow = new SocketFlow(LIMITS);
    const one = socket();
    flow.send(one, "x".repeat(30));
    flow.acked(one, 10);
    expect(flow.send(one, "x".repeat(10))).toBe(true);
    flow.acked(one);
    expect(flow.send(one, "x".repeat(30))).toBe(true);
  });

  it("closes one whose messages wait for too many replies", () => {
    const flow = new SocketFlow(LIMITS);
    const one = socket();
    expect([flow.receive(one, ""), flow.receive(one, ""), flow.receive(one, "")]).toEqual([true, true, true]);
    flow.answered(one, "");
    expect(flow.receive(one, "")).toBe(true);
    expect(flow.receive(one, "")).toBe(false);
    expect(one.close).toHaveBeenCalledExactlyOnceWith(1013, "too many messages before their replies");
  });

  it("bounds what all sockets have together, also what those have not read that were closed, until they are gone", () => {
    const flow = new SocketFlow(LIMITS);
    const [first, second, third, modest] = [socket(), socket(), socket(), socket()];
    flow.send(first, "x".repeat(30));
    flow.send(second, "x".repeat(20));
    expect(flow.send(third, "x".repeat(11))).toBe(false);
    expect(flow.send(modest, "x".repeat(10))).toBe(true);
    const next = socket();
    expect(flow.send(next, "x".repeat(11))).toBe(false);
    flow.forget(first);
    expect(flow.send(socket(), "x".repeat(11))).toBe(true);
  });
});
