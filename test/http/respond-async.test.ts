/** `Prefer: respond-async`: a write that is answered before it is done. */

import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

describe("Prefer: respond-async", () => {
  const cast = { Prefer: "wait=5, respond-async" };

  it("sends a write without waiting for what comes of it", async () => {
    const b = await bucket("cast");
    for (const [path, init] of [
      [`${b}/keys/a`, { method: "PUT", body: "1" }],
      [`${b}/keys/n/increment`, { method: "POST" }],
      [`${b}/batch`, { method: "POST", body: JSON.stringify([{ op: "put", key: "b", value: "1" }]) }],
      [
        `${b}/transaction`,
        { method: "POST", body: JSON.stringify({ then: [{ op: "put", key: "c", value: "1" }] }) },
      ],
      [`${b}/keys/nothing`, { method: "DELETE" }],
      [`${b}/keys?prefix=nothing`, { method: "DELETE" }],
      ["cast-nowhere/keys/a", { method: "PUT", body: "1" }],
      ["cast-created", { method: "PUT" }],
    ] as const) {
      const response = await ask(path, { ...init, headers: cast });
      expect([
        path,
        response.status,
        response.headers.get("Preference-Applied"),
        await response.text(),
      ]).toEqual([path, 202, "respond-async", ""]);
    }
    // What comes behind it on the same bucket finds it done.
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 4 });
  });

  it("is no way past what is wrong with a request", async () => {
    const b = await bucket("cast wrong");
    expect(await codeOf(await put(`${b}/keys/a?ttl=0`, "1", cast))).toBe("query_invalid");
    expect(await codeOf(await put(`${b}/keys/a?expires=2020-01-01T00:00:00Z`, "1", cast))).toBe(
      "expires_invalid",
    );
    expect(await codeOf(await post(`${b}/batch`, {}, cast))).toBe("body_invalid");
  });

  it("among other preferences only", async () => {
    const b = await bucket("not cast");
    for (const [prefer, status] of [
      ["respond-asynchronously", 201],
      ["x respond-async", 204],
      ['x="a, respond-async, b"', 204],
      ['x="a, b",RESPOND-ASYNC ; y', 202],
    ] as const) {
      expect([prefer, (await put(`${b}/keys/a`, "1", { Prefer: prefer })).status]).toEqual([prefer, status]);
    }
  });
});
