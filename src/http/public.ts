/** What is served to everybody, because it says nothing of the data: health, and the API's description. */

import { PUBLIC_API, type PublicOperationId } from "./api/api.ts";
import { docsPage } from "./api/docs-page.ts";
import { jsonText } from "./json-text.ts";
import { openApi } from "./api/openapi.ts";
import { VERSION } from "../version.ts";

const HANDLERS: Readonly<Record<PublicOperationId, () => Response | Promise<Response>>> = {
  health: () => Response.json({ status: "ok" }),
  describeApi: () => jsonText(description()),
  showDocs: async () =>
    new Response(await docsPage(openApi(VERSION)), {
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        // The page is text: it runs nothing, and loads nothing.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
      },
    }),
};

let written: string | undefined;

/** The response to a request for something public; undefined if it is for something else. */
export function servePublic({ method }: Request, path: string): Response | Promise<Response> | undefined {
  if (!isPublic(path) || (method !== "GET" && method !== "HEAD")) return undefined;
  return HANDLERS[PUBLIC_API[path].GET.id]();
}

function isPublic(path: string): path is keyof typeof PUBLIC_API {
  return Object.hasOwn(PUBLIC_API, path);
}

/** Made when it is asked for first: most isolates are never asked. */
function description(): string {
  return (written ??= JSON.stringify(openApi(VERSION)));
}
