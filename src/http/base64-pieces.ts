/** Decodes base64 in a JSON string, piece by piece, so that the whole string is never in memory. */

import { KvError } from "../model/errors.ts";

/** An escape sequence at the end of a piece that continues in the next piece. */
const UNFINISHED = /\\(?:u[0-9a-fA-F]{0,3})?$/;
const WHITE_SPACE = /[\t\n\f\r ]+/g;
/** Characters that a JSON string must escape (RFC 8259 §7). */
const CONTROL = /[\0-\x1f]/;

/**
 * Decodes a base64 string. It accepts what `JSON.parse` and `Uint8Array.fromBase64` accept together: escapes, and white
 * space anywhere. Four characters are three bytes, so each decoded piece has a multiple of four characters.
 *
 * @param pieces the text between the quotes, as bytes
 * @throws {KvError} `body_invalid`
 */
export async function* bytesOfBase64(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let escape = "";
  let rest = "";
  for await (const piece of pieces) {
    const text = escape + decoded(decoder, piece);
    if (CONTROL.test(text)) throw notBase64();
    [escape = ""] = UNFINISHED.exec(text) ?? [];
    rest += unescaped(text.slice(0, text.length - escape.length)).replaceAll(WHITE_SPACE, "");
    // Keep the last four characters for the end: only they may have padding.
    const end = Math.max(0, rest.length - 4) - (Math.max(0, rest.length - 4) % 4);
    const whole = rest.slice(0, end);
    if (whole.includes("=")) throw notBase64();
    yield fromBase64(whole);
    rest = rest.slice(end);
  }
  if (escape !== "" || decoded(decoder) !== "") throw notBase64();
  if (rest !== "") yield fromBase64(rest);
}

/** Decodes the next piece; without a piece, the rest. */
function decoded(decoder: TextDecoder, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    throw notBase64();
  }
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    throw notBase64();
  }
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw notBase64();
  }
}

function notBase64(): KvError {
  return new KvError("body_invalid", '"base64" is not valid base64.');
}
