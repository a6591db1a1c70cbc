/** Paths that need no token, because they reveal nothing about the data: health, start page, API description. */

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
      // The page runs no scripts and loads nothing.
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

let written: string | undefined;

/** Serves a request for a public path; undefined if the path is not public. */
export function servePublic({ method }: Request, path: string): Response | Promise<Response> | undefined {
  if (!isPublic(path)) return undefined;
  if (method === "GET" || method === "HEAD") return HANDLERS[PUBLIC_API[path].GET.id]();
  return methodNotAllowed(method, "GET, HEAD");
}

function isPublic(path: string): path is keyof typeof PUBLIC_API {
  return Object.hasOwn(PUBLIC_API, path);
}

/** /openapi.json, made at the first request: most isolates never need it. */
function description(): string {
  return (written ??= JSON.stringify(openApi(VERSION)));
}
