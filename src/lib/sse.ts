/** Server-Sent Events as text (WHATWG HTML §9.2). */

/** The wait of an EventSource before it reconnects, in milliseconds. */
const RETRY_MS = 1_000;

/** A comment: shows the client that the server lives, and the server, if the write fails, that the client has gone. */
export const SSE_HEARTBEAT = ": still here\n\n";

/** An event. @param id from which a client that reconnects resumes; left out, the id before stays. @param data JSON */
export function sseEvent(event: string, id: string | undefined, data: string): string {
  return `${idLine(id)}event: ${event}\ndata: ${data}\n\n`;
}

/** The beginning of a stream: the id from which a client resumes if it gets no event. Dispatches nothing. */
export function sseBegin(id: string | undefined): string {
  return `retry: ${RETRY_MS}\n${idLine(id)}\n`;
}

/** An id alone: without data nothing is dispatched, but the client keeps the id (§9.2.6). */
export function ssePosition(id: string | undefined): string {
  return `${idLine(id)}\n`;
}

function idLine(id: string | undefined): string {
  return id === undefined ? "" : `id: ${id}\n`;
}
