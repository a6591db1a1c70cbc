/** Other protocols on the port of the text protocol. */

import { describe, expect, it } from "vitest";
import { beginsForeign, foreignLine } from "../../src/text/foreign.ts";

const code = (text: string, greeting = true): string | undefined =>
  foreignLine({ text, encoding: "utf-8" }, { greeting })?.code;

describe("a line that is no command", () => {
  it.each([
    "GET /v1/buckets HTTP/1.1",
    "post /v1/commands http/1.1",
    "OPTIONS * HTTP/1.1",
    "OPTIONS * RTSP/1.0",
    "OPTIONS sip:nm SIP/2.0",
    "CONNECT x:1 HTTP/1.1",
    "PRI * HTTP/2.0",
    "PUT /x HTTP/1.1",
    "M-SEARCH * HTTP/1.1",
  ])("is another protocol's wherever it stands: %s", (line) => {
    expect([code(line), code(line, false)]).toEqual(["wrong_protocol", "wrong_protocol"]);
  });

  it.each([
    "get /x",
    "OPTIONS *",
    "Get http://example.com/",
    "CONNECT example.com:443",
    "SSH-2.0-OpenSSH_9.2",
    "EHLO example.com",
    "*1",
    "PROXY TCP4 127.0.0.1 127.0.0.1 1 2",
    "<stream:stream>",
    '{"id":1}',
  ])("is another protocol's where a conversation begins: %s", (line) => {
    expect([code(line), code(line, false)]).toEqual(["wrong_protocol", undefined]);
  });

  it.each(["", "get shopping milk", "hello", "GET shopping", "PUT a:1", "* 1", "options"])(
    "is only unknown: %j",
    (line) => {
      expect(code(line)).toBeUndefined();
    },
  );
});

describe("what a connection begins with", () => {
  it.each([
    ["a TLS record", [0x16, 0x03, 0x01]],
    ["a length", [0x00, 0x00, 0x00, 0x08]],
    ["MQTT's CONNECT", [0x10, 0x0c]],
    ["SOCKS", [0x05, 0x01]],
    [
      "a PROXY header, version 2",
      [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21],
    ],
    ["what of a PROXY header has come first", [0x0d, 0x0a, 0x0d, 0x0a, 0x00]],
    ["line ends with what is no text behind them", [0x0a, 0x0a, 0x0d, 0x0a, 0x01]],
    ["a length that looks like text, and what is behind it", [0x3a, 0x00, 0x00, 0x00, 0x0a]],
    ["what UTF-8 never begins with", [0xff, 0x41]],
  ])("is no text: %s", (_, bytes) => {
    expect(beginsForeign(Uint8Array.from(bytes))?.code).toBe("wrong_protocol");
  });

  it.each(["GET b k\n", "\r\n", "\r\n\r\n", "\n\nPING\n\u0001", "\tPING", " PING", "é", ""])(
    "may be text: %j",
    (text) => {
      expect(beginsForeign(new TextEncoder().encode(text))).toBeUndefined();
    },
  );
});
