/** Lints the OpenAPI description, generated from the source, with Redocly's recommended rules. */

import { createConfig, formatProblems, getTotals, lintFromString } from "@redocly/openapi-core";
import { resolve } from "node:path";
import { bundle } from "../src/serve/bundle.ts";

const SOURCE = resolve(import.meta.dirname, "../src/http/api/openapi.ts");
/** The file name that problems are reported for. No such file is written. */
const NAME = resolve("openapi.json");

/** Exceptions: by rule, the places where it does not apply. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // A WebSocket's response has the status 101.
  "operation-2xx-response": [
    "#/paths/~1v1~1buckets~1{bucket}~1session/get/responses",
    "#/paths/~1v1~1buckets~1{bucket}~1connect/get/responses",
    "#/paths/~1v1~1connect/get/responses",
  ],
  // Public pages take no parameters and need no token, so no request can be wrong.
  "operation-4xx-response": ["~1", "~1healthz", "~1openapi.json", "~1docs"].flatMap((path) => [
    `#/paths/${path}/get/responses`,
    `#/paths/${path}/head/responses`,
  ]),
  // A line of NDJSON and a WebSocket message: OpenAPI 3.1 can refer to their schemas only in prose.
  "no-unused-components": ["#/components/schemas/EntryLine", "#/components/schemas/SessionRequest"],
};

const config = await createConfig(
  { extends: ["recommended"] },
  {
    ignore: {
      [NAME]: Object.fromEntries(Object.entries(EXCEPTIONS).map(([rule, places]) => [rule, new Set(places)])),
    },
  },
);

const code = await bundle(SOURCE);
const module = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
const { openApi } = (await import(module)) as { readonly openApi: (version: string) => unknown };

const source = JSON.stringify(openApi("0.0.0"), null, 2);
const found = await lintFromString({ source, absoluteRef: NAME, config });
const problems = found.filter(({ ignored }) => ignored !== true);
formatProblems(problems, { format: "stylish", totals: getTotals(problems), version: "" });
if (problems.length > 0) process.exitCode = 1;
// An unused exception could hide a later problem.
const needed = found.length - problems.length;
const made = Object.values(EXCEPTIONS).flat().length;
if (needed !== made) {
  console.error(
    `scripts/lint-api.ts has ${made} exceptions, but only ${needed} are needed. Remove the others.`,
  );
  process.exitCode = 1;
}
