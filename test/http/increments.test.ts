/** `POST /v1/buckets/{b}/keys/{k}/increment`. */

import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

const text = async (path: string): Promise<string> => (await ask(path)).text();

describe("an increment", () => {
  it("adds one, or what it is told to, to what is there or to where it begins", async () => {
    const b = await bucket("increment");
    expect(await jsonOf(await ask(`${b}/keys/n/increment`, { method: "POST" }))).toMatchObject({
      value: 1,
      created: true,
      revision: 1,
    });
    expect(await jsonOf(await post(`${b}/keys/n/increment`, { by: -5 }))).toMatchObject({
      value: -4,
      created: false,
    });
    expect(await jsonOf(await post(`${b}/keys/m/increment`, { by: 2, initial: 100 }))).toMatchObject({
      value: 102,
    });
    expect(await text(`${b}/keys/m`)).toBe("102");
  });

  it("keeps numbers exact that JSON's readers would round", async () => {
    const b = await bucket("increment exact");
    await put(`${b}/keys/n`, "9007199254740991");
    expect(await jsonOf(await post(`${b}/keys/n/increment`, { by: 0 }))).toMatchObject({
      value: 9007199254740991,
    });
    expect(await jsonOf(await post(`${b}/keys/n/increment`, { by: "9000000000000000000" }))).toMatchObject({
      value: "9009007199254740991",
    });
  });

  it("happens under a condition, and says why it does not happen", async () => {
    const b = await bucket("increment refused");
    await put(`${b}/keys/text`, "much");
    await put(`${b}/keys/full`, "9223372036854775807");
    const increment = (key: string, json: unknown, headers = {}) =>
      post(`${b}/keys/${key}/increment`, json, headers);
    for (const [response, code] of [
      [increment("text", {}), "not_an_integer"],
      [increment("full", {}), "increment_overflow"],
      [increment("full", { by: -1 }, { "If-Match": '"other"' }), "precondition_failed"],
      [increment("new", { by: 1.5 }), "body_invalid"],
      [increment("new", { by: "one" }), "body_invalid"],
      [increment("new", { ttl: 0 }), "body_invalid"],
      [increment("new", { bye: 1 }), "body_invalid"],
      [increment("new", []), "body_invalid"],
    ] as const) {
      expect(await codeOf(await response)).toBe(code);
    }
    expect((await ask(`${b}/keys/new`)).status).toBe(404);
  });

  it("is done once for an idempotency key, and told again as often as it is asked", async () => {
    const b = await bucket("increment once");
    const increment = (json: unknown, key = "order 17") =>
      post(`${b}/keys/n/increment`, json, { "Idempotency-Key": key });
    const first = await increment({ by: 5 });
    const again = await increment({ by: 5 });
    expect([first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(await again.json()).toEqual(await first.json());
    expect(await codeOf(await increment({ by: 6 }))).toBe("idempotency_key_reused");
    expect(await codeOf(await increment({ by: 5 }, "é"))).toBe("header_invalid");
    const other = { "Idempotency-Key": "order 17", "If-Match": first.headers.get("ETag") ?? '"x"' };
    expect(await codeOf(await post(`${b}/keys/n/increment`, { by: 5 }, other))).toBe(
      "idempotency_key_reused",
    );
    expect(await text(`${b}/keys/n`)).toBe("5");
  });

  it("is one request for an idempotency key, however its meaning is written", async () => {
    const b = await bucket("increment meanings");
    const same = [
      [{}, { by: 1 }, { by: "1" }, { by: "+1" }, { by: 1, initial: 0 }, { by: "01", initial: "-0" }],
      [
        { by: 2, expires: "2030-01-01T00:00:00Z" },
        { by: "+2", expires: "2030-01-01T01:00:00.000+01:00" },
      ],
      [
        { by: 3, ttl: 60 },
        { by: 3, ttl: 60.0, initial: "0" },
      ],
    ];
    for (const [key, bodies] of same.entries()) {
      const results: unknown[] = [];
      for (const body of bodies) {
        const answer = await post(`${b}/keys/n/increment`, body, { "Idempotency-Key": `k${key}` });
        results.push(await answer.json());
      }
      expect(results).toEqual(bodies.map(() => results[0]));
    }
    const nothing = await ask(`${b}/keys/n/increment`, {
      method: "POST",
      headers: { "Idempotency-Key": "k0" },
    });
    expect(nothing.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await text(`${b}/keys/n`)).toBe("6");
    // Conditions are a set, and so is what is left out of one.
    const tags = async (ifNoneMatch: string) =>
      (
        await post(`${b}/keys/m/increment`, {}, { "Idempotency-Key": "m", "If-None-Match": ifNoneMatch })
      ).json();
    const first = await tags('"a-1", "b-2"');
    expect(await tags('"b-2","a-1", "a-1"')).toEqual(first);
  });

  it("of a key that no path can carry", async () => {
    const b = await bucket("increment key64");
    expect(await jsonOf(await ask(`${b}/keys/-/increment?key64=Li4`, { method: "POST" }))).toMatchObject({
      value: 1,
    });
    expect(await text(`${b}/keys?key64=Li4`)).toBe("1");
  });

  it("of another key is another request, also where the key is in the query", async () => {
    const b = await bucket("increment key64 once");
    const increment = (key64: string) =>
      post(`${b}/keys/-/increment?key64=${key64}`, {}, { "Idempotency-Key": "k" });
    expect((await increment("YQ")).status).toBe(200);
    expect((await increment("YQ")).headers.get("Idempotency-Replayed")).toBe("true");
    expect(await codeOf(await increment("Yg"))).toBe("idempotency_key_reused");
  });
});
