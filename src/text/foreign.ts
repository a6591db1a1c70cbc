/** Other protocols than the text protocol, by how they begin. Pure. */

import { failure, type Failure } from "../model/errors.ts";
import type { Line } from "./lines.ts";

/** A request line with its version, as HTTP, and what is made after it, has it: `get /x http/1.1`, `PRI * HTTP/2.0`. */
const REQUEST = /^[a-z][a-z_-]* +\S+ +(?:HTTP|RTSP|SIP|ICAP|SHOUTCAST)\/\d/i;
/**
 * What stands in no command of ours, where a conversation begins: a request line without a version (HTTP/0.9, and
 * those who try), SSH's and SMTP's greeting, Redis' and AMQP's first line.
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

/** Bytes that are looked at. */
const MAX_BEGIN = 256;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * Whether the bytes that a connection begins with are no text: a TLS record, a length, a packet of some other kind, a PROXY header.
 * They may have a line break in them and a command behind it, so they are looked at before there are lines.
 */
export function beginsForeign(bytes: Uint8Array): Failure | undefined {
  // PROXY's second version begins with empty lines, so that what takes lines does not take it for one.
  const first = bytes.findIndex((byte) => byte !== CR && byte !== LF);
  if (first === -1) return undefined;
  const end = bytes.indexOf(LF, first);
  const begin = bytes.subarray(first, Math.min(end === -1 ? bytes.length : end, first + MAX_BEGIN));
  if (isText(begin)) return undefined;
  return wrongProtocol(bytes[0] === 0x16 ? "TLS" : "another one");
}

/** No control characters but tabs and line ends, and a first byte that UTF-8 may begin with. */
function isText(bytes: Uint8Array): boolean {
  const [first = SPACE] = bytes;
  if (first >= 0x80 && (first < 0xc2 || first > 0xf4)) return false;
  return bytes.every((byte) => byte >= SPACE || byte === TAB || byte === CR);
}

/**
 * Whether a line that is no command is another protocol's. A web page can make a browser send an HTTP request to any
 * port: its first line tells, and what follows it, the body above all, must not be taken for commands.
 *
 * @param options.greeting whether nothing has been understood yet: what only may be another protocol's is one then
 */
export function foreignLine(
  { text }: Line,
  { greeting }: { readonly greeting: boolean },
): Failure | undefined {
  if (REQUEST.test(text)) return wrongProtocol("HTTP");
  return greeting && GREETINGS.some((pattern) => pattern.test(text))
    ? wrongProtocol("another one")
    : undefined;
}

function wrongProtocol(what: string): Failure {
  return failure(
    "wrong_protocol",
    `This port speaks the text protocol, and this is ${what}. HTTP has its own address.`,
  );
}
