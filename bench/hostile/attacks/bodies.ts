/** Attacks with single expensive requests: huge JSON, values that grow in JSON, an import of invalid lines. */

import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker.ts";
import { brief } from "../http.ts";
import { BUCKET, MEBIBYTE, store } from "./stored.ts";

/** Values of nearly 1 MiB each, 15 MB in total. */
const VALUES = 15;
const VALUE_BYTES = 1_000_000;
const GETS = 1_000;
const IMPORT_BYTES = 4_000_000;
/** A number of 17 digits that a double holds exactly, so that the request passes the check of numbers. */
const LONG_NUMBER = "12345678901234568";
const JSON_TYPE = { "Content-Type": "application/json" };

const withBucket = (attacker: Attacker): Promise<void> => store(attacker, "k", "1");

export const bodies: readonly Attack[] = [
  {
    name: "long-number",
    about: "A batch of 15 MB of arrays and strings, with one number of 17 digits.",
    prepare: withBucket,
    run: (attacker) =>
      batch(attacker, [
        ...Array.from({ length: VALUES - 1 }, (_, at) => (at % 2 === 0 ? dense("0") : text())),
        dense("0").replace("0", LONG_NUMBER),
      ]),
  },
  {
    name: "dense-json",
    about: "A batch of 15 MB of [0,0,0,…].",
    prepare: withBucket,
    run: (attacker) =>
      batch(
        attacker,
        Array.from({ length: VALUES }, () => dense("0")),
      ),
  },
  {
    name: "dense-json-nested",
    about: "A batch of 15 MB of [[],[],[],…].",
    prepare: withBucket,
    run: (attacker) =>
      batch(
        attacker,
        Array.from({ length: VALUES }, () => dense("[]")),
      ),
  },
  {
    name: "control-values",
    about:
      "A batch of 1,000 gets of a 1 MiB value of control characters, which take six characters each in JSON.",
    prepare: (attacker) => store(attacker, "control", "\u0001".repeat(MEBIBYTE)),
    run: async (attacker) => {
      const gets = Array.from({ length: GETS }, () => ({ op: "get", key: "control" }));
      return brief(
        await attacker.ask("POST", `${BUCKET}/batch`, { body: JSON.stringify(gets), headers: JSON_TYPE }),
      );
    },
  },
  {
    name: "bad-import",
    about: "An import of 4 MB of one-letter lines, with onError=continue.",
    prepare: withBucket,
    run: async (attacker) => {
      const headers = { "Content-Type": "application/x-ndjson" };
      const body = "x\n".repeat(IMPORT_BYTES / 2);
      const answer = await attacker.ask("POST", `${BUCKET}/import?onError=continue`, { body, headers });
      return `${brief(answer)}, ${answer.text.slice(0, 60)}`;
    },
  },
];

async function batch(attacker: Attacker, values: readonly string[]): Promise<string> {
  const puts = values.map((json, at) => `{"op":"put","key":"k${at}","json":${json}}`);
  const body = Buffer.from(`[${puts.join()}]`);
  return brief(await attacker.ask("POST", `${BUCKET}/batch`, { body, headers: JSON_TYPE }));
}

function dense(element: string): string {
  return `[${`${element},`.repeat(VALUE_BYTES / (element.length + 1))}${element}]`;
}

function text(): string {
  return `["${"a".repeat(VALUE_BYTES)}"]`;
}
