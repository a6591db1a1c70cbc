/** The client for the service that the global options name. */

import type { Command } from "commander";
import { bytes, Kv, type Bucket, type BucketDefaults, type KvOptions } from "../client/index.ts";
import { usage } from "./exit.ts";
import { variable } from "./process.ts";

export const DEFAULT_URL = "http://127.0.0.1:8787";

/** Options of every command. */
export interface GlobalOptions {
  readonly url: string;
  readonly token?: string;
  /** Seconds. */
  readonly timeout: number;
  readonly json?: true;
}

export type Bytes = Bucket<Record<string, Uint8Array>>;

export function globals(command: Command): GlobalOptions {
  const options = command.optsWithGlobals<Partial<GlobalOptions> & Pick<GlobalOptions, "timeout">>();
  const token = options.token ?? variable(command, "KV_TOKEN");
  return {
    ...options,
    url: options.url ?? variable(command, "KV_URL") ?? DEFAULT_URL,
    ...(token !== undefined && { token }),
  };
}

/** @throws {ExitError} if the address or the token is malformed */
export function serviceOf(command: Command, options: Omit<KvOptions, "url" | "token"> = {}): Kv {
  const { url, token, timeout } = globals(command);
  return service(url, token, { timeoutMs: timeout * 1_000, ...options });
}

export function service(
  url: string,
  token: string | undefined,
  options: Omit<KvOptions, "url" | "token">,
): Kv {
  try {
    return new Kv({ url, ...(token ? { token } : {}), ...options });
  } catch (error) {
    throw error instanceof TypeError ? usage(error.message) : error;
  }
}

/** A bucket whose values are bytes, so that they pass through unchanged. */
export function bucketOf(command: Command, name: string): Bytes {
  return bytesBucket(serviceOf(command), name, createOf(command));
}

export function bytesBucket(kv: Kv, name: string, options: Pick<BucketDefaults, "create"> = {}): Bytes {
  return kv.bucket<Record<string, Uint8Array>>(name, { codec: bytes, ...options });
}

/** Adds the option `--create` to a command that writes. */
export function addCreateOption(command: Command): Command {
  return command.option("--create", "create the bucket if it does not exist");
}

/** What `--create` means for the client; nothing for a command that does not have it. */
export function createOf(command: Command): Pick<BucketDefaults, "create"> {
  return command.opts<{ readonly create?: true }>().create === true ? { create: true } : {};
}
