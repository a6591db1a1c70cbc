/** Batches and transactions over HTTP. */

import { describe, expect, it } from "vitest";
import { operationsOf, transactionOf } from "../../src/schema/operations.ts";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

const text = async (path: string): Promise<string> => (await ask(path)).text();

describe("a batch", () => {
  it("answers each operation by itself", async () => {
    const b = await bucket("http batch");
    const { results } = await jsonOf<{ results: unknown[] }>(
      await post(`${b}/batch`, [
        { op: "put", key: "json", json: { a: [1] } },
        { op: "put", key: "bytes", base64: "/w==", metadata: { x: 1 }, ttl: 60 },
        { op: "put", key: "text", value: "1", ifNoneMatch: "*" },
        { op: "put", key: "text", value: "2", ifNoneMatch: "*" },
        { op: "increment", key: "text", by: 4 },
        { op: "get", key: "json" },
        { op: "get", key: "bytes" },
        { op: "get", key: "nothing" },
        { op: "delete", key: "bytes" },
      ]),
    );
    expect(results).toMatchObject([
      { created: true },
      { created: true },
      { created: true },
      { op: "put", key: "text", error: { code: "precondition_failed", status: 412 } },
      { value: 5 },
      { found: true, value: '{"a":[1]}', type: "application/json" },
      { found: true, base64: "/w==", metadata: { x: 1 }, expires: expect.any(String) as string },
      { found: false },
      { deleted: true },
    ]);
  });

  it("of values that JSON makes longer is answered as far as a message goes", async () => {
    const b = await bucket("batch escapes");
    const keys = Array.from({ length: 3 }, (_, n) => `k${n}`);
    for (const key of keys) await put(`${b}/keys/${key}`, `${"\u0001".repeat(1_000_000)}€`);
    const { results } = await jsonOf<{ results: { found?: boolean; error?: { code: string } }[] }>(
      await post(
        `${b}/batch`,
        keys.map((key) => ({ op: "get", key })),
      ),
    );
    expect(results.map(({ found, error }) => found ?? error?.code)).toEqual([true, true, "result_too_large"]);
    // A list ends its page there, and an export goes over as many pages as there are.
    const page = await jsonOf<{ keys: unknown[]; cursor: string }>(await ask(`${b}/keys?values=true`));
    expect([page.keys.length, typeof page.cursor]).toEqual([2, "string"]);
    const exported = new TextDecoder().decode(await (await ask(`${b}/export`)).arrayBuffer());
    expect(exported.split("\n").length).toBe(4);
    const refused = await post(`${b}/transaction`, {
      then: [{ op: "put", key: "tx", value: "1" }, ...keys.map((key) => ({ op: "get", key }))],
    });
    expect(await codeOf(refused)).toBe("result_too_large");
    expect((await ask(`${b}/keys/tx`)).status).toBe(404);
  });

  it("is refused where a key of idempotency comes with it, which it would not heed", async () => {
    const b = await bucket("batch once");
    const batch = [{ op: "increment", key: "n" }];
    expect(await codeOf(await post(`${b}/batch`, batch, { "Idempotency-Key": "k" }))).toBe("header_invalid");
    expect((await ask(`${b}/keys/n`)).status).toBe(404);
  });

  it("of values that are too much for one message is refused as a whole, however short they were sent", async () => {
    const b = await bucket("batch too large");
    await put(`${b}/keys/precious`);
    const wide = `${"a".repeat(16_000)}日`;
    const widens = Array.from({ length: 900 }, (_, n) => `{"op":"put","key":"k${n}","value":"${wide}"}`);
    for (const [path, body] of [
      [`${b}/batch`, `[${widens.join(",")}]`],
      [`${b}/transaction`, `{"then":[${widens.join(",")}]}`],
    ] as const) {
      expect(await codeOf(await ask(path, { method: "POST", body }))).toBe("body_too_large");
    }
    expect(await jsonOf(await ask(b))).toMatchObject({ restarts: 0, entries: 1 });
  });

  it.each([
    [
      "that were written shorter",
      { op: "put", key: "k", json: Array.from({ length: 40_000 }, () => 1e20) },
      40,
    ],
    ["beyond Latin-1", { op: "put", key: "k", value: `${"a".repeat(500_000)}日` }, 29],
    ["of bytes", { op: "put", key: "k", base64: new Uint8Array(750_000).toBase64() }, 40],
  ] as const)(
    "has values %s counted as they are sent, and so has a transaction",
    async (_, operation, count) => {
      const many = Array.from({ length: count }, () => operation);
      for (const counted of [
        () => operationsOf(many),
        () => transactionOf({ then: many }),
        () => transactionOf({ then: many.slice(1, 20), else: many.slice(20) }),
      ]) {
        await expect(Promise.try<unknown, []>(counted)).rejects.toMatchObject({ code: "body_too_large" });
      }
    },
  );

  it("takes an etag as `etag` says it, and refuses what only looks like one", async () => {
    const b = await bucket("batch tags");
    const { etag } = await jsonOf<{ etag: string }>(await post(`${b}/keys/n/increment`, {}));
    for (const tag of [`"${etag}"`, `W/"${etag}"`, ["*"], [etag, `"${etag}"`], "", "a b"]) {
      for (const condition of [{ ifMatch: tag }, { ifNoneMatch: tag }]) {
        const response = await post(`${b}/batch`, [{ op: "put", key: "n", value: "2", ...condition }]);
        expect([condition, await codeOf(response)]).toEqual([condition, "body_invalid"]);
      }
    }
    const { results } = await jsonOf(
      await post(`${b}/batch`, [{ op: "put", key: "n", value: "2", ifMatch: [etag] }]),
    );
    expect(results).toMatchObject([{ created: false }]);
  });

  it("keeps JSON's numbers as they are, or refuses them", async () => {
    const b = await bucket("batch numbers");
    const putJson = (json: string) =>
      ask(`${b}/batch`, { method: "POST", body: `[{"op":"put","key":"n","json":${json}}]` });
    for (const json of [
      "9007199254740993",
      "9007199254740993.0",
      "900719925474099.3e1",
      "[-9007199254740993]",
      '{"a":1e999}',
      '{"a":{"b":[1,-1e400]}}',
    ]) {
      expect([json, await codeOf(await putJson(json))]).toEqual([json, "body_invalid"]);
      const metadata = `${b}/keys/n?metadata=${encodeURIComponent(json)}`;
      expect([json, await codeOf(await put(metadata))]).toEqual([json, "query_invalid"]);
    }
    for (const json of [
      "9007199254740992",
      // As JSON.stringify writes the number that is the nearest one.
      "-18637456991501270",
      "1e21",
      "1e23",
      "9007199254740992.0",
      "0.1000000000000000055",
      '"9007199254740993"',
    ]) {
      await putJson(json);
      expect(await text(`${b}/keys/n`)).toBe(json);
    }
  });

  it("that can't be read does nothing, and says where it is wrong", async () => {
    const b = await bucket("batch wrong");
    const good = { op: "put", key: "a", value: "1" };
    for (const [body, code, words] of [
      [{}, "body_invalid", "array"],
      [[good, { op: "put", key: "b" }], "body_invalid", "[1]: Give the value exactly once"],
      [[good, { op: "put", key: "b", value: "1", json: 1 }], "body_invalid", "[1]"],
      [[good, { op: "put", key: "b", value: 1 }], "body_invalid", "[1].value"],
      [[good, { op: "put", key: "b", base64: "#" }], "body_invalid", "[1]: base64"],
      [
        [good, { op: "put", key: "b", value: "1", ttl: 1, expires: "2100-01-01T00:00:00Z" }],
        "body_invalid",
        "[1]",
      ],
      [[good, { op: "put", key: "", value: "1" }], "key_invalid", "[1]"],
      [[good, { op: "get", key: "k".repeat(1_025) }], "key_too_long", "[1]"],
      [[good, { op: "move", key: "b" }], "body_invalid", "[1].op"],
      [[good, { op: "get", key: "b", value: "1" }], "body_invalid", "[1]"],
      [[good, { op: "put", key: "b", value: "x".repeat(1_048_577) }], "value_too_large", "[1]"],
      [[good, { op: "put", key: "b", value: "1", metadata: "x".repeat(1_025) }], "metadata_too_large", "[1]"],
      [[good, { op: "put", key: "b", value: "1", type: "é" }], "content_type_invalid", "[1]"],
      [Array.from({ length: 1_001 }, () => good), "body_invalid", "1000"],
    ] as const) {
      const response = await post(`${b}/batch`, body);
      const problem: { code: string; detail: string } = await response.json();
      expect([problem.code, problem.detail.includes(words), problem.detail]).toEqual([
        code,
        true,
        problem.detail,
      ]);
    }
    expect((await ask(`${b}/keys/a`)).status).toBe(404);
    expect(await codeOf(await ask(`${b}/batch`, { method: "POST", body: "[" }))).toBe("body_invalid");
    expect(await codeOf(await post("batch-nowhere/batch", []))).toBe("bucket_not_found");
  });
});

describe("a transaction", () => {
  const transact = (b: string, json: unknown, headers = {}) => post(`${b}/transaction`, json, headers);

  it("buys what is in stock, and says so where it is not", async () => {
    const b = await bucket("http transaction");
    await put(`${b}/keys/stock`, "1");
    const buy = {
      if: [{ key: "stock", integer: 1, is: ">=" }],
      then: [
        { op: "increment", key: "stock", by: -1 },
        { op: "put", key: "order", json: { item: "milk" } },
      ],
      else: [{ op: "get", key: "stock" }],
    };
    expect(await jsonOf(await transact(b, buy))).toMatchObject({
      succeeded: true,
      results: [
        { op: "increment", value: 0 },
        { op: "put", created: true },
      ],
    });
    expect(await jsonOf(await transact(b, buy))).toMatchObject({
      succeeded: false,
      results: [{ found: true, value: "0" }],
    });
  });

  it("of many who read the same revision lets one through", async () => {
    const b = await bucket("transaction race");
    await put(`${b}/keys/a`, "0");
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, n) =>
        jsonOf<{ succeeded: boolean }>(
          await transact(b, {
            if: [{ key: "a", revision: 1 }],
            then: [{ op: "put", key: "a", value: String(n) }],
          }),
        ),
      ),
    );
    expect(all.filter(({ succeeded }) => succeeded)).toHaveLength(1);
  });

  it("changes nothing if one of its operations is turned down", async () => {
    const b = await bucket("transaction refused");
    await put(`${b}/keys/text`, "much");
    const response = await transact(b, {
      then: [
        { op: "put", key: "a", value: "1" },
        { op: "increment", key: "text" },
      ],
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      code: "not_an_integer",
      detail: expect.stringContaining("then[1]") as string,
    });
    expect((await ask(`${b}/keys/a`)).status).toBe(404);
  });

  it("that can't be read says where it is wrong", async () => {
    const b = await bucket("transaction wrong");
    for (const [body, words] of [
      [{ if: [{ key: "a" }] }, "if[0]: Compare one of"],
      [{ if: [{ key: "a", exists: true, revision: 1 }] }, "if[0]"],
      [{ if: [{ key: "a", exists: "yes" }] }, "if[0].exists"],
      [{ if: [{ key: "a", exists: true, is: "~" }] }, "if[0].is"],
      [{ then: [{ op: "put", key: "a" }] }, "then[0]"],
      [{ otherwise: [] }, "otherwise"],
    ] as const) {
      const response = await transact(b, body);
      expect([response.status, (await response.json<{ detail: string }>()).detail]).toEqual([
        400,
        expect.stringContaining(words) as string,
      ]);
    }
  });

  it("is one request for an idempotency key, however its meaning is written", async () => {
    const b = await bucket("transaction meanings");
    const same = [
      [
        { then: [{ op: "increment", key: "n" }] },
        { if: [], then: [{ op: "increment", key: "n", by: "+1" }], else: [] },
      ],
      [
        { if: [{ key: "n", integer: 1 }], then: [{ op: "put", key: "a", json: { a: 1 } }] },
        {
          if: [{ key: "n", is: "=", integer: "1" }],
          then: [{ op: "put", key: "a", value: '{"a":1}', type: "application/json" }],
        },
      ],
      [
        { if: [{ key: "a", value: "x" }], else: [{ op: "put", key: "b", value: "ä", type: "text/x" }] },
        {
          if: [{ key: "a", base64: "eA==" }],
          else: [{ op: "put", key: "b", base64: "w6Q=", type: "text/x" }],
        },
      ],
    ];
    for (const [key, bodies] of same.entries()) {
      const results: unknown[] = [];
      for (const body of bodies)
        results.push(await (await transact(b, body, { "Idempotency-Key": `k${key}` })).json());
      expect(results[0]).toMatchObject({ results: [{ key: expect.any(String) as string }] });
      expect(results).toEqual(bodies.map(() => results[0]));
    }
    const other = { if: [{ key: "a", base64: "eQ==" }] };
    expect(await codeOf(await transact(b, other, { "Idempotency-Key": "k2" }))).toBe(
      "idempotency_key_reused",
    );
  });

  it("is done once for an idempotency key, whatever came after it", async () => {
    const b = await bucket("transaction once");
    const buy = {
      then: [
        { op: "increment", key: "n" },
        { op: "get", key: "n" },
      ],
    };
    const first = await transact(b, buy, { "Idempotency-Key": "k" });
    await put(`${b}/keys/n`, "100");
    const again = await transact(b, buy, { "Idempotency-Key": "k" });
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await again.text()).toBe(await first.text());
    expect(await text(`${b}/keys/n`)).toBe("100");
  });
});

describe("one idempotency key", () => {
  it.each([
    [{ value: "x" }, { value: "x", type: "text/plain; charset=utf-8" }],
    [{ value: "x" }, { base64: "eA==", type: "text/plain; charset=utf-8" }],
    [{ base64: "/w==" }, { base64: "/w==", type: "application/octet-stream" }],
    [{ json: [1] }, { json: [1], type: "application/json" }],
    [{ json: [1] }, { value: "[1]", type: "application/json" }],
  ])("is one for %j and what means the same: %j", async (one, other) => {
    const b = await bucket(`same meaning ${JSON.stringify(other).replaceAll(/\W/g, "")}`);
    for (const [given, replayed] of [
      [one, null],
      [other, "true"],
    ] as const) {
      const sent = { then: [{ op: "put", key: "k", ...given }] };
      const answer = await post(`${b}/transaction`, sent, { "Idempotency-Key": "k" });
      expect([answer.status, answer.headers.get("Idempotency-Replayed")]).toEqual([200, replayed]);
    }
  });

  it("is not one for another type, nor for another order of comparisons", async () => {
    const b = await bucket("other meaning");
    const [x, y] = [
      { key: "x", exists: false },
      { key: "y", exists: false },
    ];
    const putX = { op: "put", key: "k", value: "x" };
    await post(`${b}/transaction`, { if: [x, y], then: [putX] }, { "Idempotency-Key": "k" });
    for (const sent of [
      { if: [y, x], then: [putX] },
      { if: [x, y], then: [{ ...putX, type: "text/plain" }] },
    ]) {
      const answer = await post(`${b}/transaction`, sent, { "Idempotency-Key": "k" });
      expect(await codeOf(answer)).toBe("idempotency_key_reused");
    }
  });
});
