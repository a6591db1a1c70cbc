/** Exit reasons, and the two ways in which a call can end without a reply: an exit and a refusal. */

/**
 * Why a call to a process came back without a reply. The words are OTP's. (How a process *ends* is a text: any
 * reason that an exit signal carries, see {@link formatReason} for a crash's.)
 *
 * - `noproc`: there is no process behind the handle. Nothing was done.
 * - `restarting`: it is about to be back, or to be gone. Nothing was done: ask again.
 * - `timeout`: no reply within the deadline. The outcome is **unknown**.
 * - `noconnection`: the connection to it broke. The outcome is **unknown**.
 * - `{ crash }`: its own code threw; the message says what. The outcome is **unknown**.
 */
export type ExitReason = "noproc" | "restarting" | "timeout" | "noconnection" | Crash;

/** An unexpected exception in the process's own code. */
export interface Crash {
  readonly crash: string;
}

/** What a process answers to a call; plain data, because class identity does not survive RPC. */
export type Reply<T> =
  | { readonly reply: T }
  | { readonly exit: ExitReason; readonly overloaded?: boolean }
  | { readonly refusal: { readonly code: string; readonly message: string } };

/** A reply at once, or later: a crash is answered when those who watch the process know of it. */
export type Answered<T> = Reply<T> | Promise<Reply<T>>;

/** A call that ended without a reply. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly reason: ExitReason;
  /** The platform turned the call away because the process has too much to do: do not retry at once. */
  readonly overloaded: boolean;

  constructor(reason: ExitReason, options: { cause?: unknown; overloaded?: boolean } = {}) {
    super(formatReason(reason), { cause: options.cause });
    this.reason = reason;
    this.overloaded = options.overloaded ?? false;
  }
}

/**
 * The process turned the request down: the caller's mistake, not a crash. Nothing was changed.
 * `code` is stable, `message` is for people.
 */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Whether what was thrown is an exit with this reason. */
export function isExit(error: unknown, reason: Exclude<ExitReason, Crash>): error is Exit {
  return error instanceof Exit && error.reason === reason;
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
 * An exception without any mark (a local abort, a broken pipe) is the connection's.
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

// What the machine does to SQLite, or will not do, as opposed to a statement that is wrong; the platform appends the code.
const STORAGE_FAULT =
  /: SQLITE_(TOOBIG|FULL|IOERR|CORRUPT|NOMEM|CANTOPEN|NOTADB|READONLY|BUSY|LOCKED|AUTH|INTERRUPT)\b/;

/**
 * Whether an exception met inside a process is the platform's doing and not the process's own: a full disk,
 * a broken file, a reset. It says nothing of the process, so it is no crash and ends nothing.
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

/** The words of anything that was thrown. */
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
 * A {@link Refusal} becomes data, and so does an {@link Exit} that the process met in a call of its own: the
 * caller learns why. Anything else is no answer.
 */
export function replyOf(error: unknown): Reply<never> | undefined {
  if (error instanceof Refusal) return { refusal: { code: error.code, message: error.message } };
  if (error instanceof Exit) return { exit: error.reason, overloaded: error.overloaded };
  return undefined;
}
