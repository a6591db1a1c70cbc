/** Text that does nothing to a terminal but stand there. */

/**
 * Characters that move the cursor, change colours, or turn the direction of what is beside them: controls (C0, DEL, C1),
 * formats such as U+202E, line separators that few expect, and halves of surrogate pairs. Not those that join letters.
 */
const UNPRINTABLE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** As JSON would escape it: `\u001b[31m`. Line ends and tabs stay. */
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
