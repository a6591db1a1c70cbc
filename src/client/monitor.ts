/** A bucket's restarts and its end, as a stream that reconnects by itself. */

import { parseAnswer, checkShape } from "./answers.ts";
import { endable } from "./endable.ts";
import { follow, type ResumableStream } from "./follow.ts";
import type { Http } from "./http.ts";
import type { BucketEvent } from "./types.ts";

export function monitor(
  http: Http,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<BucketEvent, void, void> {
  return endable(signal, (own) => eventsOf(http, path, own));
}

async function* eventsOf(
  http: Http,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<BucketEvent, void, void> {
  const stream: ResumableStream = { path, position: undefined, signal };
  for await (const received of follow(http, stream)) {
    if (received === "connected") continue;
    stream.position = received.id ?? stream.position;
    const { event, data } = received;
    if (data === undefined || (event !== "RESTARTED" && event !== "DOWN")) continue;
    const json = checkShape<Omit<BucketEvent, "event">>(parseAnswer(data), { name: "string" });
    yield { ...json, event };
    if (event === "DOWN") return;
  }
}
