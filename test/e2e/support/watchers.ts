/** Watchers over the wire, and what they watch. */

import { expect } from "vitest";
import { SseReader, type SseEvent } from "../../support/sse.ts";
import type { Addresses } from "./server.ts";

/** Makes a bucket. @returns its address */
export async function create(name: string, { http }: Addresses): Promise<string> {
  const response = await fetch(`${http}/v1/buckets/${name}`, { method: "PUT" });
  expect(response.status).toBe(201);
  return `${http}/v1/buckets/${name}`;
}

export async function put(bucket: string, key: string, value: string): Promise<void> {
  const response = await fetch(`${bucket}/keys/${encodeURIComponent(key)}`, { method: "PUT", body: value });
  expect([201, 204]).toContain(response.status);
}

export async function batch(bucket: string, keys: readonly string[], value: string): Promise<void> {
  const body = JSON.stringify(keys.map((key) => ({ op: "put", key, value })));
  expect((await fetch(`${bucket}/batch`, { method: "POST", body })).status).toBe(200);
}

export async function watch(bucket: string, init: RequestInit = {}, query = ""): Promise<SseReader> {
  const response = await fetch(`${bucket}/watch${query}`, init);
  expect(response.status).toBe(200);
  return new SseReader(response).begun();
}

export const upTo = (count: number, first = 1): number[] =>
  Array.from({ length: count }, (_, n) => first + n);
export const revisionOf = ({ data }: SseEvent): number => Number(data["revision"]);

/** The next so many events, or all that there are. */
export async function take(stream: SseReader, count: number): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  while (events.length < count) {
    const event = await stream.next();
    if (event === undefined) break;
    events.push(event);
  }
  return events;
}

interface JsonEvent {
  readonly event: string;
  readonly revision: number;
  readonly reason?: string;
}
const PLACES = new Set(["begin", "position"]);
interface SocketWatcher {
  readonly socket: WebSocket;
  /** Settles with what was heard, when that is so many events beside those that only say where one is. */
  readonly heard: (count: number) => Promise<readonly JsonEvent[]>;
}

/** A watcher over WebSocket, who says each time that it has read. */
export async function watchSocket(bucket: string): Promise<SocketWatcher> {
  const socket = new WebSocket(`${bucket.replace("http:", "ws:")}/watch`);
  const events: JsonEvent[] = [];
  let look = (): void => undefined;
  const begun = new Promise<void>((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error("the WebSocket failed")));
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as JsonEvent[];
      events.push(...message.filter(({ event }) => !PLACES.has(event)));
      if (socket.readyState === WebSocket.OPEN) socket.send("");
      if (message.some(({ event }) => event === "begin")) resolve();
      look();
    });
  });
  await begun;
  return {
    socket,
    heard: (count) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (events.length >= count) resolve(events);
        };
        socket.addEventListener("close", ({ code }) => {
          reject(new Error(`closed with ${code} after ${events.length} events`));
        });
        look();
      }),
  };
}
