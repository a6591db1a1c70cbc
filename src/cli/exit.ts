/** How the command ends: its exit codes, and what it says. */

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
  1    not found, or a condition (--if-match, --if-none-match) that does not hold
  2    a command line that makes no sense
  3    refused by the service: no token, a value that is too large, not an integer …
  4    the service could not be reached, or whether it was done is unknown
  130  interrupted (Ctrl-C); 143 and 129: ended by SIGTERM or SIGHUP`;

/** An end that is not the usual one. */
export class Ended extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, message = "") {
    super(message);
    this.code = code;
  }
}

/** A command line that makes no sense. */
export function usage(message: string): Ended {
  return new Ended(EXIT.usage, `error: ${message}`);
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Ended) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (isSystemError(error)) return EXIT.usage;
  if (!(error instanceof KvError)) return EXIT.unknown;
  if (error.outcomeUnknown) return EXIT.unknown;
  return isNotFound(error) ? EXIT.notFound : EXIT.refused;
}

/** What to say of it; undefined if nothing is to be said, or it has been said. */
export function messageOf(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (error instanceof Ended) return error.message === "" ? undefined : error.message;
  if (error instanceof KvError) return `kv: ${inCommands(error.message)} (${error.code})${causeOf(error)}`;
  if (isSystemError(error)) return `error: ${error.message}`;
  return error instanceof Error ? error.stack : String(error);
}

/** The service and its client speak of requests; who types commands hears of those. */
function inCommands(message: string): string {
  return message
    .replace(/\bPUT \/v1\/buckets\/(\S+)$/, "kv create $1")
    .replace(/^[A-Z]+ \/v1\/\S* got no response\./, "The service did not respond.");
}

function isNotFound({ code, status }: KvError): boolean {
  return code === "bucket_not_found" || code === "key_not_found" || code === "bucket_down" || status === 412;
}

/** A refused connection and a name that is not known look the same from outside: what the system said tells. */
function causeOf({ cause }: KvError): string {
  const reason = cause instanceof Error ? (cause.cause ?? cause) : undefined;
  if (!(reason instanceof Error)) return "";
  // Several addresses were tried: the first failure speaks for all.
  const first = reason instanceof AggregateError ? (reason.errors[0] as Error) : reason;
  return `\n    ${first.message}`;
}

/** A file that is not there, or may not be written. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}
