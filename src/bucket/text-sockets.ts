/** WebSockets of the text protocol at a bucket: connections, and feeds of its changes. */

import type { Answer, BucketCommand, Notification, Signal } from "../text/command.ts";
import { CLOSE_GOING_AWAY, CLOSE_RESTART } from "../lib/close-codes.ts";
import { changeLine, signalLine } from "../text/replies.ts";
import { Interpreter, type Service } from "../text/interpreter.ts";
import { Conversations } from "../text/conversations.ts";
import { Auth } from "../config/auth.ts";
import type { Env } from "../config/env.ts";
import { KvError } from "../model/errors.ts";
import { OUTSIDE } from "../lib/connections.ts";
import { ackOf } from "../lib/flow-window.ts";
import { call, callHere } from "../otp/call.ts";
import { Deadlines } from "../otp/deadlines.ts";
import { Exit, isExit, type Answered } from "../otp/exit.ts";
import { partitionOf } from "../rpc/partition.ts";
import { partitionStub } from "../rpc/partition-stub.ts";
import type { Change } from "../model/change.ts";
import { settingsOf } from "../config/settings.ts";

/** `conversation`: a client that sends commands. `feed`: receives changes, and sends only acks. */
export type SocketKind = "conversation" | "feed";

/** The calls that the sockets make to their bucket. */
export interface TextSocketsOwner {
  /** Whether the bucket is alive. `restarting`: not yet known. */
  readonly lives: () => "lives" | "restarting" | "noproc";
  readonly run: (commands: readonly BucketCommand[]) => Answered<readonly Answer[]>;
  readonly exit: (reason: string) => Answered<unknown>;
}

/** What a socket keeps while its bucket hibernates. */
interface Attachment {
  readonly kind: SocketKind;
  /** The name of the bucket. Kept here, because the connection outlives the bucket for a moment. */
  readonly bucket: string;
  readonly subscribed: boolean;
  readonly monitors: boolean;
}

/** The tag of these WebSockets. */
const TEXT = "text";

/** How long a reset waits for clients to complete the closing handshake, in milliseconds. */
const RESET_GRACE_MS = 200;

interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * The bucket's WebSockets of the text protocol, with hibernation: an idle bucket can leave memory while its clients stay
 * connected, and finds them again when it wakes.
 */
export class TextSockets {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #owner: TextSocketsOwner;
  readonly #subscribers: Set<WebSocket>;
  readonly #conversations = new Conversations();
  #closing: Closing | undefined;
  /** Called for each socket that has closed. */
  #gone: ((socket: WebSocket) => void) | undefined;

  constructor(ctx: DurableObjectState, env: Env, owner: TextSocketsOwner) {
    this.#ctx = ctx;
    this.#env = env;
    this.#owner = owner;
    this.#subscribers = new Set(ctx.getWebSockets(TEXT).filter((socket) => attachmentOf(socket).subscribed));
  }

  accept(kind: SocketKind, bucket: string): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, kind === "feed" ? [TEXT] : [TEXT, OUTSIDE]);
    this.#attach(server, { kind, bucket, subscribed: kind === "feed", monitors: false });
    return new Response(null, { status: 101, webSocket: client });
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const attachment = attachmentOf(socket);
    // A feed sends nothing but acks.
    if (attachment.kind === "feed") {
      this.#conversations.acked(socket, ackOf(message));
      return;
    }
    await this.#conversations.answer(socket, message, this.#interpreter(socket, attachment));
    // The message itself may have ended the bucket. Close only now, after its reply.
    if (this.#closing !== undefined) socket.close(this.#closing.code, this.#closing.reason);
  }

  forget(socket: WebSocket): void {
    this.#gone?.(socket);
    this.#conversations.forget(socket);
    this.#subscribers.delete(socket);
  }

  /** Sends changes to the subscribers, in order. The output gate holds them back until they are on disk. */
  publish(changes: readonly Change[]): void {
    if (this.#subscribers.size === 0) return;
    const text = changes.map((change) => changeLine(notificationOf(change))).join("");
    for (const socket of this.#subscribers) {
      if (!this.#conversations.push(socket, text)) this.#subscribers.delete(socket);
    }
  }

  /** Closes all sockets: the bucket has ended, and the registry knows. */
  ended(reason: string): void {
    this.#subscribers.clear();
    this.#closeAll({ code: CLOSE_GOING_AWAY, reason: "noproc" }, { kind: "DOWN", reason });
  }

  /**
   * Closes all sockets: the object is about to be reset, which loses its sockets. Returns when all clients have completed
   * the closing handshake, and so have received everything sent before it, or after {@link RESET_GRACE_MS}.
   */
  async resetting(reason: string): Promise<void> {
    this.#subscribers.clear();
    this.#closeAll({ code: CLOSE_RESTART, reason: "restarted" }, { kind: "RESTARTED", reason });
    const open = new Set(this.#ctx.getWebSockets());
    if (open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#gone = (socket) => {
        open.delete(socket);
        if (open.size === 0) resolve();
      };
      setTimeout(resolve, RESET_GRACE_MS);
    });
  }

  /** Closes all sockets: the server is stopping. A socket with a running command is closed after its reply. */
  serverStopping(): void {
    this.#closeAll({ code: CLOSE_RESTART, reason: "server_stopping" });
  }

  /** Closes all sockets; those that monitor the bucket are sent its signal first. */
  #closeAll(closing: Closing, signal?: Omit<Signal, "bucket">): void {
    this.#closing = closing;
    for (const socket of this.#ctx.getWebSockets(TEXT)) {
      const { bucket, monitors } = attachmentOf(socket);
      if (monitors && signal !== undefined)
        this.#conversations.push(socket, signalLine({ ...signal, bucket }));
      if (!this.#conversations.isAnswering(socket)) socket.close(closing.code, closing.reason);
    }
  }

  #attach(socket: WebSocket, attachment: Attachment): void {
    socket.serializeAttachment(attachment);
    if (attachment.subscribed) this.#subscribers.add(socket);
  }

  #interpreter(socket: WebSocket, attachment: Attachment): Interpreter {
    return new Interpreter(this.#service(socket, attachment), {
      // The Worker has authorized this connection, so it needs no AUTH. A token that it sends is still checked.
      admitted: true,
      accepts: (token) => new Auth(settingsOf(this.#env)).accepts(token),
    });
  }

  #service(socket: WebSocket, attachment: Attachment): Service {
    const own = attachment.bucket;
    const lives = (bucket: string): boolean => {
      if (bucket !== own) throw wrongBucket(own);
      const answer = this.#owner.lives();
      // Whether the bucket ends or restarts is not decided yet. The connection is told as soon as it is.
      if (answer === "restarting") throw new Exit(answer);
      return answer === "lives";
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
      // Only the registry stops buckets: it frees the name, and then ends the bucket.
      stop: async (bucket) => lives(bucket) && this.#stop(bucket),
      buckets: () => Promise.reject(wrongBucket(own)),
      subscribe: async (bucket) => {
        if (!lives(bucket)) return false;
        this.#attach(socket, { ...attachmentOf(socket), subscribed: true });
        return true;
      },
      monitor: async (bucket) => {
        if (!lives(bucket)) return false;
        this.#attach(socket, { ...attachmentOf(socket), monitors: true });
        return true;
      },
      exit: async (bucket, reason) => {
        if (!lives(bucket)) return false;
        return (await orNoproc(() => this.#owner.exit(reason))) !== undefined;
      },
      run: async (bucket, commands) =>
        lives(bucket) ? orNoproc(() => this.#owner.run(commands)) : undefined,
    };
  }

  #stop(bucket: string): Promise<boolean> {
    const { partitions, callTimeoutMs } = settingsOf(this.#env);
    const partition = partitionOf(bucket, partitions);
    // A new stub for each try: a stub stays broken after an exception.
    const stop = () =>
      partitionStub(this.#env.REGISTRY, partition).stopBucket({ partition, partitions }, bucket);
    return call(stop, { deadlines: new Deadlines(callTimeoutMs) });
  }
}

/** The bucket's reply; undefined if it has ended meanwhile. */
async function orNoproc<T>(request: () => Answered<T>): Promise<T | undefined> {
  try {
    return await callHere(request);
  } catch (error) {
    if (isExit(error, "noproc")) return undefined;
    throw error;
  }
}

/** A change as a notification of the text protocol. */
function notificationOf({ kind, key, value }: Change): Notification {
  if (kind !== "put") return { kind: "delete", key };
  return value === null ? { kind: "large", key } : { kind: "put", key, value };
}

function attachmentOf(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}

function wrongBucket(own: string): KvError {
  return new KvError(
    "wrong_bucket",
    `This connection serves only the bucket ${own}. Use /v1/connect for other buckets.`,
  );
}
