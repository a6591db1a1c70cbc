/** Keys and values in lines, as the text protocol shows them, and such that they do nothing to a terminal. */

import { isPrintable, printable } from "./printable.ts";

/** A key; in quotes where it would break its line. */
export function keyText(key: string): string {
  return breaksLine(key) || key.startsWith('"') ? quoted(key) : key;
}

/** A value; in quotes where it would break its line, in base64 where it is no text. */
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

/** A value as a member of JSON: `value` if it is text, `base64` if it is not. */
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
