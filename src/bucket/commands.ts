/** The text protocol's commands, carried out on a bucket's entries. */

import type { Answer, BucketCommand } from "../text/command.ts";
import { failure, failureOf } from "../model/errors.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { Refusal } from "../otp/exit.ts";
import { BYTES_TYPE, type Value } from "../model/value.ts";
import type { Entries } from "../store/entries.ts";

/** Answers may be this large together, in bytes or characters; one more value may come on top. */
const MAX_ANSWERS_SIZE = 4 * 1_048_576;

const OK: Answer = { kind: "ok" };
const ABSENT: Answer = { kind: "absent" };
const TOO_LARGE: Answer = {
  kind: "error",
  failure: failure("value_too_large", "The value is too large for this protocol. Read it over HTTP."),
};

/**
 * Carries out the first commands, one at least, until their answers are large enough. To be called inside
 * {@link Entries.write}.
 */
export function execute(entries: Entries, commands: readonly BucketCommand[]): Answer[] {
  const answers: Answer[] = [];
  let size = 0;
  for (const command of commands) {
    const answer = answerOrFailure(entries, command);
    answers.push(answer);
    size += sizeOf(answer);
    if (size > MAX_ANSWERS_SIZE) break;
  }
  return answers;
}

/** A command that is turned down leaves the others of its batch alone. */
function answerOrFailure(entries: Entries, command: BucketCommand): Answer {
  try {
    return answerTo(entries, command);
  } catch (error) {
    if (error instanceof Refusal) return { kind: "error", failure: failureOf(error) };
    throw error;
  }
}

function answerTo(entries: Entries, command: BucketCommand): Answer {
  const { verb } = command;
  switch (verb) {
    case "GET": {
      const entry = entries.get(command.key);
      if (entry === undefined) return ABSENT;
      return entry.large === null ? { kind: "value", value: entry.value } : TOO_LARGE;
    }
    case "PUT": {
      const { key, value } = command;
      entries.put(key, value, { type: typeof value === "string" ? null : BYTES_TYPE });
      return OK;
    }
    case "DELETE":
      entries.remove(command.key);
      return OK;
    case "INCR":
      return { kind: "value", value: entries.increment(command.key, { by: command.by }).value.toString() };
    case "KEYS": {
      const { prefix, after } = command;
      const page = entries.list({ prefix, after, limit: MAX_PAGE });
      return { kind: "names", names: page.entries.map(({ key }) => key) };
    }
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
