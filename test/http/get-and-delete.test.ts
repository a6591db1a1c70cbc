/** `POST /v1/buckets/{b}/keys/{k}/get-and-delete`. */

import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, post, put } from "../support/http.ts";

const MEBIBYTE = 1_048_576;

const take = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  ask(`${path}/get-and-delete`, { method: "POST", headers });

describe("get-and-delete", () => {
  it("answers the value as a GET does, and deletes it", async () => {
    const b = await bucket("take");
    const bytes = new Uint8Array([0, 255, 13, 10]);
    await put(`${b}/keys/a?metadata=[1]&ttl=60`, bytes, { "Content-Type": "image/x" });
    const got = await ask(`${b}/keys/a`);
    const taken = await take(`${b}/keys/a`);
    expect(taken.status).toBe(200);
    expect(new Uint8Array(await taken.arrayBuffer())).toEqual(bytes);
    const headers = Object.fromEntries(got.headers);
    // No part of it can be asked for.
    delete headers["accept-ranges"];
    expect(Object.fromEntries(taken.headers)).toEqual(headers);
    expect(await codeOf(await take(`${b}/keys/a`))).toBe("key_not_found");
    expect(await codeOf(await ask(`${b}/keys/a`))).toBe("key_not_found");
  });

  it("gives the value to exactly one of many callers", async () => {
    const b = await bucket("take crowd");
    for (const size of [1, 2 * MEBIBYTE]) {
      await put(`${b}/keys/a`, "x".repeat(size));
      const all = await Promise.all(Array.from({ length: 20 }, () => take(`${b}/keys/a`)));
      expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(all.filter(({ status }) => status === 404)).toHaveLength(19);
      const texts = await Promise.all(all.map((response) => response.text()));
      expect(texts.filter((text) => text === "x".repeat(size))).toHaveLength(1);
    }
  });

  it("takes a value of 25 MiB, whole", async () => {
    const b = await bucket("take large");
    const value = crypto.getRandomValues(new Uint8Array(65_536));
    await put(`${b}/keys/a`, new Blob(Array(400).fill(value)), { "Content-Type": "image/x" });
    const taken = await take(`${b}/keys/a`);
    expect(taken.headers.get("Content-Type")).toBe("image/x");
    const got = new Uint8Array(await taken.arrayBuffer());
    expect(got.byteLength).toBe(25 * MEBIBYTE);
    for (const at of [0, 17, 399]) expect(got.slice(at * 65_536, (at + 1) * 65_536)).toEqual(value);
    expect((await ask(`${b}/keys/a`)).status).toBe(404);
  });

  it("is a change like others: watchers hear of it, and conditions hold or nothing is done", async () => {
    const b = await bucket("take conditions");
    const etag = (await put(`${b}/keys/a`, "1")).headers.get("ETag") ?? "";
    expect(await codeOf(await take(`${b}/keys/a`, { "If-Match": '"other"' }))).toBe("precondition_failed");
    expect(await codeOf(await take(`${b}/keys/a`, { "If-None-Match": etag }))).toBe("precondition_failed");
    expect(await codeOf(await take(`${b}/keys/b`, { "If-Match": "*" }))).toBe("precondition_failed");
    expect(await (await take(`${b}/keys/a`, { "If-Match": etag })).text()).toBe("1");
    expect(await (await ask(b)).json()).toMatchObject({ entries: 0, revision: 2 });
  });

  it("refuses an idempotency key, which it would ignore, and says what heeds one", async () => {
    const b = await bucket("take once");
    await put(`${b}/keys/a`, "1");
    const refused = await take(`${b}/keys/a`, { "Idempotency-Key": "k" });
    const problem = (await refused.json()) as { readonly code: string; readonly detail: string };
    expect(problem.code).toBe("header_invalid");
    expect(problem.detail).toContain("transaction");
    const transaction = { then: [{ op: "getAndDelete", key: "a" }] };
    const once = () => post(`${b}/transaction`, transaction, { "Idempotency-Key": "k" });
    expect(await (await once()).json()).toMatchObject({ results: [{ found: true, value: "1" }] });
    expect(await (await once()).json()).toMatchObject({ results: [{ found: true, value: "1" }] });
  });

  it("takes a key that a path can't carry", async () => {
    const b = await bucket("take dots");
    await put(`${b}/keys?key64=Li4`, "1");
    expect(await (await ask(`${b}/keys/-/get-and-delete?key64=Li4`, { method: "POST" })).text()).toBe("1");
  });
});
