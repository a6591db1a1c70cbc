/** /docs: the API's description as one HTML page, without scripts or external resources. */

import { html, raw } from "hono/html";
import type { JsonObject } from "./openapi.ts";

type Html = ReturnType<typeof html>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: JsonObject;
}
type Media = Readonly<Record<string, { readonly schema: JsonObject }>>;
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Media };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Media; readonly headers?: JsonObject }>
  >;
}
interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonObject>> };
}

const CSS = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  code, pre { font: 0.9em ui-monospace, monospace; }
  pre { overflow-x: auto; padding: 0.75rem; background: color-mix(in srgb, currentColor 6%, transparent); }
  summary { cursor: pointer; padding: 0.25rem 0; }
  details details { margin-left: 1rem; }
  table { border-collapse: collapse; }
  td, th { text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0; }
  .method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
  nav a { margin-right: 1rem; }
`;

/** The style of both pages. */
export const STYLE = raw(CSS);

export function docsPage(openApi: JsonObject): Html {
  const document = openApi as unknown as Document;
  const { info, tags, components } = document;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${info.title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>${info.title} <small>${info.version}</small></h1>
        ${info.description.split("\n\n").map((paragraph) => html`<p>${marked(paragraph)}</p>`)}
        <nav>
          ${tags.map(({ name }) => html`<a href="#${anchor(name)}">${name}</a>`)}
          <a href="#schemas">Schemas</a>
          <a href="/openapi.json">openapi.json</a>
        </nav>
        ${tags.map(({ name }) => section(document, name))}
        <h2 id="schemas">Schemas</h2>
        ${Object.entries(components.schemas).map(
          ([name, schema]) =>
            html`<details id="schema-${name}">
              <summary><code>${name}</code></summary>
              ${code(schema)}
            </details>`,
        )}
      </body>
    </html>`;
}

function section({ paths }: Document, tag: string): Html {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) => operationDetails(path, method, operation)),
  );
  return html`<h2 id="${anchor(tag)}">${tag}</h2>
    ${operations}`;
}

function operationDetails(path: string, method: string, operation: Operation): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  return html`<details id="${operationId}">
    <summary><span class="method">${method.toUpperCase()}</span> <code>${path}</code> ${summary}</summary>
    ${description === undefined ? "" : html`<p>${marked(description)}</p>`}
    ${
      parameters.length === 0
        ? ""
        : html`<table>
            ${parameters.map(
              (parameter) =>
                html`<tr>
                  <td><code>${parameter.name}</code></td>
                  <td>${parameter.in}</td>
                  <td>${marked(parameter.description ?? "")}</td>
                </tr>`,
            )}
          </table>`
    }
    ${requestBody === undefined ? "" : html`<p>Body: ${media(requestBody.content)}</p>`}
    <table>
      ${Object.entries(responses).map(
        ([status, response]) =>
          html`<tr>
            <td>${status}</td>
            <td>${response.content === undefined ? "" : media(response.content)}</td>
            <td>${marked(response.description)}</td>
          </tr>`,
      )}
    </table>
  </details>`;
}

function media(content: Media): Html[] {
  return Object.entries(content).map(([type, { schema }]) => {
    const { $ref, enum: values } = schema;
    // No value of this type is possible, so there is no body.
    if (Array.isArray(values) && values.length === 0) return html``;
    if (typeof $ref !== "string") return html`<code>${type}</code> `;
    const name = $ref.split("/").at(-1) ?? "";
    return html`<code>${type}</code> <a href="#schema-${name}">${name}</a> `;
  });
}

function code(schema: JsonObject): Html {
  return html`<pre>${JSON.stringify(schema, undefined, 2)}</pre>`;
}

/** Text in backquotes becomes code. */
function marked(text: string): Html[] {
  return text.split("`").map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
}

function anchor(name: string): string {
  return name.toLowerCase().replaceAll(" ", "-");
}
