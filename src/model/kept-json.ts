/** JSON that is kept as it was sent: values and metadata, whose numbers, names and order a parser would change. */

const BLANKS = /[ \t\r\n]+/g;

/** The text of a JSON value, without blanks between its parts. */
export class KeptJson {
  readonly text: string;

  /** @param text JSON, which the caller has found to be that */
  constructor(text: string) {
    this.text = compact(text);
  }

  /** What a parser makes of it: the last of members with one name, in an order of its own. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** What `JSON.stringify` makes of an object; its metadata is written as it was sent. */
export function keptText(json: object): string {
  if (!("metadata" in json && json.metadata instanceof KeptJson)) return JSON.stringify(json);
  const members = Object.entries(json).map(([name, member]: [string, unknown]) => {
    const text = member instanceof KeptJson ? member.text : (JSON.stringify(member) as string | undefined);
    return text === undefined ? "" : `,${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join("").slice(1)}}`;
}

/** As {@link keptText}, of several. */
export function keptTexts(list: readonly object[]): string {
  return `[${list.map(keptText).join(",")}]`;
}

/** Without the blanks outside of strings. */
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

/** Behind the string of JSON that begins there; the text's end if it does not end. */
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
