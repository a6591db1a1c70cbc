/** The parser: turns a line into a command. Pure. */

import type { Value } from "../model/value.ts";
import { failureOf, KvError } from "../model/errors.ts";
import {
  bucketName,
  exitReason as checkedReason,
  key as checkedKey,
  wholeValue,
} from "../model/validators.ts";
import type { Command, Malformed } from "./command.ts";
import type { Line } from "./lines.ts";
import { wordsOf, type Word } from "./lexer.ts";

const UNKNOWN: Malformed = { verb: "UNKNOWN" };

/**
 * Parses a line. The verb is upper case. An unknown verb, a wrong number of words, or an empty line is `UNKNOWN`, as in the
 * guide. An invalid name, key or value is `BAD`, with its error code. Never throws.
 */
export function parse(line: Line): Command | Malformed {
  try {
    return commandOf(wordsOf(line));
  } catch (error) {
    return { verb: "BAD", failure: failureOf(error) };
  }
}

function commandOf(words: readonly Word[]): Command | Malformed {
  const [verb, first, second, third] = words;
  const count = words.length - 1;
  switch (verb?.text) {
    case "GET":
      return count === 2 ? { verb: "GET", bucket: bucket(first), key: key(second) } : UNKNOWN;
    case "PUT":
      return count === 3
        ? { verb: "PUT", bucket: bucket(first), key: key(second), value: value(third) }
        : UNKNOWN;
    case "DELETE":
    case "GETDEL":
      return count === 2 ? { verb: verb.text, bucket: bucket(first), key: key(second) } : UNKNOWN;
    case "INCR":
      return count === 2 || count === 3
        ? {
            verb: "INCR",
            bucket: bucket(first),
            key: key(second),
            by: third === undefined ? 1n : integer(third),
          }
        : UNKNOWN;
    case "KEYS":
      return count >= 1 && count <= 3
        ? { verb: "KEYS", bucket: bucket(first), prefix: text(second), after: text(third) }
        : UNKNOWN;
    case "CREATE":
    case "LOOKUP":
    case "STOP":
    case "SUBSCRIBE":
    case "MONITOR":
      return count === 1 ? { verb: verb.text, bucket: bucket(first) } : UNKNOWN;
    case "EXIT":
      return count === 2 ? { verb: "EXIT", bucket: bucket(first), reason: reason(second) } : UNKNOWN;
    case "BUCKETS":
      return count <= 2 ? { verb: "BUCKETS", prefix: text(first), after: text(second) } : UNKNOWN;
    case "AUTH":
      return count === 1 ? { verb: "AUTH", token: text(first) } : UNKNOWN;
    case "PING":
    case "QUIT":
    case "HELP":
      return count === 0 ? { verb: verb.text } : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function bucket(word: Word | undefined): string {
  return bucketName(word?.text ?? "");
}

function key(word: Word | undefined): string {
  return checkedKey(text(word));
}

function reason(word: Word | undefined): string {
  if (word?.bytes === undefined) return checkedReason(word?.text ?? "");
  throw new KvError("reason_invalid", "A reason is well-formed UTF-8. Only values may have other bytes.");
}

function value(word: Word | undefined): Value {
  return wholeValue(word?.bytes ?? word?.text ?? "");
}

/** A word as text; a missing word is empty. @throws {KvError} `key_invalid` if the word is not UTF-8 */
function text(word: Word | undefined): string {
  if (word?.bytes === undefined) return word?.text ?? "";
  throw new KvError("key_invalid", "A key is well-formed UTF-8. Only values may have other bytes.");
}

function integer(word: Word): bigint {
  // Nineteen digits hold every 64-bit integer. The bucket checks whether the sum fits.
  if (/^[+-]?\d{1,19}$/.test(word.text)) return BigInt(word.text);
  throw new KvError("not_an_integer", "INCR adds a decimal integer of 64 bits.");
}
