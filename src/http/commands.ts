/** `POST /v1/commands`: runs commands of the text protocol, one on each line. */

import { hasOverlongLine, lineGroupsOf } from "../text/lines.ts";
import { Interpreter } from "../text/interpreter.ts";
import { directoryService } from "../connection/service.ts";
import { readText } from "../directory/body.ts";
import { admitted, type Context } from "./context.ts";

/** Runs the lines of the body. The response streams their replies. */
export async function runCommands(request: Request, { directory, auth }: Context): Promise<Response> {
  const text = new Uint8Array(await readText(request));
  const interpreter = new Interpreter(directoryService(directory), admitted(auth));
  const headers = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" };
  const encoder = new TextEncoder();
  const pieces = repliesTo(text, interpreter);
  // Pulled, not pushed: a slow client slows the commands down, instead of filling the memory with replies.
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return new Response(body, { headers });
}

async function* repliesTo(body: Uint8Array, interpreter: Interpreter): AsyncGenerator<string, void, void> {
  if (body.length === 0) return;
  for (const lines of lineGroupsOf(body)) {
    if (interpreter.closed) return;
    if (hasOverlongLine(lines)) yield interpreter.tooLong();
    else yield* interpreter.run(lines);
  }
}
