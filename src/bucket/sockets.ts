/** WebSockets that a bucket holds itself: connections of the text protocol, and feeds of its changes. */

import { BoundedCache } from "../bounded-cache.ts";
import type { Answer, BucketCommand, Change } from "../command/command.ts";
import { changeLine } from "../command/reply.ts";
import { Interpreter, type Service } from "../command/run.ts";
import { CLOSE_GOING_AWAY, Conversations } from "../command/text-socket.ts";
import { Door } from "../door.ts";
import type { Env } from "../env.ts";
import { KvError } from "../errors.ts";
import type { Reply } from "../otp/exit.ts";
import { Directory } from "../registry/directory.ts";
import { settingsOf } from "../settings.ts";

/** `session`: a connection of the text protocol. `feed`: only hears of changes. */
export type SocketKind = "session" | "feed";

/** What a socket carries through hibernation. */
interface Attachment {
  readonly kind: SocketKind;
  /** The bucket that it was opened for; the connection outlives it by a moment. */
  readonly bucket: string;
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
  readonly #conversations = new Conversations();

  constructor(ctx: DurableObjectState, env: Env, owner: SocketsOwner) {
    this.#ctx = ctx;
    this.#env = env;
    this.#owner = owner;
    this.#subscribers = new Set(ctx.getWebSockets().filter((socket) => attachmentOf(socket).subscribed));
  }

  accept(kind: SocketKind, bucket: string): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    this.#attach(server, { kind, bucket, subscribed: kind === "feed" });
    return new Response(null, { status: 101, webSocket: client });
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const attachment = attachmentOf(socket);
    // All that a feed sends is that it has read what it was sent.
    if (attachment.kind === "feed") {
      this.#conversations.heard(socket);
      return;
    }
    await this.#conversations.answer(socket, message, this.#interpreter(socket, attachment));
    // Its own message may have been the bucket's end; the reply went first.
    if (this.#owner.name() === undefined) socket.close(CLOSE_GOING_AWAY, "noproc");
  }

  forget(socket: WebSocket): void {
    this.#subscribers.delete(socket);
  }

  /** Tells the subscribers, in order. The output gate holds it back until the change is on disk. */
  publish(changes: readonly Change[]): void {
    if (this.#subscribers.size === 0 || changes.length === 0) return;
    const text = changes.map(changeLine).join("");
    for (const socket of this.#subscribers) {
      if (!this.#conversations.push(socket, text)) this.#subscribers.delete(socket);
    }
  }

  /** The bucket ends. A connection whose message is being answered hears its reply first. */
  closeAll(): void {
    this.#subscribers.clear();
    for (const socket of this.#ctx.getWebSockets()) {
      if (!this.#conversations.isAnswering(socket)) socket.close(CLOSE_GOING_AWAY, "noproc");
    }
  }

  #attach(socket: WebSocket, attachment: Attachment): void {
    socket.serializeAttachment(attachment);
    if (attachment.subscribed) this.#subscribers.add(socket);
  }

  #interpreter(socket: WebSocket, attachment: Attachment): Interpreter {
    return new Interpreter(this.#service(socket, attachment), {
      // The Worker let this connection in, so it needs no AUTH; one that it sends is still looked at.
      admitted: true,
      accepts: (token) => new Door(settingsOf(this.#env)).accepts(token),
    });
  }

  #service(socket: WebSocket, attachment: Attachment): Service {
    const own = attachment.bucket;
    const lives = (bucket: string): boolean => {
      if (bucket !== own) throw wrongBucket(own);
      return this.#owner.name() !== undefined;
    };
    return {
      create: async (bucket) => {
        if (lives(bucket)) return;
        throw new KvError(
          "bucket_not_found",
          `The bucket of this connection has ended. Create it at /v1/connect.`,
        );
      },
      lookup: async (bucket) => (lives(bucket) ? this.#ctx.id.toString() : undefined),
      // The registry frees the name, and it is the registry that tells the bucket to end.
      stop: async (bucket) => lives(bucket) && this.#directory().stop(bucket),
      buckets: () => Promise.reject(wrongBucket(own)),
      subscribe: async (bucket) => {
        if (!lives(bucket)) return false;
        this.#attach(socket, { ...attachment, subscribed: true });
        return true;
      },
      run: async (bucket, commands) => {
        if (!lives(bucket)) return undefined;
        const answer = this.#owner.run(commands);
        return "reply" in answer ? answer.reply : undefined;
      },
    };
  }

  #directory(): Directory {
    return new Directory(this.#env, settingsOf(this.#env), new BoundedCache({ limit: 1 }), (sent) =>
      this.#ctx.waitUntil(sent),
    );
  }
}

function attachmentOf(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}

function wrongBucket(own: string): KvError {
  return new KvError("wrong_bucket", `This connection is that of ${own}; others are at /v1/connect.`);
}
