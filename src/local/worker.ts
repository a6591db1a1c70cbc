/** The Worker as a server on this machine runs it: with an end that breaks nothing off, and TCP beside HTTP. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { connections } from "../lib/connections.ts";
import type { Env } from "../config/env.ts";
import { failure, serverStopped, serverStopping, type Failure } from "../model/errors.ts";
import { problem } from "../http/problem.ts";
import { Registry as DeployedRegistry, serveConnection, serveRequest } from "../worker.ts";
import { FreedIds } from "./freed-ids.ts";
import { InFlight } from "./in-flight.ts";

export { Bucket, KvEntrypoint } from "../worker.ts";

const inFlight = new InFlight();
const freed = new FreedIds();

/** As it is deployed, but that the server is told which objects are nobody's any more: their files are its to remove. */
export class Registry extends DeployedRegistry {
  protected override freed(id: string): void {
    freed.add(id);
  }
}

/** How long requests that are open may take to be answered, in milliseconds; the server's own patience is longer. */
const ANSWER_WITHIN_MS = 1_200;
/** How long requests that still come are told that the server ends: each open connection has the time for one. */
const TELL_FOR_MS = 100;

/** No `connect`: the engine takes an HTTP CONNECT for a connection to that, past all that guards HTTP. */
export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    if (inFlight.stopping) return lastAnswer(serverStopping());
    if (isHalfAnUpgrade(request.headers)) return problem(failure("upgrade_required", NO_HANDSHAKE));
    const keepAlive = (sent: Promise<unknown>): void => {
      inFlight.follow(sent);
      ctx.waitUntil(sent);
    };
    const answer = serveRequest(request, env, keepAlive);
    if (!(answer instanceof Promise)) return answer;
    return inFlight.answer(answer).then((response) => response ?? lastAnswer(serverStopped()));
  },
} satisfies ExportedHandler<Env>;

const NO_HANDSHAKE =
  "A WebSocket's handshake has Connection: Upgrade, Sec-WebSocket-Key and Sec-WebSocket-Version: 13.";

/**
 * The engine finds out that a handshake is incomplete (RFC 6455 §4.2.1) when the Worker has answered it, and tells it
 * nothing: its end of the connection would be kept for ever. Over a binding an upgrade has no such headers.
 */
function isHalfAnUpgrade(headers: Headers): boolean {
  if (headers.get("Upgrade")?.toLowerCase() !== "websocket") return false;
  const connection = headers.get("Connection")?.toLowerCase() ?? "";
  const isWhole = headers.has("Sec-WebSocket-Key") && headers.get("Sec-WebSocket-Version") === "13";
  return !isWhole || !connection.includes("upgrade");
}

/** The text protocol's port. */
export class Tcp extends WorkerEntrypoint<Env> {
  override connect(socket: Socket): Promise<void> {
    return serveConnection(socket, this.env, (sent) => this.ctx.waitUntil(sent));
  }
}

/** The server's private socket. */
export class Control extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/freed":
        return Response.json(freed.take());
      case "/drain":
        await this.#drain();
        break;
      default: // The answer alone says that the engine is well.
    }
    return new Response(null, { status: 204 });
  }

  /**
   * First requests are turned away, so that there is an end to those that are open; then what lasts is told to go; then
   * what is open is waited for. Those who keep a connection open and send the next request hear 503 meanwhile.
   */
  async #drain(): Promise<void> {
    const answered = inFlight.stop();
    connections.sayGoodbye();
    const { BUCKET } = this.env;
    const told = connections.holders.map((id) => BUCKET.get(BUCKET.idFromString(id)).serverStopping());
    await Promise.race([
      Promise.all([answered, scheduler.wait(TELL_FOR_MS), Promise.allSettled(told)]),
      scheduler.wait(ANSWER_WITHIN_MS),
    ]);
    inFlight.giveUp();
  }
}

/** The engine says the same once it has been told to end, and heeds it; until then it keeps what it has of connections. */
function lastAnswer(why: Failure): Response {
  return problem(why, { Connection: "close" });
}
