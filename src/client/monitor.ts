/** What becomes of a bucket, through breaks of the connection. */

import { parsed, shaped } from "./answers.ts";
import { endable } from "./endable.ts";
import { follow, type Following } from "./follow.ts";
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
  const following: Following = { path, position: undefined, signal };
  for await (const heard of follow(http, following)) {
    if (heard === "connected") continue;
    following.position = heard.id ?? following.position;
    const { event, data } = heard;
    if (data === undefined || (event !== "RESTARTED" && event !== "DOWN")) continue;
    const told = shaped<Omit<BucketEvent, "event">>(parsed(data), { name: "string" });
    yield { ...told, event };
    if (event === "DOWN") return;
  }
}
