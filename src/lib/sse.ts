/** Server-Sent Events as text (WHATWG HTML §9.2). */

/** The wait before an EventSource comes back, in milliseconds. */
const RETRY_MS = 1_000;

/** A comment: a sign of life for both sides, and the way to notice that a client has gone. */
export const SSE_HEARTBEAT = ": still here\n\n";

/** An event. @param id where a client that comes back goes on; left out: it goes on behind the id before. @param data JSON */
export function sseEvent(event: string, id: string | undefined, data: string): string {
  return `${idLine(id)}event: ${event}\ndata: ${data}\n\n`;
}

/** The beginning of a stream: where a client that hears nothing more goes on. Nothing is dispatched. */
export function sseBegin(id: string | undefined): string {
  return `retry: ${RETRY_MS}\n${idLine(id)}\n`;
}

/** An id alone. Without data nothing is dispatched, but the id counts (§9.2.6). */
export function ssePosition(id: string | undefined): string {
  return `${idLine(id)}\n`;
}

function idLine(id: string | undefined): string {
  return id === undefined ? "" : `id: ${id}\n`;
}
