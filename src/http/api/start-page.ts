/** The start page, at the address that the server prints. */

import { html } from "hono/html";
import { STYLE } from "./docs-page.ts";

export function startPage(version: string): ReturnType<typeof html> {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Durable KV</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>Durable KV <small>${version}</small></h1>
        <p>
          Named buckets of keys and values, strongly consistent. The service is up. Use it through its API.
        </p>
        <ul>
          <li><a href="/docs">API reference</a></li>
          <li><a href="/openapi.json">API description in OpenAPI 3.1</a></li>
          <li><a href="/healthz">Health check</a></li>
        </ul>
      </body>
    </html>`;
}
