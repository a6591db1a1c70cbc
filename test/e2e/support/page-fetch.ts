/** `fetch` as a browser has it on a page: the Fetch standard's CORS, as far as it is needed here. */

/** What a page may send without asking, and read without being let. */
const SAFE_METHODS = new Set(["GET", "HEAD", "POST"]);
const SAFE_REQUEST = new Set(["accept", "accept-language", "content-language"]);
const SAFE_TYPES = new Set(["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]);
const SAFE_RESPONSE = new Set([
  "cache-control",
  "content-language",
  "content-length",
  "content-type",
  "expires",
  "last-modified",
]);

/** @throws {TypeError} as a browser does, if the service does not let this origin in */
export function pageFetch(origin: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const asked = [...request.headers.keys()].filter(
      (name) => !isSafe(name, request.headers.get(name) ?? ""),
    );
    if (!SAFE_METHODS.has(request.method) || asked.length > 0) await preflight(request, asked, origin);
    request.headers.set("Origin", origin);
    const response = await fetch(request);
    allow(response, origin);
    const exposed = new Set([...SAFE_RESPONSE, ...list(response, "Access-Control-Expose-Headers")]);
    const seen = [...response.headers].filter(([name]) => exposed.has(name));
    return new Response(response.body, { status: response.status, headers: seen });
  };
}

async function preflight(request: Request, asked: readonly string[], origin: string): Promise<void> {
  const response = await fetch(request.url, {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": request.method,
      ...(asked.length === 0 ? {} : { "Access-Control-Request-Headers": asked.join(",") }),
    },
  });
  allow(response, origin);
  const methods = list(response, "Access-Control-Allow-Methods");
  const names = list(response, "Access-Control-Allow-Headers");
  const refused = asked.filter((name) => !names.includes(name));
  if (!response.ok || refused.length > 0 || !methods.includes(request.method.toLowerCase())) {
    throw new TypeError(`the preflight for ${request.method} ${refused.join(", ")} fails`);
  }
}

function allow(response: Response, origin: string): void {
  if (response.headers.get("Access-Control-Allow-Origin") !== origin) {
    throw new TypeError(`${origin} may not read this`);
  }
}

function isSafe(name: string, value: string): boolean {
  return name === "content-type" ? SAFE_TYPES.has(value.split(";")[0] ?? "") : SAFE_REQUEST.has(name);
}

function list(response: Response, header: string): string[] {
  return (response.headers.get(header) ?? "").split(",").map((name) => name.trim().toLowerCase());
}
