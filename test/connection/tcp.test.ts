/** The text protocol on TCP: login, and the end of a server. */

import { describe, expect, it, vi } from "vitest";
import { Connections } from "../../src/lib/connections.ts";
import { Auth } from "../../src/config/auth.ts";
import { Login } from "../../src/connection/login.ts";
import { serveTcp } from "../../src/connection/tcp.ts";
import { isolate } from "../support/directories.ts";

const TOKEN = "correct horse battery staple";
const locked = new Auth({ token: TOKEN, openOnLoopback: false });

/** A connection without a network: the server's end, and what its client does. */
function connection({ reads = true }: { readonly reads?: boolean } = {}) {
  const [up, down] = [new IdentityTransformStream(), new IdentityTransformStream()];
  const closed = Promise.withResolvers<void>();
  const socket = {
    readable: up.readable,
    writable: down.writable,
    closed: closed.promise,
    close: async () => closed.resolve(),
  } as unknown as Socket;
  const writer = up.writable.getWriter();
  return {
    socket,
    send: (text: string) => writer.write(new TextEncoder().encode(text)),
    hangUp: () => writer.close(),
    /** All that the server says until it closes. */
    heard: reads ? new Response(down.readable).text() : Promise.resolve(""),
  };
}

describe("a connection that has to log in", () => {
  it("is closed when it has not in time, whatever else it says", async () => {
    const { socket, send, hangUp, heard } = connection();
    const served = serveTcp(socket, isolate().directory, new Login(locked, "peer"), {
      loginWithinMs: 50,
      places: new Connections(),
    });
    await send("PING\nAUTH wrong\n");
    expect(await heard).toBe("PONG\r\nERROR UNAUTHORIZED\r\nERROR UNAUTHORIZED\r\n");
    await hangUp().catch(() => undefined);
    await served;
  });

  it("is closed also when it reads nothing of what it has asked for", async () => {
    const { socket, send } = connection({ reads: false });
    const served = serveTcp(socket, isolate().directory, new Login(locked, "peer"), {
      loginWithinMs: 10,
      places: new Connections(),
    });
    await send("HELP\n");
    await expect(served).resolves.toBeUndefined();
  });

  it("is left in peace when it has", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { socket, send, hangUp, heard } = connection();
      const served = serveTcp(socket, isolate().directory, new Login(locked, "peer"), {
        loginWithinMs: 50,
        places: new Connections(),
      });
      await send(`AUTH "${TOKEN}"\n`);
      await send("PING\n");
      await vi.advanceTimersByTimeAsync(10_000);
      await send("PING\n");
      await hangUp();
      expect(await heard).toBe("OK\r\nPONG\r\nPONG\r\n");
      await served;
    } finally {
      vi.useRealTimers();
    }
  });

  it("leaves its place when it ends", async () => {
    const places = new Connections();
    places.limit = 4;
    const [first, second] = [connection(), connection()];
    const served = serveTcp(first.socket, isolate().directory, new Login(locked, "peer"), { places });
    await first.send("PING\n");
    await serveTcp(second.socket, isolate().directory, new Login(locked, "peer"), { places });
    expect(await second.heard).toMatch(/^ERROR TOO_MANY_CONNECTIONS /);
    await first.hangUp();
    await served;
    expect(places.enter({ stranger: true, goodbye: () => undefined })).toBeDefined();
  });
});

describe("a connection of a server that ends", () => {
  it("hears the replies to what it has sent, then that the server ends, and is closed", async () => {
    const places = new Connections();
    const { socket, send, heard } = connection();
    const served = serveTcp(socket, isolate().directory, new Login(locked, "peer"), { places });
    await send("PING\n");
    places.sayGoodbye();
    expect(await heard).toMatch(/^PONG\r\nERROR SERVER_STOPPING [^\r\n]+\r\n$/);
    await served;
  });
});
