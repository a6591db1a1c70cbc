/** The private socket between a server and its engine: is it well, and please come to an end. */

import { Agent, request, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { json } from "node:stream/consumers";

/** Between two questions, in milliseconds; the engine closes a connection that is idle for fifteen seconds. */
const ASK_EVERY_MS = 5_000;

/** A path of a Unix socket has about a hundred characters (`sun_path`: 108 on Linux, 104 on macOS). */
export const MAX_SOCKET_PATH = 100;

/** Asks the Worker to answer what is under way and to say goodbye to the rest. Resolves when that is done, or failed. */
export async function askToDrain(socketPath: string, withinMs: number): Promise<void> {
  await ask(request({ socketPath, path: "/drain", method: "POST" }), withinMs);
}

/** Asks which objects no name leads to any more, since this was asked last. Nothing, if there is no answer. */
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
 * Watches for an engine that another process has told to end: it then closes every idle connection, takes no new
 * one, and stays for as long as one client does.
 *
 * @param graceMs how long such an engine may still answer what is under way
 * @param overdue called once, that much later. An engine that is only busy closes no connection, and is left in peace.
 * @returns a function that stops it.
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
  const look = async (): Promise<void> => {
    const asked = request({ socketPath, path: "/alive", agent });
    asked.once("socket", (socket) => {
      if (socket === known) return;
      known = socket;
      socket.once("close", () => void closed());
    });
    await ask(asked);
  };
  const closed = async (): Promise<void> => {
    // A machine that was asleep closes what was idle meanwhile, too: then there is an answer on another one.
    if (stopped || (await ask(request({ socketPath, path: "/alive", agent: false }), graceMs))) return;
    if (!stopped) grace ??= setTimeout(overdue, graceMs);
  };
  const timer = setInterval(() => void look(), ASK_EVERY_MS);
  timer.unref();
  void look();
  return stop;
}

/** @returns whether it was answered */
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
