/** Finds the end of a JSON string by its quotes. A regular expression would overflow the stack on a long string. */

/** @returns the index after the JSON string whose opening quote is at `quote`; the text's length if it is not closed */
export function stringEnd(text: string, quote: number): number {
  let at = quote;
  do {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
  } while (isEscaped(text, at));
  return at + 1;
}

/** Whether an odd number of backslashes precedes the quote. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === 0x5c) before -= 1;
  return (at - before) % 2 === 1;
}
