/** The command `kv` on the shared server, and what the service has when it runs. */

import { expect } from "vitest";
import { Kv } from "../../../src/client/index.ts";
import { kv, start, type CliOptions, type Ran } from "./cli.ts";
import { server } from "./shared-server.ts";

export const here: CliOptions = { url: server.http };
export const service = new Kv({ url: server.http });

/** Creates a bucket with these values. @returns its name */
export async function bucket(name: string, values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  await service.create(name);
  for (const [key, value] of Object.entries(values)) await service.bucket(name).put(key, value);
  return name;
}

/** Runs `kv`, which has to succeed. */
export async function ok(...args: readonly string[]): Promise<Ran> {
  const ran = await kv(here, ...args);
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: "" });
  return ran;
}

/** Runs any program, with `KV_URL` set to the shared server. */
export function started(command: readonly string[]): Promise<Ran> {
  return start(command, { KV_URL: here.url }).ended;
}
