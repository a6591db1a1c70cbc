/** Where a string in JSON ends: found by its quotes, since a regular expression runs out of stack in a long one. */

/** @returns the place behind the string of JSON that begins there; the text's end if it does not end */
export function stringEnd(text: string, quote: number): number {
  let at = quote;
  do {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
  } while (isEscaped(text, at));
  return at + 1;
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === 0x5c) before -= 1;
  return (at - before) % 2 === 1;
}
