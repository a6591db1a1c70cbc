/** Formats answers, changes and signals as the lines of the text protocol. Pure. */

import { failure, type Failure } from "../model/errors.ts";
import type { Answer, Notification, Signal } from "./command.ts";
import { printProse, printValue, printWord } from "./lexer.ts";

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
];

/** The reply to a command, with its line ends. Replies that the guide defines are the same byte for byte. */
export function reply(answer: Answer): string {
  switch (answer.kind) {
    case "ok":
      return "OK\r\n";
    case "silent":
      return "";
    case "value":
      return `${printValue(answer.value)}\r\nOK\r\n`;
    case "absent":
      return "\r\nOK\r\n";
    case "names":
      return lines(answer.names.map(printWord));
    case "pong":
      return "PONG\r\n";
    case "help":
      return lines(HELP);
    case "ok_noproc":
      return `OK\r\n${signalLine({ kind: "DOWN", bucket: answer.bucket, reason: "noproc" })}`;
    case "no_bucket":
      return "NOT FOUND\r\n";
    case "unknown":
      return "UNKNOWN COMMAND\r\n";
    case "error":
      return errorLine(answer.failure);
  }
}

/** The line that a subscriber receives for a change. */
export function changeLine(change: Notification): string {
  const key = printWord(change.key);
  switch (change.kind) {
    case "put":
      return `${key} SET TO ${printValue(change.value)}\r\n`;
    case "large":
      return errorLine(
        failure(
          "value_too_large",
          `${key} was set to a value that is too large for this protocol. Read it over HTTP.`,
        ),
      );
    case "delete":
      return `${key} DELETED\r\n`;
  }
}

/** The line that a monitor receives for a signal. The reason is the rest of the line. */
export function signalLine({ kind, bucket, reason }: Signal): string {
  return `${kind} ${printWord(bucket)} ${printValue(reason)}\r\n`;
}

/** `ERROR <CODE> <detail>`. The detail may quote the client's input, a key for example, so it is escaped. */
export function errorLine({ code, detail }: Failure): string {
  return code === "unauthorized"
    ? "ERROR UNAUTHORIZED\r\n"
    : `ERROR ${code.toUpperCase()} ${printProse(detail)}\r\n`;
}

function lines(texts: readonly string[]): string {
  return [...texts, "OK"].map((text) => `${text}\r\n`).join("");
}
