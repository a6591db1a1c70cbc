/** Lints the API's description: made from the source, held against Redocly's recommended rules. */

import { createConfig, formatProblems, getTotals, lintFromString } from "@redocly/openapi-core";
import { resolve } from "node:path";
import { bundle } from "../src/serve/bundle.ts";

const SOURCE = resolve(import.meta.dirname, "../src/http/api/openapi.ts");
/** Where the description would be if it were a file. */
const NAME = resolve("openapi.json");

/** What a rule is not right about: by its name, the places. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // What answers with a WebSocket answers 101.
  "operation-2xx-response": [
    "#/paths/~1v1~1buckets~1{bucket}~1session/get/responses",
    "#/paths/~1v1~1buckets~1{bucket}~1connect/get/responses",
    "#/paths/~1v1~1connect/get/responses",
  ],
  // What is public takes no parameters and lets everybody in: a caller can do nothing wrong.
  "operation-4xx-response": ["~1", "~1healthz", "~1openapi.json", "~1docs"].flatMap((path) => [
    `#/paths/${path}/get/responses`,
    `#/paths/${path}/head/responses`,
  ]),
  // A line of NDJSON, a WebSocket's message: OpenAPI 3.1 has no way but words to say what these are made of.
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
// An exception that nothing needs would hide what comes later.
const needed = found.length - problems.length;
const made = Object.values(EXCEPTIONS).flat().length;
if (needed !== made) {
  console.error(`${made} exceptions are made in scripts/lint-api.ts, and ${needed} are needed.`);
  process.exitCode = 1;
}
