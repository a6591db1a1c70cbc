/** What visitors send: read, and looked at, before anything is done with it. */

/** How many of each article: one at least. */
export type Cart = Readonly<Record<string, number>>;

/** Characters of a request that are read: a cart has some hundreds. */
const MAX_LENGTH = 10_000;
const MAX_ARTICLES = 100;
const MAX_OF_ONE = 1_000;
const MAX_DELIVERY = 1_000_000;

/** Whether it can be an article's name, or a cart's. */
export function isName(text: string): boolean {
  return /^[a-z0-9-]{1,64}$/.test(text);
}

/** The request's text; undefined if it is longer than any that is meant. */
export async function textOf(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of request.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true });
    if (text.length > MAX_LENGTH) return undefined;
  }
  return text;
}

/** @returns undefined if it is no cart */
export function cartOf(text: string | undefined): Cart | undefined {
  const given = jsonOf(text);
  if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
  const articles = Object.entries(given as Readonly<Record<string, unknown>>);
  if (articles.length > MAX_ARTICLES) return undefined;
  const isCart = articles.every(([article, count]) => isName(article) && isCount(count, MAX_OF_ONE));
  return isCart ? (given as Cart) : undefined;
}

/** @returns undefined if it is no number of articles that can be delivered */
export function countOf(text: string | undefined): number | undefined {
  const given = jsonOf(text);
  return isCount(given, MAX_DELIVERY) ? given : undefined;
}

/** More than none: what is taken from the stock would be added to it. */
function isCount(given: unknown, max: number): given is number {
  return typeof given === "number" && Number.isInteger(given) && given >= 1 && given <= max;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "") as unknown;
  } catch {
    return undefined;
  }
}
