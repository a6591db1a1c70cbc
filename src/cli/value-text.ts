/** Formats keys and values for lines, as the text protocol does, and safe for a terminal. */

import { isPrintable, printable } from "./printable.ts";

/** A key; quoted if it contains line breaks, tabs or unprintable characters. */
export function keyText(key: string): string {
  return breaksLine(key) || key.startsWith('"') ? quoted(key) : key;
}

/** A value; quoted as a key is, and in Base64 if it is not UTF-8. */
export function valueText(value: Uint8Array): string {
  const text = textOf(value);
  if (text === undefined) return `base64:"${base64(value)}"`;
  return breaksLine(text) || text.startsWith('"') || text.startsWith('base64:"') ? quoted(text) : text;
}

function breaksLine(text: string): boolean {
  return /[\n\t]/.test(text) || !isPrintable(text);
}

function quoted(text: string): string {
  return printable(JSON.stringify(text));
}

/** A value as a JSON member: `value` if it is UTF-8, otherwise `base64`. */
export function valueJson(
  value: Uint8Array | undefined,
): { readonly value?: string } | { readonly base64: string } {
  if (value === undefined) return {};
  const text = textOf(value);
  return text === undefined ? { base64: base64(value) } : { value: text };
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

function textOf(value: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}
