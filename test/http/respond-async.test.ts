/** `Prefer: respond-async`: a write that is answered before it is done. */

import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

describe("Prefer: respond-async", () => {
  const respondAsync = { Prefer: "wait=5, respond-async" };

  it("answers 202 at once, and the write is done in the background", async () => {
    const b = await bucket("respond async");
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
      ["respond-async-nowhere/keys/a", { method: "PUT", body: "1" }],
      ["respond-async-created", { method: "PUT" }],
    ] as const) {
      const response = await ask(path, { ...init, headers: respondAsync });
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

  it("does not skip the checks of a request", async () => {
    const b = await bucket("respond async wrong");
    expect(await codeOf(await put(`${b}/keys/a?ttl=0`, "1", respondAsync))).toBe("query_invalid");
    expect(await codeOf(await put(`${b}/keys/a?expires=2020-01-01T00:00:00Z`, "1", respondAsync))).toBe(
      "expires_invalid",
    );
    expect(await codeOf(await post(`${b}/batch`, {}, respondAsync))).toBe("body_invalid");
  });

  it("is recognised among other preferences, and only by its exact name", async () => {
    const b = await bucket("respond sync");
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
