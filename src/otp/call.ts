/** The caller's side of a process: call with a deadline, and cast. */

import { Deadlines } from "./deadlines.ts";
import { classifyStubError, Exit, Refusal, type Reply } from "./exit.ts";

/** GenServer's default deadline, in milliseconds (`GenServer.call/3`). */
export const DEFAULT_CALL_TIMEOUT_MS = 5_000;

export interface CallOptions {
  /** What limits the time that the call may take; {@link DEFAULT_CALL_TIMEOUT_MS} if left out. */
  readonly deadlines?: Deadlines;
}

/**
 * Sends a request to a process and waits for its reply.
 *
 * @throws {Exit} `timeout` past the deadline, `noconnection` when the connection breaks, `{ crash }` when
 *   the process threw: in these three the outcome is unknown. `noproc` and the other reasons as the
 *   process itself answered them: then nothing was done.
 * @throws {Refusal} when the process turned the request down; nothing was changed.
 */
export async function call<T>(request: () => Promise<Reply<T>>, options: CallOptions = {}): Promise<T> {
  const { deadlines = new Deadlines(DEFAULT_CALL_TIMEOUT_MS) } = options;
  const answer = await inTime(request, deadlines);
  if ("reply" in answer) return answer.reply;
  if ("exit" in answer) throw new Exit(answer.exit, { overloaded: answer.overloaded ?? false });
  throw new Refusal(answer.refusal.code, answer.refusal.message);
}

/**
 * Sends a request to a process without waiting: no reply, and no promise that it arrived.
 * `keepAlive` is the context's `waitUntil`, so that the platform lets the message leave.
 */
export function cast(request: () => Promise<unknown>, keepAlive: (sent: Promise<unknown>) => void): void {
  // A cast has no one to tell of a failure: that is its contract, not an oversight.
  keepAlive(request().catch(() => undefined));
}

async function inTime<T>(request: () => Promise<T>, deadlines: Deadlines): Promise<T> {
  try {
    return await deadlines.within(request());
  } catch (error) {
    throw error instanceof Exit ? error : classifyStubError(error);
  }
}
