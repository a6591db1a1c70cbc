/** WebSockets that a bucket holds itself: connections of the text protocol, and feeds of its changes. */

import { BoundedCache } from "../bounded-cache.ts";
import type { Answer, BucketCommand, Change } from "../command/command.ts";
import { changeLine } from "../command/reply.ts";
import { Interpreter, type Service } from "../command/run.ts";
import { answerMessage, CLOSE_GOING_AWAY, send } from "../command/text-socket.ts";
import { Door } from "../door.ts";
import type { Env } from "../env.ts";
import { KvError } from "../errors.ts";
import { Exit, type Reply } from "../otp/exit.ts";
import { Serial } from "../otp/serial.ts";
import { Directory } from "../registry/directory.ts";
import { settingsOf } from "../settings.ts";

/** `session`: a connection of the text protocol. `feed`: only hears of changes. */
export type SocketKind = "session" | "feed";

/** What a socket carries through hibernation. */
interface Attachment {
  readonly subscribed: boolean;
}

/** What the sockets ask of their bucket. */
export interface SocketsOwner {
  /** The bucket's name; undefined if it does not live. */
  readonly name: () => string | undefined;
  readonly run: (commands: readonly BucketCommand[]) => Reply<readonly Answer[]>;
}

/**
 * The bucket's own WebSockets. They are accepted with hibernation: an idle bucket can leave memory while
 * its clients stay connected, and finds them again when it wakes.
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #owner: SocketsOwner;
  readonly #subscribers: Set<WebSocket>;
  /** One message of a connection at a time, so that replies keep the order of the messages. */
  readonly #turns = new Serial<WebSocket>();

  constructor(ctx: DurableObjectState, env: Env, owner: SocketsOwner) {
    this.#ctx = ctx;
    this.#env = env;
    this.#owner = owner;
    this.#subscribers = new Set(
      ctx.getWebSockets().filter((socket) => (socket.deserializeAttachment() as Attachment).subscribed),
    );
  }

  accept(kind: SocketKind): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    this.#attach(server, { subscribed: kind === "feed" });
    return new Response(null, { status: 101, webSocket: client });
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#turns.run(socket, async () => {
      await answerMessage(socket, this.#interpreter(socket), message);
      // Its own message may have been the bucket's end; the reply went first.
      if (this.#owner.name() === undefined) socket.close(CLOSE_GOING_AWAY, "noproc");
    });
  }

  forget(socket: WebSocket): void {
    this.#subscribers.delete(socket);
  }

  /** Tells the subscribers, in order. The output gate holds it back until the change is on disk. */
  publish(changes: readonly Change[]): void {
    if (this.#subscribers.size === 0 || changes.length === 0) return;
    const text = changes.map(changeLine).join("");
    for (const socket of this.#subscribers) {
      if (!send(socket, text)) this.#subscribers.delete(socket);
    }
  }

  /** The bucket ends. A connection whose message is being answered hears its reply first. */
  closeAll(): void {
    this.#subscribers.clear();
    for (const socket of this.#ctx.getWebSockets()) {
      if (!this.#turns.has(socket)) socket.close(CLOSE_GOING_AWAY, "noproc");
    }
  }

  #attach(socket: WebSocket, attachment: Attachment): void {
    socket.serializeAttachment(attachment);
    if (attachment.subscribed) this.#subscribers.add(socket);
  }

  #interpreter(socket: WebSocket): Interpreter {
    // The Worker let this connection in, so it needs no AUTH; one that it sends is still looked at.
    const door = new Door(settingsOf(this.#env));
    return new Interpreter(this.#service(socket), {
      admitted: true,
      accepts: (token) => door.accepts(token),
    });
  }

  #service(socket: WebSocket): Service {
    return {
      create: async (bucket) => this.#only(bucket),
      lookup: async (bucket) => {
        this.#only(bucket);
        return this.#ctx.id.toString();
      },
      stop: async (bucket) => {
        this.#only(bucket);
        // The registry frees the name, and it is the registry that tells the bucket to end.
        return this.#directory().stop(bucket);
      },
      buckets: () => Promise.reject(wrongBucket(this.#owner.name())),
      subscribe: async (bucket) => {
        this.#only(bucket);
        this.#attach(socket, { subscribed: true });
        return true;
      },
      run: async (bucket, commands) => {
        this.#only(bucket);
        const answer = this.#owner.run(commands);
        if ("reply" in answer) return answer.reply;
        if ("exit" in answer && answer.exit !== "noproc") throw new Exit(answer.exit);
        return undefined;
      },
    };
  }

  #only(bucket: string): void {
    const name = this.#owner.name();
    if (name !== undefined && bucket !== name) throw wrongBucket(name);
  }

  #directory(): Directory {
    return new Directory(this.#env, settingsOf(this.#env), new BoundedCache({ limit: 1 }), (sent) =>
      this.#ctx.waitUntil(sent),
    );
  }
}

function wrongBucket(name: string | undefined): KvError {
  return new KvError(
    "wrong_bucket",
    `This connection is that of ${name ?? "one bucket"}; others are at /v1/connect.`,
  );
}
