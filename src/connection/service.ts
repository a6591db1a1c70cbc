/** The whole service, as a connection's commands reach it. */

import { breath, CALL_UNITS } from "../lib/breath.ts";
import type { Answer, BucketCommand } from "../text/command.ts";
import type { Service } from "../text/interpreter.ts";
import { failureOf, KvError } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { isExit } from "../otp/exit.ts";
import { READ, type Directory } from "../directory/directory.ts";
import type { Feeds } from "./feeds.ts";
import type { SessionMonitors } from "./monitors.ts";

/** What keeps talking on a connection after its commands are answered. */
export interface Lasting {
  readonly feeds: Feeds;
  readonly monitors: SessionMonitors;
}

/** Every bucket's service, by way of the directory. Without a connection nothing lasts. */
export function directoryService(directory: Directory, lasting?: Lasting): Service {
  return {
    create: async (bucket) => {
      await directory.create(bucket);
    },
    lookup: async (bucket) => (await directory.lookup(bucket))?.id,
    stop: (bucket) => directory.stop(bucket),
    exit: (bucket, reason) => directory.exit(bucket, reason),
    buckets: async (prefix, after) =>
      (await directory.list({ prefix, after, limit: MAX_PAGE })).map(({ name }) => name),
    run: async (bucket, commands) => {
      const pause = breath.take(CALL_UNITS);
      if (pause !== undefined) await pause;
      const reads = commands.filter(isRead);
      if (reads.length === commands.length) return directory.call(bucket, (stub) => stub.run(commands), READ);
      try {
        return await directory.call(bucket, (stub) => stub.run(commands));
      } catch (error) {
        if (reads.length === 0 || !isExit(error, "noconnection") || error.overloaded) throw error;
        return answersAround(commands, failed(error), await readAgain(directory, bucket, reads));
      }
    },
    subscribe: async (bucket) => {
      if (lasting === undefined) throw needsConnection("SUBSCRIBE");
      const feed = await directory.upgrade(bucket, "/subscribe");
      if (feed === undefined) return false;
      lasting.feeds.add(bucket, feed);
      return true;
    },
    monitor: async (bucket) => {
      if (lasting === undefined) throw needsConnection("MONITOR");
      return lasting.monitors.add(bucket);
    },
  };
}

function isRead({ verb }: BucketCommand): boolean {
  return verb === "GET" || verb === "KEYS";
}

/** The first answers to reads, as many as there was room for. One that fails says nothing of what was sent with them. */
async function readAgain(
  directory: Directory,
  bucket: string,
  reads: readonly BucketCommand[],
): Promise<readonly Answer[]> {
  try {
    const answers = await directory.call(bucket, (stub) => stub.run(reads), READ);
    return answers ?? reads.map(() => ({ kind: "no_bucket" }));
  } catch (error) {
    return reads.map(() => failed(error));
  }
}

function failed(error: unknown): Answer {
  return { kind: "error", failure: failureOf(error) };
}

/** Every command is answered, also those that were not done again, so that none of them is sent a second time. */
function answersAround(
  commands: readonly BucketCommand[],
  broken: Answer,
  reads: readonly Answer[],
): Answer[] {
  let next = 0;
  return commands.map((command) => {
    if (!isRead(command)) return broken;
    next += 1;
    return reads[next - 1] ?? broken;
  });
}

function needsConnection(verb: string): KvError {
  return new KvError("needs_connection", `${verb} needs a connection: TCP, or a WebSocket at /v1/connect.`);
}
