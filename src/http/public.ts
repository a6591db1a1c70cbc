/** What is served to everybody, because it says nothing of the data: health, and the API's description. */

import { PUBLIC_API, type PublicOperationId } from "./api/api.ts";
import { docsPage } from "./api/docs-page.ts";
import { jsonText } from "./json-text.ts";
import { startPage } from "./api/start-page.ts";
import { openApi } from "./api/openapi.ts";
import { methodNotAllowed } from "./problem.ts";
import { VERSION } from "../config/version.ts";

const HANDLERS: Readonly<Record<PublicOperationId, () => Response | Promise<Response>>> = {
  health: () => Response.json({ status: "ok" }),
  describeApi: () => jsonText(description()),
  showDocs: async () => page(await docsPage(openApi(VERSION))),
  showStart: async () => page(await startPage(VERSION)),
};

function page(html: string): Response {
  return new Response(html, {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      // The page is text: it runs nothing, and loads nothing.
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

let written: string | undefined;

/** The response to a request for something public; undefined if it is for something else. */
export function servePublic({ method }: Request, path: string): Response | Promise<Response> | undefined {
  if (!isPublic(path)) return undefined;
  if (method === "GET" || method === "HEAD") return HANDLERS[PUBLIC_API[path].GET.id]();
  return methodNotAllowed(method, "GET, HEAD");
}

function isPublic(path: string): path is keyof typeof PUBLIC_API {
  return Object.hasOwn(PUBLIC_API, path);
}

/** Made when it is asked for first: most isolates are never asked. */
function description(): string {
  return (written ??= JSON.stringify(openApi(VERSION)));
}
