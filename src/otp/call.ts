/** The caller's side of a process: call, with a deadline, and cast. */

import { Deadlines } from "./deadlines.ts";
import { classifyStubError, Exit, isExit, Refusal, type Answered, type Reply } from "./exit.ts";

/** GenServer's default deadline, in milliseconds (`GenServer.call/3`). */
export const DEFAULT_CALL_TIMEOUT_MS = 5_000;

export interface CallOptions {
  /** The time limit of the call; {@link DEFAULT_CALL_TIMEOUT_MS} if left out. */
  readonly deadlines?: Deadlines;
  /**
   * Repeat the request, at most twice, if the connection breaks: only for requests that may be done more than once. A
   * process that is made to end again as it comes back breaks two connections in a row.
   */
  readonly repeat?: "twice";
}

/**
 * Milliseconds before a broken connection is reported. In a cluster, workerd 1.20261117.1 ends with a panic if an object of
 * a lost node is called again in the turn in which its connection breaks; by then it has forgotten that connection.
 */
const RECONNECT_MS = 10;

const MAX_REPEATS = 2;

/** Waits between two tries of a call to a process that is restarting, in milliseconds: a reset takes a few. */
const RESTART_WAITS_MS = [1, 2, 5, 10, 20, 50, 100, 200];

/**
 * Sends a request to a process and waits for its reply. If the process is restarting, nothing was done there:
 * `request` is called again, and has to make a new stub each time.
 *
 * @throws {Exit} `timeout` past the deadline, `noconnection` when the connection breaks, `{ crash }` when
 *   the process threw: in these three the outcome is unknown. `noproc` and other reasons that the
 *   process itself answered: nothing was done.
 * @throws {Refusal} when the process refused the request; nothing was changed.
 */
export async function call<T>(
  request: () => Promise<Reply<T>>,
  { deadlines = new Deadlines(DEFAULT_CALL_TIMEOUT_MS), repeat }: CallOptions = {},
): Promise<T> {
  const inTime = (): Promise<Reply<T>> => deadlines.within(request());
  if (repeat === undefined) return replyOf(inTime);
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await replyOf(inTime);
    } catch (error) {
      // Not if the process is overloaded: another request would make it worse.
      if (repeats === MAX_REPEATS || !isExit(error, "noconnection") || error.overloaded) throw error;
    }
  }
}

/**
 * As {@link call}, to a process in the same object: no connection can break. It has no deadline and so no timer, since
 * an object may have ten thousand timers at most, and all requests on its WebSockets share them.
 */
export function callHere<T>(request: () => Answered<T>): Promise<T> {
  return replyOf(request);
}

/**
 * Sends a request to a process without waiting: no reply, and no promise that it arrived.
 * `keepAlive` is the context's `waitUntil`, so that the platform lets the message leave.
 */
export function cast(request: () => Promise<unknown>, keepAlive: (sent: Promise<unknown>) => void): void {
  // By contract, a cast reports no failure.
  keepAlive(request().catch(() => undefined));
}

async function replyOf<T>(request: () => Answered<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const answer = await answerOf(request);
    if ("reply" in answer) return answer.reply;
    if ("refusal" in answer) throw new Refusal(answer.refusal.code, answer.refusal.message);
    const wait = answer.exit === "restarting" ? RESTART_WAITS_MS[tries] : undefined;
    if (wait === undefined) throw new Exit(answer.exit, { overloaded: answer.overloaded ?? false });
    await scheduler.wait(wait);
  }
}

/** What a process answers to one request; a broken connection is reported a little later. @throws {Exit} */
export async function answerOf<T>(request: () => Answered<T>): Promise<Reply<T>> {
  try {
    return await request();
  } catch (error) {
    const exit = error instanceof Exit ? error : classifyStubError(error);
    // Nobody calls again at once: not this caller, and not those whose calls wait for this one.
    if (isExit(exit, "noconnection")) await scheduler.wait(RECONNECT_MS);
    throw exit;
  }
}
