/** Makes text safe to print on a terminal. */

/**
 * Characters that can move the cursor, change colours or change the text's direction: controls (C0, DEL, C1), format
 * characters such as U+202E, U+2028 and U+2029, and halves of surrogate pairs. Not the joiners U+200C and U+200D, which
 * some scripts need.
 */
const UNPRINTABLE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Escapes such characters as JSON does, for example `\u001b[31m`. Line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escaped);
}

export function isPrintable(text: string): boolean {
  return printable(text) === text;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}
