/** The private Unix socket between the server and its engine: health, draining, and ids of freed objects. */

import { mkdtemp } from "node:fs/promises";
import { Agent, request, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";

/** Milliseconds between two health checks. The engine closes a connection that is idle for fifteen seconds. */
const CHECK_EVERY_MS = 5_000;

/** Longest path of a Unix socket (`sun_path`: 108 bytes on Linux, 104 on macOS). */
const MAX_SOCKET_PATH = 100;

/** Makes a folder that only this user can read, for a Unix socket of this name. */
export async function socketFolder(socket: string): Promise<string> {
  // mkdtemp puts six characters behind the prefix.
  const isLong = join(tmpdir(), "durable-kv-123456", socket).length > MAX_SOCKET_PATH;
  return mkdtemp(join(isLong ? "/tmp" : tmpdir(), "durable-kv-"));
}

/** Asks the Worker to finish open requests and close other connections. Resolves when that is done or has failed. */
export async function askToDrain(socketPath: string, withinMs: number): Promise<void> {
  await ask(request({ socketPath, path: "/drain", method: "POST" }), withinMs);
}

/** Asks which objects have lost their name since the last call. @returns their ids; none if there is no response */
export function askForFreed(socketPath: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/freed", agent: false }, (response) => {
      json(response).then(
        (ids) => resolve(ids as readonly string[]),
        () => resolve([]),
      );
    });
    asked.once("error", () => resolve([]));
    asked.end();
  });
}

/**
 * Detects an engine that another process has signalled to end: it closes every idle connection, accepts no new ones,
 * and lives on as long as one client stays.
 *
 * @param graceMs milliseconds for which such an engine may still finish open requests
 * @param overdue called once, after that time. Not called for an engine that is merely busy: it closes no connection.
 * @returns a function that stops the watch
 */
export function watchEngine(socketPath: string, graceMs: number, overdue: () => void): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let stopped = false;
  let known: Socket | undefined;
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
    clearTimeout(grace);
    agent.destroy();
  };
  const check = async (): Promise<void> => {
    const asked = request({ socketPath, path: "/alive", agent });
    asked.once("socket", (socket) => {
      if (socket === known) return;
      known = socket;
      socket.once("close", () => void closed());
    });
    await ask(asked);
  };
  const closed = async (): Promise<void> => {
    // After a sleep of the machine, idle connections are closed too. Then a new connection still works.
    if (stopped || (await ask(request({ socketPath, path: "/alive", agent: false }), graceMs))) return;
    if (!stopped) grace ??= setTimeout(overdue, graceMs);
  };
  const timer = setInterval(() => void check(), CHECK_EVERY_MS);
  timer.unref();
  void check();
  return stop;
}

/** @returns whether there was a response */
function ask(asked: ClientRequest, withinMs?: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (withinMs !== undefined) {
      const timer = setTimeout(() => asked.destroy(), withinMs);
      asked.once("close", () => clearTimeout(timer));
    }
    asked.once("response", (response) => {
      response.resume();
      response.once("end", () => resolve(true));
    });
    asked.once("error", () => resolve(false));
    asked.once("close", () => resolve(false));
    asked.end();
  });
}
