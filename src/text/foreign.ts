/** Detects connections of other protocols by their first bytes or lines. Pure. */

import { failure, type Failure } from "../model/errors.ts";
import type { Line } from "./lines.ts";

/** A request line with a version, as in HTTP and the protocols modelled on it: `get /x http/1.1`, `PRI * HTTP/2.0`. */
const REQUEST = /^[a-z][a-z_-]* +\S+ +(?:HTTP|RTSP|SIP|ICAP|SHOUTCAST)\/\d/i;
/**
 * First lines of other protocols, none of which is a command: a request line without a version (HTTP/0.9 and probes), the
 * greetings of SSH and SMTP, the first lines of Redis and AMQP, a PROXY header, markup or JSON.
 */
const GREETINGS = [
  /^(?:get|head|post|put|patch|delete|options|trace|connect|propfind) +(?:\/|\*(?: |$)|[a-z][a-z0-9+.-]*:\/\/)/i,
  /^connect +\S+:\d+/i,
  /^SSH-\d/,
  /^(?:EHLO|HELO|LHLO) /i,
  /^\*\d+$/,
  /^AMQP/,
  /^PROXY (?:TCP|UNKNOWN)/,
  /^[<{]/,
];

/** Bytes of the first line that are checked. */
const MAX_BEGIN = 256;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * Checks the first bytes of a connection: the failure if they are not text, for example a TLS record, a length, another
 * kind of packet, or a PROXY header. Call it before splitting lines, because binary data may contain a line break
 * followed by a command.
 */
export function beginsForeign(bytes: Uint8Array): Failure | undefined {
  // Skip empty lines: version 2 of the PROXY header begins with them.
  const first = bytes.findIndex((byte) => byte !== CR && byte !== LF);
  if (first === -1) return undefined;
  const end = bytes.indexOf(LF, first);
  const begin = bytes.subarray(first, Math.min(end === -1 ? bytes.length : end, first + MAX_BEGIN));
  if (isText(begin)) return undefined;
  return wrongProtocol(bytes[0] === 0x16 ? "TLS" : "another protocol");
}

/** Text has no control characters except tabs and line ends, and its first byte may begin a UTF-8 sequence. */
function isText(bytes: Uint8Array): boolean {
  const [first = SPACE] = bytes;
  if (first >= 0x80 && (first < 0xc2 || first > 0xf4)) return false;
  return bytes.every((byte) => byte >= SPACE || byte === TAB || byte === CR);
}

/**
 * Checks a line that is not a command: the failure if it belongs to another protocol. A web page can make a browser send
 * an HTTP request to any port. The request's first line reveals it, and the rest, above all the body, must not run as
 * commands.
 *
 * @param options.greeting whether the connection has sent no command yet; only then ambiguous lines count as foreign
 */
export function foreignLine(
  { text }: Line,
  { greeting }: { readonly greeting: boolean },
): Failure | undefined {
  if (REQUEST.test(text)) return wrongProtocol("HTTP");
  return greeting && GREETINGS.some((pattern) => pattern.test(text))
    ? wrongProtocol("another protocol")
    : undefined;
}

function wrongProtocol(what: string): Failure {
  return failure(
    "wrong_protocol",
    `This port speaks the text protocol, but these bytes are ${what}. HTTP has its own address.`,
  );
}
