/** Exit codes of the command, and the messages for errors. */

import { CommanderError } from "commander";
import { KvError } from "../client/index.ts";

export const EXIT = {
  done: 0,
  notFound: 1,
  usage: 2,
  refused: 3,
  unknown: 4,
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES = `Exit codes:
  0    done
  1    not found, or a condition (--if-match, --if-none-match) does not hold
  2    invalid command line, or a file that can't be read or written
  3    refused by the service: wrong token, value too large, not an integer …
  4    service not reachable, or outcome unknown
  130  interrupted (Ctrl-C); 143 and 129: ended by SIGTERM or SIGHUP`;

/** Ends the command with this exit code, and a message unless it is empty. */
export class ExitError extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, message = "") {
    super(message);
    this.code = code;
  }
}

/** The error for an invalid command line. */
export function usage(message: string): ExitError {
  return new ExitError(EXIT.usage, `error: ${message}`);
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ExitError) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (isSystemError(error)) return EXIT.usage;
  if (!(error instanceof KvError)) return EXIT.unknown;
  if (error.outcomeUnknown || error.code === "not_connected") return EXIT.unknown;
  return isNotFound(error) ? EXIT.notFound : EXIT.refused;
}

/** The message for an error; undefined if there is none, or commander has printed it. */
export function errorMessage(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (error instanceof ExitError) return error.message === "" ? undefined : error.message;
  if (error instanceof KvError) return `kv: ${inCommands(error.message)} (${error.code})${causeOf(error)}`;
  if (isSystemError(error)) return `error: ${error.message}`;
  return error instanceof Error ? error.stack : String(error);
}

/** Rewrites HTTP requests in messages of the service and the client as commands. */
function inCommands(message: string): string {
  return message
    .replace(/\bPUT \/v1\/buckets\/(\S+)$/, "kv create $1")
    .replace("Set a smaller partBytes than its limit", "Set --part-size below its limit")
    .replace(/^[A-Z]+ \/v1\/\S* got no response\./, "The service did not respond.")
    .replace(
      /^[A-Z]+ \/v1\/\S* was not sent: (.*)\.$/,
      "Nothing was sent: $1. Start a server (durable-kv serve), or say where it is: KV_URL, --url.",
    )
    .replace("Send the token: Authorization: Bearer <token>.", "Send the token: KV_TOKEN, --token.");
}

function isNotFound({ code, status }: KvError): boolean {
  return code === "bucket_not_found" || code === "key_not_found" || code === "bucket_down" || status === 412;
}

/** The system's error behind a failed connection, which tells a refused connection from an unknown host name. */
function causeOf({ cause }: KvError): string {
  const reason = cause instanceof Error ? (cause.cause ?? cause) : undefined;
  if (!(reason instanceof Error)) return "";
  // If several addresses were tried, report the first failure.
  const first = reason instanceof AggregateError ? (reason.errors[0] as Error) : reason;
  return `\n    ${first.message}`;
}

/** An error of the operating system, such as a missing or read-only file. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}
