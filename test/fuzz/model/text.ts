/** What the text protocol has to reply to a line, as docs/protocol.md says it: bytes in, bytes out, over a model of the buckets. */

import { byBytes, isBucketName, isReason, keyFault, textOf } from "./limits.ts";
import { ModelBucket, Refused } from "./bucket.ts";

/** A line of a reply: these bytes, or whatever matches. */
export type ReplyLine = string | RegExp;

interface Word {
  /** Undefined where the bytes are no text. */
  readonly text: string | undefined;
  readonly bytes: Buffer;
}

const OK = "OK";
const UNKNOWN: readonly ReplyLine[] = ["UNKNOWN COMMAND"];
const HELP = [
  "CREATE bucket",
  "PUT bucket key value",
  "GET bucket key",
  "DELETE bucket key",
  "GETDEL bucket key",
  "INCR bucket key [by]",
  "KEYS bucket [prefix [after]]",
  "SUBSCRIBE bucket",
  "LOOKUP bucket",
  "MONITOR bucket",
  "STOP bucket",
  "EXIT bucket reason",
  "BUCKETS [prefix [after]]",
  "AUTH token",
  "PING",
  "QUIT",
  "HELP",
  OK,
];
/** Words that a verb may have behind it. */
const COUNTS: Readonly<Record<string, readonly number[]>> = {
  GET: [2],
  PUT: [3],
  DELETE: [2],
  GETDEL: [2],
  INCR: [2, 3],
  KEYS: [1, 2, 3],
  CREATE: [1],
  LOOKUP: [1],
  STOP: [1],
  EXIT: [2],
  BUCKETS: [0, 1, 2],
  PING: [0],
  QUIT: [0],
  HELP: [0],
};

export class TextModel {
  readonly buckets = new Map<string, ModelBucket>();
  /** The bucket whose own connection it is. */
  readonly #own: string | undefined;

  constructor(own?: string) {
    this.#own = own;
    if (own !== undefined) this.buckets.set(own, new ModelBucket());
  }

  /** The reply to a line, without its ending. */
  reply(line: Buffer): readonly ReplyLine[] {
    const words = wordsOf(line);
    if (words === undefined) return [error("quoting_invalid")];
    const [verb, ...rest] = words;
    const name = verb?.text ?? "";
    if (!(COUNTS[name] ?? []).includes(rest.length)) return UNKNOWN;
    try {
      return this.#run(name, rest);
    } catch (refused) {
      if (refused instanceof Refused) return [error(refused.code)];
      throw refused;
    }
  }

  #run(verb: string, words: readonly Word[]): readonly ReplyLine[] {
    switch (verb) {
      case "PING":
        return ["PONG"];
      case "QUIT":
        return [OK];
      case "HELP":
        return HELP;
      case "BUCKETS":
        return this.#list(words);
      default:
        return this.#ofBucket(verb, words);
    }
  }

  #list([first, second]: readonly Word[]): readonly ReplyLine[] {
    const prefix = textIn(first);
    const after = textIn(second);
    if (this.#own !== undefined) throw new Refused("wrong_bucket");
    const names = [...this.buckets.keys()].filter((name) => name.startsWith(prefix) && name > after);
    return [...names.toSorted(), OK];
  }

  #ofBucket(verb: string, [first, second, third]: readonly Word[]): readonly ReplyLine[] {
    const name = first?.text ?? "";
    const faults = [...(isBucketName(name) ? [] : ["bucket_name_invalid"]), ...faultsOf(verb, second, third)];
    if (faults.length > 0) return [error(faults.join("|"))];
    if (this.#own !== undefined && this.#own !== name) return [error("wrong_bucket")];
    const bucket = this.buckets.get(name);
    if (verb === "CREATE") {
      if (bucket === undefined) this.buckets.set(name, new ModelBucket());
      return [OK];
    }
    if (bucket === undefined) return ["NOT FOUND"];
    return this.#ofLiving(verb, name, bucket, [second, third]);
  }

  #ofLiving(
    verb: string,
    name: string,
    bucket: ModelBucket,
    [second, third]: readonly (Word | undefined)[],
  ): readonly ReplyLine[] {
    const key = second?.text ?? "";
    switch (verb) {
      case "LOOKUP":
        return [/^[0-9a-f]{64}$/, OK];
      case "STOP":
        this.buckets.delete(name);
        return [OK];
      case "PUT":
        bucket.put(key, third?.bytes ?? Buffer.alloc(0));
        return [OK];
      case "GET":
      case "GETDEL": {
        const entry = bucket.entries.get(key);
        if (verb === "GETDEL") bucket.remove(key);
        return [entry === undefined ? "" : printedValue(entry.value), OK];
      }
      case "DELETE":
        bucket.remove(key);
        return [OK];
      case "INCR":
        return [String(bucket.increment(key, { by: third?.text ?? "1" })["value"]), OK];
      case "KEYS": {
        const after = textIn(third);
        const keys = bucket.keysOf({ prefix: key, after: after === "" ? undefined : after });
        return [...keys.toSorted(byBytes).map(printedWord), OK];
      }
      default:
        // EXIT with reason normal, which is ignored.
        return [OK];
    }
  }
}

function faultsOf(verb: string, second: Word | undefined, third: Word | undefined): string[] {
  switch (verb) {
    case "PUT":
    case "GET":
    case "DELETE":
    case "GETDEL":
    case "INCR": {
      const key = second?.text === undefined ? "key_invalid" : keyFault(second.text);
      const wrongBy = verb === "INCR" && third !== undefined && !/^[+-]?\d{1,19}$/.test(third.text ?? "");
      return [...(key === undefined ? [] : [key]), ...(wrongBy ? ["not_an_integer"] : [])];
    }
    case "KEYS":
      return [second, third].some((word) => word !== undefined && word.text === undefined)
        ? ["key_invalid"]
        : [];
    case "EXIT":
      return isReason(second?.text ?? "") ? [] : ["reason_invalid"];
    default:
      return [];
  }
}

function textIn(word: Word | undefined): string {
  if (word === undefined) return "";
  if (word.text === undefined) throw new Refused("key_invalid");
  return word.text;
}

/** The words of a line; undefined where quotes are wrong. */
function wordsOf(line: Buffer): Word[] | undefined {
  const words: Word[] = [];
  let rest = line.toString("latin1");
  for (;;) {
    rest = rest.replace(/^[ \t]+/, "");
    if (rest === "") return words;
    const quoted = /^(base64:)?"((?:[^"\\]|\\[\s\S])*)"(?=[ \t]|$)/.exec(rest);
    if (quoted === null && /^(?:base64:)?"/.test(rest)) return undefined;
    const whole = quoted?.[0] ?? /^[^ \t]+/.exec(rest)?.[0] ?? "";
    const word =
      quoted === null ? plainWord(whole) : quotedWord(quoted[1] !== undefined, quoted[2] ?? "", whole);
    if (word === undefined) return undefined;
    words.push(word);
    rest = rest.slice(whole.length);
  }
}

function plainWord(latin1: string): Word {
  const bytes = Buffer.from(latin1, "latin1");
  return { text: textOf(bytes), bytes };
}

function quotedWord(isBase64: boolean, inner: string, whole: string): Word | undefined {
  if (isBase64) {
    if (!/^(?:[\w+/]{4})*(?:[\w+/]{2,3}={0,2})?$/.test(inner)) return undefined;
    // What is written so is bytes, and never a key.
    return { text: undefined, bytes: Buffer.from(inner, "base64") };
  }
  try {
    const text = JSON.parse(textOf(Buffer.from(whole, "latin1")) ?? "") as string;
    return text.isWellFormed() ? { text, bytes: Buffer.from(text) } : undefined;
  } catch {
    return undefined;
  }
}

function printedValue(value: Buffer): string {
  const text = textOf(value);
  if (text === undefined) return `base64:"${value.toString("base64")}"`;
  return /[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(text) || beginsQuoted(text) ? escaped(text) : text;
}

function printedWord(text: string): string {
  return text === "" || /[\0-\x20\x7f-\x9f\u2028\u2029\ufffd]/.test(text) || beginsQuoted(text)
    ? escaped(text).replaceAll("\ufffd", "\\ufffd")
    : text;
}

function beginsQuoted(text: string): boolean {
  return text.startsWith('"') || text.startsWith('base64:"');
}

function error(codes: string): RegExp {
  return new RegExp(`^ERROR (?:${codes.toUpperCase()}) \\P{Cc}+$`, "u");
}

/** In quotes, with nothing in it that a terminal may act upon, or take for the end of a line. */
function escaped(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
