/** WebSocket close codes: RFC 6455 §7.4.1, and the IANA registry for 1012 and 1013. */

export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TOO_BIG = 1009;
export const CLOSE_RESTART = 1012;
export const CLOSE_TRY_AGAIN = 1013;

/** The other half of a closing handshake, for a socket whose closing has been reported to its object. */
export function answerClose(socket: WebSocket, code: number, reason: string): void {
  // A code that only reports what happened (1005, 1006, 1015) may not be sent back.
  socket.close(isSendable(code) ? code : CLOSE_NORMAL, reason);
}

function isSendable(code: number): boolean {
  return code >= 1000 && code < 5000 && code !== 1004 && code !== 1005 && code !== 1006 && code !== 1015;
}
