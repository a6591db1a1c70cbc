/** The caller's side of a process: call with a deadline, and cast. */

import { classifyStubError, Exit, Refusal, type Reply } from "./exit.ts";

/** GenServer's default deadline, in milliseconds (`GenServer.call/3`). */
export const DEFAULT_CALL_TIMEOUT_MS = 5_000;

export interface CallOptions {
  /** Deadline in milliseconds. */
  readonly timeoutMs?: number;
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
  const answer = await withDeadline(request, options.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS);
  if ("reply" in answer) return answer.reply;
  if ("exit" in answer) throw new Exit(answer.exit);
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

async function withDeadline<T>(request: () => Promise<T>, timeoutMs: number): Promise<T> {
  let timer: number | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Exit("timeout")), timeoutMs);
  });
  try {
    return await Promise.race([request(), deadline]);
  } catch (error) {
    throw error instanceof Exit ? error : classifyStubError(error);
  } finally {
    clearTimeout(timer);
  }
}
