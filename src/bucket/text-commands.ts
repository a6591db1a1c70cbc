/** The text protocol's commands as steps of the executor, and their outcomes as answers. */

import { failure } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import type { Step } from "../model/operation.ts";
import type { Outcome, Refused } from "../model/outcome.ts";
import { BYTES_TYPE, type Value } from "../model/value.ts";
import type { Executor } from "../store/executor.ts";
import type { Answer, BucketCommand } from "../text/command.ts";

/** The answers of one call have this size together, in bytes or characters; one more value may come on top. */
const MAX_ANSWERS_SIZE = 4 * 1_048_576;

const OK: Answer = { kind: "ok" };
const ABSENT: Answer = { kind: "absent" };
const TOO_LARGE: Answer = {
  kind: "error",
  failure: failure("value_too_large", "The value is too large for this protocol. Read it over HTTP."),
};

/** Carries out the first commands, one at least, until their answers are large enough; the rest is not done. */
export function runCommands(executor: Executor, commands: readonly BucketCommand[]): Answer[] {
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
    case "INCR":
      return { op: "increment", key: command.key, increment: { by: command.by } };
    case "KEYS": {
      const { prefix, after } = command;
      return { op: "list", query: { prefix, after, limit: MAX_PAGE } };
    }
  }
}

function answerOf(outcome: Outcome | Refused): Answer {
  if ("error" in outcome) return { kind: "error", failure: outcome.error };
  switch (outcome.op) {
    case "get": {
      const { entry } = outcome;
      if (entry === undefined) return ABSENT;
      return entry.large === null ? { kind: "value", value: entry.value } : TOO_LARGE;
    }
    case "put":
    case "delete":
      return OK;
    case "increment":
      return { kind: "value", value: outcome.value.toString() };
    case "list":
      return { kind: "names", names: outcome.page.entries.map(({ key }) => key) };
  }
}

function sizeOf(answer: Answer): number {
  switch (answer.kind) {
    case "value":
      return valueSize(answer.value);
    case "names":
      return answer.names.reduce((sum, name) => sum + name.length, 0);
    default:
      return 2;
  }
}

function valueSize(value: Value): number {
  return typeof value === "string" ? value.length : value.byteLength;
}
