/** WebSocket close codes: RFC 6455 §7.4.1, and the IANA registry for 1012 and 1013. */

export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TOO_BIG = 1009;
export const CLOSE_RESTART = 1012;
export const CLOSE_TRY_AGAIN = 1013;

/** Answers a closing handshake, for a socket whose close was reported to its object. */
export function answerClose(socket: WebSocket, code: number, reason: string): void {
  // Codes that only report what happened (1005, 1006, 1015) must not be sent.
  socket.close(isSendable(code) ? code : CLOSE_NORMAL, reason);
}

function isSendable(code: number): boolean {
  return code >= 1000 && code < 5000 && code !== 1004 && code !== 1005 && code !== 1006 && code !== 1015;
}
