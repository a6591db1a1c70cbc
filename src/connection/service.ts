/** The service behind the text protocol: its commands as calls of the directory and of bucket handles. */

import { breath, CALL_UNITS } from "../lib/breath.ts";
import { isReadCommand, type Answer, type BucketCommand } from "../text/command.ts";
import type { Service } from "../text/interpreter.ts";
import { failureOf, KvError } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { isExit } from "../otp/exit.ts";
import { BucketHandle, existed, orNoBucket } from "../directory/bucket-handle.ts";
import type { Directory } from "../directory/directory.ts";
import type { Feeds } from "./feeds.ts";
import type { ConnectionMonitors } from "./monitors.ts";

/** What sends lines on a connection after the replies: feeds and monitors. */
export interface Lasting {
  readonly feeds: Feeds;
  readonly monitors: ConnectionMonitors;
}

/** The service for all buckets. Without `lasting`, SUBSCRIBE and MONITOR are refused with `needs_connection`. */
export function directoryService(directory: Directory, lasting?: Lasting): Service {
  const handle = (bucket: string): BucketHandle => new BucketHandle(directory, bucket);
  return {
    create: (bucket) => handle(bucket).create(),
    lookup: async (bucket) => (await directory.lookup(bucket))?.id,
    stop: (bucket) => existed(handle(bucket).stop()),
    exit: (bucket, reason) => existed(handle(bucket).exit(reason)),
    buckets: async (prefix, after) =>
      (await directory.list({ prefix, after, limit: MAX_PAGE })).map(({ name }) => name),
    run: async (bucket, commands) => {
      const pause = breath.take(CALL_UNITS);
      if (pause !== undefined) await pause;
      return orNoBucket(runOrReadAgain(handle(bucket), commands));
    },
    subscribe: async (bucket) => {
      if (lasting === undefined) throw needsConnection("SUBSCRIBE");
      const feed = await orNoBucket(handle(bucket).connect("/subscribe"));
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

/** Runs commands. If the connection breaks, the outcome of writes is unknown, and the reads are repeated. */
async function runOrReadAgain(
  bucket: BucketHandle,
  commands: readonly BucketCommand[],
): Promise<readonly Answer[]> {
  try {
    return await bucket.run(commands);
  } catch (error) {
    const reads = commands.filter(isReadCommand);
    // If all commands are reads, the handle has already repeated them.
    const isMixed = reads.length > 0 && reads.length < commands.length;
    if (!isMixed || !isExit(error, "noconnection") || error.overloaded) throw error;
    return mergeAnswers(commands, failed(error), await readAgain(bucket, reads));
  }
}

/** The replies to the first reads, as many as fit one call. If this fails, only the reads have failed. */
async function readAgain(bucket: BucketHandle, reads: readonly BucketCommand[]): Promise<readonly Answer[]> {
  try {
    return (await orNoBucket(bucket.run(reads))) ?? reads.map(() => ({ kind: "no_bucket" }));
  } catch (error) {
    const answer = failed(error); // once, because it is logged
    return reads.map(() => answer);
  }
}

function failed(error: unknown): Answer {
  return { kind: "error", failure: failureOf(error) };
}

/** Merges the replies: every command gets one, also a read that was not repeated, so that no command is run twice. */
function mergeAnswers(
  commands: readonly BucketCommand[],
  broken: Answer,
  reads: readonly Answer[],
): Answer[] {
  let next = 0;
  return commands.map((command) => {
    if (!isReadCommand(command)) return broken;
    next += 1;
    return reads[next - 1] ?? broken;
  });
}

function needsConnection(verb: string): KvError {
  return new KvError("needs_connection", `${verb} needs a connection: TCP, or a WebSocket at /v1/connect.`);
}
