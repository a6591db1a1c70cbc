/** The text protocol's commands, carried out on a bucket's entries. */

import type { Answer, BucketCommand, Change } from "../command/command.ts";
import { failureOf } from "../errors.ts";
import { MAX_PAGE } from "../limits.ts";
import { Refusal } from "../otp/exit.ts";
import { BYTES_TYPE, type Value } from "../value.ts";
import type { Entries } from "./entries.ts";

/** Answers may be this large together, in bytes or characters; one more value may come on top. */
const MAX_ANSWERS_SIZE = 4 * 1_048_576;

const OK: Answer = { kind: "ok" };
const ABSENT: Answer = { kind: "absent" };

/**
 * Carries out the first commands, one at least, until their answers are large enough. To be called inside
 * {@link Entries.write}. What changed is added to `changes`.
 */
export function execute(entries: Entries, commands: readonly BucketCommand[], changes: Change[]): Answer[] {
  const answers: Answer[] = [];
  let size = 0;
  for (const command of commands) {
    const answer = answerOrFailure(entries, command, changes);
    answers.push(answer);
    size += sizeOf(answer);
    if (size > MAX_ANSWERS_SIZE) break;
  }
  return answers;
}

/** A command that is turned down leaves the others of its batch alone. */
function answerOrFailure(entries: Entries, command: BucketCommand, changes: Change[]): Answer {
  try {
    return answerTo(entries, command, changes);
  } catch (error) {
    if (error instanceof Refusal) return { kind: "error", failure: failureOf(error) };
    throw error;
  }
}

function answerTo(entries: Entries, command: BucketCommand, changes: Change[]): Answer {
  const { verb } = command;
  switch (verb) {
    case "GET": {
      const entry = entries.get(command.key);
      return entry === undefined ? ABSENT : { kind: "value", value: entry.value };
    }
    case "PUT": {
      const { key, value } = command;
      entries.put(key, value, typeof value === "string" ? null : BYTES_TYPE);
      changes.push({ kind: "put", key, value });
      return OK;
    }
    case "DELETE": {
      const { key } = command;
      if (entries.remove(key)) changes.push({ kind: "delete", key });
      return OK;
    }
    case "INCR": {
      const { key } = command;
      const value = entries.increment(key, command.by).value.toString();
      changes.push({ kind: "put", key, value });
      return { kind: "value", value };
    }
    case "KEYS":
      return {
        kind: "names",
        names: entries.keys({ prefix: command.prefix, after: command.after, limit: MAX_PAGE }),
      };
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
