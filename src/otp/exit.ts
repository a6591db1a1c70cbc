/** Exit reasons, and the two ways in which a call ends without a reply: an exit and a refusal. */

/**
 * Why a call to a process ended without a reply. The words are OTP's. (The reason with which a process *ends* is a
 * text: that of the exit signal, or for a crash what {@link formatReason} makes of it.)
 *
 * - `noproc`: there is no process behind the handle. Nothing was done.
 * - `restarting`: it will soon be back, or gone. Nothing was done: ask again.
 * - `timeout`: no reply within the deadline. The outcome is **unknown**.
 * - `noconnection`: the connection to it broke. The outcome is **unknown**.
 * - `{ crash }`: its own code threw; the message says what. The outcome is **unknown**.
 */
export type ExitReason = "noproc" | "restarting" | "timeout" | "noconnection" | Crash;

/** An unexpected exception in the process's own code. */
export interface Crash {
  readonly crash: string;
  /** Under which the process has logged it: see incident.ts. */
  readonly incident?: string;
}

/** What a process answers to a call; plain data, because class identity does not survive RPC. */
export type Reply<T> =
  | { readonly reply: T }
  | { readonly exit: ExitReason; readonly overloaded?: boolean }
  | { readonly refusal: { readonly code: string; readonly message: string } };

/** A reply at once, or later: a crash is answered when the process's watchers have been told. */
export type Answered<T> = Reply<T> | Promise<Reply<T>>;

/** A call that ended without a reply. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly reason: ExitReason;
  /** The platform rejected the call because the process is overloaded: do not retry at once. */
  readonly overloaded: boolean;

  constructor(reason: ExitReason, options: { cause?: unknown; overloaded?: boolean } = {}) {
    super(formatReason(reason), { cause: options.cause });
    this.reason = reason;
    this.overloaded = options.overloaded ?? false;
  }
}

/** The process refused the request, and changed nothing. `code` is stable, `message` is for people. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Whether an error is an exit with this reason. */
export function isExit(error: unknown, reason: Exclude<ExitReason, Crash>): error is Exit {
  return error instanceof Exit && error.reason === reason;
}

/** Whether an error is a refusal with this code. */
export function isRefusal(error: unknown, code: string): error is Refusal {
  return error instanceof Refusal && error.code === code;
}

/** An exit reason in words, as logs and the wire show it. */
export function formatReason(reason: ExitReason): string {
  return typeof reason === "string" ? reason : `crash: ${reason.crash}`;
}

/** The marks that the platform sets on an exception from a Durable Object stub. */
interface StubErrorMarks {
  readonly overloaded?: boolean;
  readonly retryable?: boolean;
  readonly durableObjectReset?: boolean;
  readonly remote?: boolean;
}

/**
 * What an exception from a stub says about the process behind it.
 *
 * The structured marks decide, never the message. A reset comes before `remote`, because an object that
 * was reset also throws remotely, and a reset is the platform's doing, not the process's own crash.
 * An exception without any mark (a local abort, a broken pipe) is a broken connection.
 *
 * Source: Cloudflare's Durable Objects "Error handling".
 */
export function classifyStubError(error: unknown): Exit {
  const marks: StubErrorMarks = typeof error === "object" && error !== null ? error : {};
  if (marks.overloaded === true) return new Exit("noconnection", { cause: error, overloaded: true });
  if (marks.durableObjectReset === true || marks.retryable === true) {
    return new Exit("noconnection", { cause: error });
  }
  if (marks.remote === true) return new Exit({ crash: messageOf(error) }, { cause: error });
  return new Exit("noconnection", { cause: error });
}

// SQLite's codes for faults of the machine, as opposed to a wrong statement. The platform appends them to the message.
const STORAGE_FAULT =
  /: SQLITE_(TOOBIG|FULL|IOERR|CORRUPT|NOMEM|CANTOPEN|NOTADB|READONLY|BUSY|LOCKED|AUTH|INTERRUPT)\b/;

/**
 * Whether an exception inside a process is the platform's fault: a full disk, a broken file, a reset. It says nothing
 * about the process, so it is no crash and does not end it.
 */
export function isInfrastructure(error: unknown): boolean {
  const marks: StubErrorMarks = typeof error === "object" && error !== null ? error : {};
  return (
    marks.durableObjectReset === true ||
    marks.overloaded === true ||
    marks.retryable === true ||
    STORAGE_FAULT.test(messageOf(error))
  );
}

/** The message of any value that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs the body of a call that awaits. */
export async function asReply<T>(body: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { reply: await body() };
  } catch (error) {
    const reply = replyOf(error);
    if (reply === undefined) throw error;
    return reply;
  }
}

/**
 * The reply for an error: a {@link Refusal} becomes data, and so does an {@link Exit} from a call that the process made
 * itself, so that the caller learns why. Undefined for every other error.
 */
export function replyOf(error: unknown): Reply<never> | undefined {
  if (error instanceof Refusal) return { refusal: { code: error.code, message: error.message } };
  if (error instanceof Exit) return { exit: error.reason, overloaded: error.overloaded };
  return undefined;
}
