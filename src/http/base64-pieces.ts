/** Base64 in a JSON string, of a length that is never here as a whole: what it says, piece by piece. */

import { KvError } from "../model/errors.ts";

/** An escape that has begun: what it stands for is known with the next piece. */
const UNFINISHED = /\\(?:u[0-9a-fA-F]{0,3})?$/;
const WHITE_SPACE = /[\t\n\f\r ]+/g;
/** What stands in a string of JSON only with an escape (RFC 8259 §7). */
const CONTROL = /[\0-\x1f]/;

/**
 * The bytes. As `JSON.parse` and `Uint8Array.fromBase64` would take the whole of it: with escapes, and with white space
 * anywhere. Four characters are three bytes, so a piece ends behind such a four.
 *
 * @param pieces what stands between the quotes
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
    // The last four wait for the end: only there may one be padded.
    const end = Math.max(0, rest.length - 4) - (Math.max(0, rest.length - 4) % 4);
    const whole = rest.slice(0, end);
    if (whole.includes("=")) throw notBase64();
    yield fromBase64(whole);
    rest = rest.slice(end);
  }
  if (escape !== "" || decoded(decoder) !== "") throw notBase64();
  if (rest !== "") yield fromBase64(rest);
}

/** The next piece, or, without one, what is left. */
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
  return new KvError("body_invalid", "base64 is not base64.");
}
