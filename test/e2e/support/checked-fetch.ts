/** Every response of our own servers is held against the server's own description, whatever a test asks for. */

import { Description, type Seen } from "./description.ts";

/** A foreign protocol, with as many segments in a path as there are in a key: OpenAPI has no words for it. */
const OTHERS = "/unstorage/";
const OUR_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** The platform's. */
export const fetchUnchecked = globalThis.fetch;
const descriptions = new Map<string, Promise<Description>>();

/** `fetch`, and a check of what came. */
export const fetchChecked: typeof fetch = async (input, init) => {
  const response = await fetchUnchecked(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  if (!OUR_HOSTS.has(url.hostname) || url.pathname.startsWith(OTHERS)) return response;
  const method = (init?.method ?? (input instanceof Request ? input.method : "GET")).toUpperCase();
  // What a browser asks before a request is described by the Fetch standard.
  if (method === "OPTIONS" && response.ok) return response;
  const description = await descriptionOf(url.origin);
  const seen: Seen = {
    method,
    path: url.pathname + url.search,
    status: response.status,
    contentType: response.headers.get("Content-Type"),
    empty: response.body === null || response.headers.get("Content-Length") === "0",
  };
  // What is not JSON may be large, or never end: it is the test's alone.
  const body = description.readsBody(seen) ? { body: await response.clone().text() } : {};
  const fault = description.faultOf({ ...seen, ...body });
  if (fault !== undefined) throw new Error(`The description and the server disagree. ${fault}`);
  return response;
};

function descriptionOf(origin: string): Promise<Description> {
  let description = descriptions.get(origin);
  if (description === undefined) {
    description = fetchDescription(origin);
    descriptions.set(origin, description);
    // Who asks again may find the server well.
    description.catch(() => descriptions.delete(origin));
  }
  return description;
}

async function fetchDescription(origin: string): Promise<Description> {
  const response = await fetchUnchecked(`${origin}/openapi.json`);
  return new Description((await response.json()) as ConstructorParameters<typeof Description>[0]);
}
