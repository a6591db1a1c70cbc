/** The private socket between a server and its engine: is it well, and please come to an end. */

import { Agent, request, type ClientRequest } from "node:http";
import type { Socket } from "node:net";

/** Between two questions, in milliseconds; the engine closes a connection that is idle for fifteen seconds. */
const ASK_EVERY_MS = 5_000;

/** A path of a Unix socket has about a hundred characters (`sun_path`: 108 on Linux, 104 on macOS). */
export const MAX_SOCKET_PATH = 100;

/** Asks the Worker to answer what is under way and to say goodbye to the rest. Resolves when that is done, or failed. */
export async function askToDrain(socketPath: string, withinMs: number): Promise<void> {
  await ask(request({ socketPath, path: "/drain", method: "POST" }), withinMs);
}

/**
 * Watches an engine that has been told to end by somebody else: it then closes every idle connection, takes no new
 * one, and stays for as long as one client does.
 *
 * @param ending called once, when the engine closes a connection that it need not have closed and does not answer on
 *   another one within `withinMs`. One that is only busy closes none, and is left in peace.
 * @returns a function that stops it.
 */
export function watchEngine(socketPath: string, withinMs: number, ending: () => void): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let stopped = false;
  let known: Socket | undefined;
  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
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
    if (stopped) return;
    const asked = request({ socketPath, path: "/alive", agent: false });
    if ((await ask(asked, withinMs)) || stopped) return;
    stop();
    ending();
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
