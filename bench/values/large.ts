/** Upload and download of the largest value, and the memory for that. */

import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import type { Server } from "../servers.ts";
import { BUCKET, makeBucket, type Bench } from "./bench.ts";

const MIB = 25;
const BYTES = MIB * 1_048_576;
/** Uploads and downloads per round: single ones differ by a third. */
const TIMES = 3;

export const large: Bench = {
  name: `value of ${MIB} MiB`,
  bare: true,
  prepare: async (server) => {
    await makeBucket(server);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sent = Buffer.alloc(BYTES);
    const received = Buffer.alloc(BYTES);
    const up = async (): Promise<void> => {
      const response = await exchange(server, agent, { method: "PUT", body: sent });
      response.resume();
      await once(response, "end");
    };
    const down = async (): Promise<void> => {
      const response = await exchange(server, agent, { method: "GET" });
      let at = 0;
      for await (const piece of response as AsyncIterable<Buffer>) at += piece.copy(received, at);
    };
    const both = async (): Promise<{ readonly up: number; readonly down: number }> => {
      randomFillSync(sent);
      const took = { up: await seconds(up), down: await seconds(down) };
      if (!received.equals(sent)) throw new Error(`${server.name} does not answer what was put`);
      return took;
    };
    await both(); // warm
    return {
      measure: async () => {
        const total = { up: 0, down: 0 };
        for (let time = 0; time < TIMES; time += 1) {
          const took = await both();
          total.up += took.up;
          total.down += took.down;
        }
        return { "MiB/s up": (TIMES * MIB) / total.up, "MiB/s down": (TIMES * MIB) / total.down };
      },
      overall: () => ({ "MB resident at most": server.peakMemory() }),
    };
  },
};

async function exchange(
  { name, http }: Server,
  agent: Agent,
  { method, body }: { readonly method: "GET" | "PUT"; readonly body?: Buffer },
): Promise<IncomingMessage> {
  const path = name === "ours" ? `${BUCKET}/keys/large` : "/values/large/large";
  const sent = request({ host: "127.0.0.1", port: http, path, method, agent });
  const answered = once(sent, "response");
  sent.end(body);
  const [response] = (await answered) as [IncomingMessage];
  if (!String(response.statusCode).startsWith("2")) {
    throw new Error(`unexpected response: ${response.statusCode}`);
  }
  return response;
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}
