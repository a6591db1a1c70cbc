/** A WebSocket over a raw socket, so that an attack can stop reading, which client libraries do not allow. */

import type { Socket } from "node:net";
import type { Attacker } from "./attacker.ts";
import { CLOSE, closeFrame, frameHead, textFrame } from "./frames.ts";

const CLOSE_NORMAL = 1000;
/** Bytes of frames per write. */
const WRITE_BYTES = 262_144;
/** Characters of a message to keep. */
const MAX_LATEST = 200;

export class RawWebSocket {
  readonly #attacker: Attacker;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the current frame that have not arrived yet. */
  #missing = 0;
  #upgraded = false;
  #closing: string | undefined;
  #latest = "";
  messages = 0;
  /** Received bytes of messages. */
  bytes = 0;

  constructor(attacker: Attacker, socket: Socket) {
    this.#attacker = attacker;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  get isUpgraded(): boolean {
    return this.#upgraded;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined || this.#socket.destroyed;
  }

  /** The beginning of the latest message. */
  get latest(): string {
    return this.#latest;
  }

  /** Sends each text as a message, many per write. */
  async send(texts: readonly string[]): Promise<void> {
    let frames: Buffer[] = [];
    let size = 0;
    for (const text of texts) {
      const bytes = textFrame(text);
      frames.push(bytes);
      size += bytes.length;
      if (size < WRITE_BYTES) continue;
      await this.#attacker.write(this.#socket, Buffer.concat(frames));
      frames = [];
      size = 0;
    }
    if (size > 0) await this.#attacker.write(this.#socket, Buffer.concat(frames));
  }

  /** Sends a close frame, and closes the socket a moment later without reading. */
  async leave(): Promise<void> {
    await this.#attacker.write(this.#socket, closeFrame(CLOSE_NORMAL));
    await this.#attacker.wait(100);
    this.#socket.destroy();
  }

  /** Stops reading, so that the kernel's buffers fill. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The outcome, in a few words. */
  ending(): string {
    if (this.#closing !== undefined) return `closed ${this.#closing}`;
    return this.#socket.destroyed ? "broken off" : "open";
  }

  #take(chunk: Buffer): void {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const head = rest.indexOf("\r\n\r\n");
      if (head === -1) {
        this.#rest = rest;
        return;
      }
      this.#upgraded = rest.toString("latin1", 0, head).startsWith("HTTP/1.1 101");
      if (!this.#upgraded) this.#closing = rest.toString("latin1", 0, MAX_LATEST);
      rest = rest.subarray(head + 4);
    }
    while (rest.length > 0) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, rest.length);
        this.#missing -= taken;
        rest = rest.subarray(taken);
        continue;
      }
      const frame = frameHead(rest);
      // Control frames are short, so wait until they are complete.
      if (frame === undefined || (frame.isControl && rest.length < frame.head + frame.size)) break;
      const payload = rest.subarray(frame.head, frame.head + frame.size);
      if (frame.opcode === CLOSE) this.#closing = closingOf(payload);
      if (!frame.isControl) {
        this.messages += 1;
        this.bytes += frame.size;
        this.#latest = payload.toString("utf8", 0, MAX_LATEST);
      }
      this.#missing = frame.size;
      rest = rest.subarray(frame.head);
    }
    this.#rest = rest;
  }
}

/** Opens a WebSocket at `path`. @throws if the server does not upgrade */
export async function openWebSocket(attacker: Attacker, path: string): Promise<RawWebSocket> {
  const socket = await attacker.connect(attacker.server.http);
  const webSocket = new RawWebSocket(attacker, socket);
  const { token } = attacker.server;
  await attacker.write(
    socket,
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      (token === undefined ? "" : `Authorization: Bearer ${token}\r\n`) +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YSBuZXcgb25lIGVhY2ghIQ==\r\n\r\n",
  );
  await attacker.until(() => webSocket.isUpgraded || webSocket.isClosed);
  if (!webSocket.isUpgraded) throw new Error(`no WebSocket at ${path}: ${webSocket.ending()}`);
  return webSocket;
}

function closingOf(payload: Buffer): string {
  if (payload.length < 2) return "without a code";
  return `${payload.readUInt16BE(0)} ${payload.toString("utf8", 2)}`.trim();
}
