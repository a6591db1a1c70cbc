/** Base64 that is decoded piece by piece. */

import { describe, expect, it } from "vitest";
import { bytesOfBase64 } from "../../src/http/base64-pieces.ts";

const encoder = new TextEncoder();

/** What stands between the quotes, in pieces of so many bytes. */
async function* pieces(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function decoded(text: string | Uint8Array, size: number): Promise<number[]> {
  const parts = await Array.fromAsync(bytesOfBase64(pieces(text, size)));
  return parts.flatMap((part) => [...part]);
}

describe.each([1, 2, 3, 4, 5, 7, 64])("base64 that comes in pieces of %i bytes", (size) => {
  const bytes = Array.from({ length: 100 }, (_, at) => (at * 91) & 255);
  const plain = new Uint8Array(bytes).toBase64();

  it.each([
    ["as it is", plain],
    ["with blanks within", plain.replaceAll(/.{7}/g, String.raw`$&\r\n `)],
    ["with slashes that are escaped", plain.replaceAll("/", String.raw`\/`)],
    [
      "with characters that are escaped",
      plain.replaceAll("/", String.raw`\u002f`).replaceAll("A", String.raw`\u0041`),
    ],
    ["of no bytes", ""],
  ])("is what it says: %s", async (_, written) => {
    expect(await decoded(written, size)).toEqual(written === "" ? [] : bytes);
  });

  it.each([
    ["a letter of none", "\\u00e9"],
    ["padding within", "A==A"],
    ["a tab that is not escaped", "\t"],
    ["a byte order mark", "\ufeff"],
    ["half of a character", new Uint8Array([0xe2, 0x82])],
    ["half of an escape", "\\u00"],
  ])("is refused with %s behind it", async (_, wrong) => {
    const written = new Uint8Array(await new Blob([plain, wrong]).arrayBuffer());
    await expect(decoded(written, size)).rejects.toMatchObject({ code: "body_invalid" });
  });
});
