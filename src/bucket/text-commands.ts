/** Runs commands of the text protocol: each becomes a step of the executor, and its outcome becomes a reply. */

import { failure } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import type { Step } from "../model/operation.ts";
import type { Outcome, Refused } from "../model/outcome.ts";
import { BYTES_TYPE, lengthOf } from "../model/value.ts";
import type { Executor } from "../store/executor.ts";
import type { Answer, BucketCommand } from "../text/command.ts";

/** No further command is run once the replies have this size: see {@link sizeOf}. The last reply may exceed it. */
const MAX_ANSWERS_SIZE = 4 * 1_048_576;
/** A name of a list takes as much of the bucket's time as so many bytes of a value: two thousand are enough for one call. */
const NAME_SIZE = 2_048;

const OK: Answer = { kind: "ok" };
const ABSENT: Answer = { kind: "absent" };
const TOO_LARGE: Answer = {
  kind: "error",
  failure: failure("value_too_large", "The value is too large for this protocol. Read it over HTTP."),
};

/**
 * Runs commands in order, until the replies have {@link MAX_ANSWERS_SIZE}.
 * @returns the replies of the commands that were run, at least one; the others were not run
 */
export function runTextCommands(executor: Executor, commands: readonly BucketCommand[]): Answer[] {
  const answers: Answer[] = [];
  let size = 0;
  for (const command of commands) {
    const answer = answerOf(executor.attempt(stepOf(command)));
    answers.push(answer);
    size += sizeOf(answer);
    if (size > MAX_ANSWERS_SIZE) break;
  }
  return answers;
}

function stepOf(command: BucketCommand): Step {
  switch (command.verb) {
    case "GET":
      return { op: "get", key: command.key };
    case "PUT": {
      const { key, value } = command;
      return { op: "put", key, value, properties: { type: typeof value === "string" ? null : BYTES_TYPE } };
    }
    case "DELETE":
      return { op: "delete", key: command.key };
    case "GETDEL":
      return { op: "getAndDelete", key: command.key };
    case "INCR":
      return { op: "increment", key: command.key, increment: { by: command.by } };
    case "KEYS": {
      const { prefix, after } = command;
      return { op: "names", query: { prefix, after, limit: MAX_PAGE } };
    }
  }
}

function answerOf(outcome: Outcome | Refused): Answer {
  if ("error" in outcome) return { kind: "error", failure: outcome.error };
  switch (outcome.op) {
    case "get":
    case "getAndDelete": {
      const { entry } = outcome;
      if (entry === undefined) return ABSENT;
      return entry.large === null ? { kind: "value", value: entry.value } : TOO_LARGE;
    }
    case "put":
    case "delete":
      return OK;
    case "increment":
      return { kind: "value", value: outcome.value.toString() };
    case "names":
      return { kind: "names", names: outcome.names };
  }
}

/** The size of a reply, in bytes or characters; that of names by the time they take. */
export function sizeOf(answer: Answer): number {
  switch (answer.kind) {
    case "value":
      return lengthOf(answer.value);
    case "names":
      return answer.names.reduce((sum, name) => sum + NAME_SIZE + name.length, 0);
    default:
      return 2;
  }
}
