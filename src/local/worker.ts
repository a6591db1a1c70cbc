/** The Worker of a local server: with a graceful stop, and a TCP port beside HTTP. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { connections } from "../lib/connections.ts";
import type { Env } from "../config/env.ts";
import { failure, serverStopped, serverStopping, type Failure } from "../model/errors.ts";
import { problem } from "../http/problem.ts";
import { Registry as DeployedRegistry, serveConnection, serveRequest } from "../worker.ts";
import { FreedIds } from "./freed-ids.ts";
import { InFlight } from "./in-flight.ts";

export { Bucket, KvEntrypoint, KvNamespace } from "../worker.ts";

const inFlight = new InFlight();
const freed = new FreedIds();

/** The registry, which also reports freed objects, because the local server has to remove their files. */
export class Registry extends DeployedRegistry {
  protected override freed(id: string): void {
    freed.add(id);
  }
}

/** How long a stopping server waits for open requests, in milliseconds. The server process waits longer than that. */
const ANSWER_WITHIN_MS = 1_200;
/** How long a stopping server still answers new requests with 503, in milliseconds: enough for one on each connection. */
const TELL_FOR_MS = 100;

/** No `connect` handler: the engine would pass an HTTP CONNECT to it, and that would bypass the checks of HTTP. */
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
  "A WebSocket handshake needs Connection: Upgrade, Sec-WebSocket-Key and Sec-WebSocket-Version: 13.";

/**
 * Whether a WebSocket handshake is incomplete (RFC 6455 §4.2.1). The engine finds that out only after the Worker's
 * response, and does not tell the Worker, whose end of the connection would stay open forever. Only the local server
 * checks this: over a binding an upgrade has no such headers.
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

/** The control socket, which only the server process uses. */
export class Control extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/freed":
        return Response.json(freed.take());
      case "/drain":
        await this.#drain();
        break;
      default: // A health check: the response alone shows that the engine runs.
    }
    return new Response(null, { status: 204 });
  }

  /**
   * Stops gracefully. The order matters: first reject new requests, so that the number of open ones can only fall; then
   * close event streams and WebSockets; then wait for the open requests. New requests on open connections get 503
   * meanwhile.
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

/** A response that asks the client to close. The engine closes connections itself only once it is told to stop. */
function lastAnswer(why: Failure): Response {
  return problem(why, { Connection: "close" });
}
