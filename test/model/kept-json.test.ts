/** JSON is kept exactly as it was sent, through every call that takes it. */

import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { ask, BASE, bucket, codeOf, jsonOf, post } from "../support/http.ts";

/** JSON that a parser changes: names twice, names that are numbers, zeros, digits, escapes. */
const CHANGED = [
  "-0",
  '{"b":1,"2":2,"1":3}',
  '{"a":1,"a":2}',
  '{"json":{"json":1,"10":2,"9":3},"metadata":[1.0,1e2,0.10,1E+2]}',
  '["\\u0041\\/","\\ud83d\\ude00"]',
  '{"__proto__":1,"__proto__":{"x":-0.0}}',
  '"json"',
  "1.50",
] as const;

const postText = (path: string, body: string): Promise<Response> => ask(path, { method: "POST", body });
const text = async (path: string): Promise<string> => (await ask(path)).text();

describe("JSON that was sent", () => {
  it.each(CHANGED)("is kept as a value, by every call that takes JSON: %s", async (json) => {
    const b = await bucket(`kept value ${CHANGED.indexOf(json)}`);
    await postText(`${b}/batch`, `[{"op":"put","key":"batch","json": ${json} }]`);
    await postText(`${b}/transaction`, `{"then":[{"json":${json},"op":"put","key":"transaction"}]}`);
    await postText(`${b}/import`, `{"key":"import","json":${json}}\n`);
    await postText(`${b}/batch`, `[{"op":"put","key":"escaped","j\\u0073on":${json}}]`);
    const long = `[{"op":"put","key":"long","json":${json}},{"op":"put","key":"x","value":"${"x".repeat(400_000)}"}]`;
    await postText(`${b}/batch`, long);
    for (const key of ["batch", "transaction", "import", "escaped", "long"]) {
      expect([key, await text(`${b}/keys/${key}`)]).toEqual([key, json]);
    }
    const compared = await postText(`${b}/transaction`, `{"if":[{"key":"batch","json":${json}}]}`);
    expect(await jsonOf(compared)).toMatchObject({ succeeded: true });
  });

  it.each(CHANGED)("is kept as metadata, and every answer shows it unchanged: %s", async (json) => {
    const b = await bucket(`kept metadata ${CHANGED.indexOf(json)}`);
    const member = `"metadata":${json}`;
    await postText(`${b}/batch`, `[{"op":"put","key":"k","value":"1",${member}}]`);
    await ask(`${b}/keys/query?metadata=${encodeURIComponent(json)}`, { method: "PUT", body: "1" });
    for (const told of [
      await text(`${b}/keys`),
      await (await post(`${b}/batch`, [{ op: "get", key: "k" }])).text(),
      await (await post(`${b}/batch`, [{ op: "get", key: "query" }])).text(),
      await (await post(`${b}/transaction`, { then: [{ op: "get", key: "k" }] })).text(),
      await text(`${b}/export`),
    ]) {
      expect(told).toContain(member);
    }
    expect((await ask(`${b}/keys/query`)).headers.get("KV-Metadata")).toBe(json);
    const events = await ask(`${b}/watch?snapshot=true`);
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    while (!heard.includes("end_of_snapshot")) heard += (await reader?.read())?.value;
    await reader?.cancel();
    expect(heard).toContain(member);
    // Sent again, an export changes nothing.
    const again = await postText(`${b}/import`, await text(`${b}/export`));
    expect(await jsonOf(again)).toMatchObject({ unchanged: 2, imported: 0 });
  });

  it.each(CHANGED)("is kept as a bucket's metadata: %s", async (json) => {
    const name = `kept-of-bucket-${CHANGED.indexOf(json)}`;
    const created = await ask(name, { method: "PUT", body: `{"metadata": ${json}}` });
    const listed = await exports.default.fetch(new Request(`${BASE}?prefix=${name}`));
    for (const response of [created, await ask(name), listed]) {
      expect(await response.text()).toContain(`"metadata":${json}`);
    }
  });

  it("is kept, except for the blanks between its parts", async () => {
    const b = await bucket("kept anything");
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 4 }), fc.constantFrom("", " ", "\n\t"), async (json, blank) => {
        fc.pre(!/\d{16}|[eE]/.test(json));
        const sent = `${blank}[${blank}${json}${blank},${blank}-0${blank}]${blank}`;
        await postText(`${b}/batch`, `[{"op":"put","key":"a","json":${sent}}]`);
        expect(await text(`${b}/keys/a`)).toBe(`[${json},-0]`);
      }),
      { seed: inject("seed"), numRuns: 40 },
    );
  });

  it("is refused if it has a number that no reader can hold, or that would become zero", async () => {
    const b = await bucket("kept not");
    for (const number of ["1e400", "1e-400", "-1e-400", `0.${"0".repeat(400)}1`, "9007199254740993"]) {
      for (const body of [
        `[{"op":"put","key":"a","json":{"n":[${number}]}}]`,
        `[{"op":"put","key":"a","value":"1","metadata":${number}}]`,
      ]) {
        expect(await codeOf(await postText(`${b}/batch`, body))).toBe("body_invalid");
      }
      const query = await ask(`${b}/keys/a?metadata=${number}`, { method: "PUT", body: "1" });
      expect(await codeOf(query)).toBe("query_invalid");
    }
    for (const number of ["0e-999", "-0.0", "1e-300", "5e-324"]) {
      await postText(`${b}/batch`, `[{"op":"put","key":"a","json":${number}}]`);
      expect(await text(`${b}/keys/a`)).toBe(number);
    }
  });

  it.each([
    '{"json":}',
    '{"json":1 2}',
    '{"json":[1}',
    '{"json":{"a":1]}',
    '{"json":"open}',
    '{"json" 1}',
    '{"json":tru}',
  ])("that is no JSON is refused: %s", async (operation) => {
    const b = await bucket("kept broken");
    const body = `[${operation.replace("{", '{"op":"put","key":"a",')}]`;
    expect(await codeOf(await postText(`${b}/batch`, body))).toBe("body_invalid");
  });

  it.each(["{}.5", '"a"5', "[]e5", "{}0"])(
    "with digits behind it is refused by every call that takes JSON: %s",
    async (json) => {
      const b = await bucket("kept tail");
      // What is kept is numbered: with one before it the second number is not 0.
      for (const [path, body] of [
        ["batch", `[{"op":"put","key":"a","json":${json}}]`],
        ["batch", `[{"op":"put","key":"a","json":1},{"op":"put","key":"b","json":${json}}]`],
        ["transaction", `{"then":[{"op":"put","key":"a","value":"1","metadata":${json}}]}`],
        ["transaction", `{"if":[{"key":"a","json":${json}}]}`],
      ] as const) {
        expect([body, await codeOf(await postText(`${b}/${path}`, body))]).toEqual([body, "body_invalid"]);
      }
      const created = await ask("kept-tail-2", { method: "PUT", body: `{"metadata":${json}}` });
      expect(await codeOf(created)).toBe("body_invalid");
      const imported = await postText(`${b}/import`, `{"key":"import","json":${json}}\n`);
      expect(await imported.text()).toContain("body_invalid");
      expect(await jsonOf(await ask(`${b}/keys`))).toEqual({ keys: [] });
    },
  );
});
