/** An entry of Workers KV, as a line of an import. */

/** What is known of a key. `gone` if it was deleted, or has expired, since it was listed. */
export type Found =
  | { readonly kind: "entry"; readonly entry: OldEntry }
  | { readonly kind: "gone"; readonly key: string }
  | { readonly kind: "unreadable"; readonly key: string; readonly detail: string };

export interface OldEntry {
  readonly key: string;
  /** Text, or bytes that may be text. */
  readonly value: string | Uint8Array;
  /** Time of expiry, in seconds since 1970. */
  readonly expiration?: number | null | undefined;
  /** Time to live from now on, in seconds. */
  readonly ttl?: number | null | undefined;
  readonly metadata?: unknown;
}

const TEXT_TYPE = "text/plain; charset=utf-8";
/** From this length on a text is sent as base64, because the service reads the text of a line of up to 8 MiB only. */
const LONG_TEXT = 1_048_576;

/** The entry as a line, with its newline. */
export function lineOf({ key, value, expiration, ttl, metadata }: OldEntry): string {
  const text = typeof value === "string" ? value : textOf(value);
  const members = {
    key,
    // For Workers KV, null is the same as none.
    ...(typeof expiration === "number" ? { expires: timeOf(expiration) } : {}),
    ...(typeof ttl === "number" ? { ttl } : {}),
    ...(metadata === undefined || metadata === null ? {} : { metadata }),
  };
  // `base64` comes last: the service streams it in long lines.
  const last =
    text !== undefined && text.length < LONG_TEXT
      ? { value: text }
      : { ...(text === undefined ? {} : { type: TEXT_TYPE }), base64: Buffer.from(value).toString("base64") };
  return `${JSON.stringify({ ...members, ...last })}\n`;
}

/** @returns undefined if the bytes are not UTF-8 */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function timeOf(seconds: number): string {
  const time = new Date(seconds * 1_000);
  // A time that no calendar has: the service says what is wrong with it.
  return Number.isNaN(time.getTime()) ? String(seconds) : time.toISOString();
}
