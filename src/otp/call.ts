/** The caller's side of a process: call with a deadline, and cast. */

import { Deadlines } from "./deadlines.ts";
import { classifyStubError, Exit, isExit, Refusal, type Answered, type Reply } from "./exit.ts";

/** GenServer's default deadline, in milliseconds (`GenServer.call/3`). */
export const DEFAULT_CALL_TIMEOUT_MS = 5_000;

export interface CallOptions {
  /** What limits the time that the call may take; {@link DEFAULT_CALL_TIMEOUT_MS} if left out. */
  readonly deadlines?: Deadlines;
  /** Once more, if the connection breaks: only for requests of which twice is as good as once. */
  readonly repeat?: "once";
}

/** Waits before a process that is being restarted is asked again, in milliseconds: a reset takes a few. */
const RESTART_WAITS_MS = [1, 2, 5, 10, 20, 50, 100, 200];

/**
 * Sends a request to a process and waits for its reply. `request` is called again, and makes a new stub
 * then, if the process is being restarted: nothing was done there.
 *
 * @throws {Exit} `timeout` past the deadline, `noconnection` when the connection breaks, `{ crash }` when
 *   the process threw: in these three the outcome is unknown. `noproc` and the other reasons as the
 *   process itself answered them: then nothing was done.
 * @throws {Refusal} when the process turned the request down; nothing was changed.
 */
export function call<T>(request: () => Promise<Reply<T>>, options: CallOptions = {}): Promise<T> {
  const { deadlines = new Deadlines(DEFAULT_CALL_TIMEOUT_MS), repeat } = options;
  return repeat === "once" ? callTwice(request, deadlines) : callOnce(request, deadlines);
}

/**
 * As {@link call}, of a process in the same object: there is no connection to break, and the process itself sees to it
 * that it answers. Without a deadline, and so without a timer: an object may have ten thousand of them, and all that
 * reaches it over its WebSockets shares those.
 */
export function callHere<T>(request: () => Answered<T>): Promise<T> {
  return replyOf(async () => request());
}

/**
 * Sends a request to a process without waiting: no reply, and no promise that it arrived.
 * `keepAlive` is the context's `waitUntil`, so that the platform lets the message leave.
 */
export function cast(request: () => Promise<unknown>, keepAlive: (sent: Promise<unknown>) => void): void {
  // A cast has no one to tell of a failure: that is its contract, not an oversight.
  keepAlive(request().catch(() => undefined));
}

async function callTwice<T>(request: () => Promise<Reply<T>>, deadlines: Deadlines): Promise<T> {
  try {
    return await callOnce(request, deadlines);
  } catch (error) {
    // Not where the process has too much to do: there, more of the same is the last thing that helps.
    if (!isExit(error, "noconnection") || error.overloaded) throw error;
    return callOnce(request, deadlines);
  }
}

function callOnce<T>(request: () => Promise<Reply<T>>, deadlines: Deadlines): Promise<T> {
  return replyOf(async () => deadlines.within(request()));
}

async function replyOf<T>(request: () => Promise<Reply<T>>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const answer = await request().catch(asExit);
    if ("reply" in answer) return answer.reply;
    if ("refusal" in answer) throw new Refusal(answer.refusal.code, answer.refusal.message);
    const wait = answer.exit === "restarting" ? RESTART_WAITS_MS[tries] : undefined;
    if (wait === undefined) throw new Exit(answer.exit, { overloaded: answer.overloaded ?? false });
    await scheduler.wait(wait);
  }
}

function asExit(error: unknown): never {
  throw error instanceof Exit ? error : classifyStubError(error);
}
