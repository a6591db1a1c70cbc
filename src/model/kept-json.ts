/** JSON text that is stored as it was sent: values and metadata. A parser would change its numbers, names and order. */

const BLANKS = /[ \t\r\n]+/g;

/** The text of a JSON value without the whitespace between its tokens. */
export class KeptJson {
  readonly text: string;

  /** @param text valid JSON: the caller has checked it */
  constructor(text: string) {
    this.text = compact(text);
  }

  /**
   * The parsed value. Parsing loses detail: of members with the same name only the last remains, and the order may
   * change.
   */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** As `JSON.stringify` of an object, but writes its metadata as it was sent. */
export function keptText(json: object): string {
  if (!("metadata" in json && json.metadata instanceof KeptJson)) return JSON.stringify(json);
  const members = Object.entries(json).map(([name, member]: [string, unknown]) => {
    const text = member instanceof KeptJson ? member.text : (JSON.stringify(member) as string | undefined);
    return text === undefined ? "" : `,${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join("").slice(1)}}`;
}

/** As {@link keptText}, for a list of objects. */
export function keptTexts(list: readonly object[]): string {
  return `[${list.map(keptText).join(",")}]`;
}

/** Removes the whitespace outside of strings. */
function compact(text: string): string {
  if (!/[ \t\r\n]/.test(text)) return text;
  let compacted = "";
  let from = 0;
  while (from < text.length) {
    const quote = text.indexOf('"', from);
    const end = quote === -1 ? text.length : stringEnd(text, quote);
    compacted += text.slice(from, quote === -1 ? text.length : quote).replaceAll(BLANKS, "");
    if (quote !== -1) compacted += text.slice(quote, end);
    from = end;
  }
  return compacted;
}

/** The position after the JSON string whose opening quote is at `quote`; the text's length if the string never ends. */
export function stringEnd(text: string, quote: number): number {
  let at = quote;
  do {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
  } while (isEscaped(text, at));
  return at + 1;
}

/** Whether the character at `at` is escaped: an odd number of backslashes precedes it. */
export function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === 0x5c) before -= 1;
  return (at - before) % 2 === 1;
}
