/** What unstorage's http driver asks for, request by request. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ask, codeOf } from "../support/http.ts";

const at = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`http://localhost/unstorage/${path}`, init));
const set = (path: string, body = "1", headers: HeadersInit = {}): Promise<Response> =>
  at(path, { method: "PUT", body, headers });
const keys = async (path: string): Promise<unknown> => (await at(path)).json();

const PAST = "Sun, 06 Nov 1994 08:49:37 GMT";
const FUTURE = "Fri, 06 Nov 2134 08:49:37 GMT";

describe("a path of unstorage's that ends in : or /", () => {
  it.each(["s1:", "s1/:", "s1/", "s1%3A", "s1::", ":s1:", "s1/%3A"])(
    "stands for all keys below it, as for its own server: %s",
    async (path) => {
      const b = `base-${path.replaceAll(/\W/g, "-")}`;
      for (const key of ["s1/a", "s1/b/c", "s2/d", "s11"]) await set(`${b}/${key}`);
      expect(await keys(`${b}/${path}`)).toEqual(["s1:a", "s1:b:c"]);
      expect((await at(`${b}/${path}`, { method: "DELETE" })).status).toBe(204);
      expect(await keys(`${b}/:`)).toEqual(["s11", "s2:d"]);
    },
  );

  it.each([":", "", "/", "%3A"])("stands for all keys, where nothing is before it: %j", async (path) => {
    const b = `base-all-${path.replaceAll(/\W/g, "-")}`;
    for (const key of ["a", "b/c"]) await set(`${b}/${key}`);
    expect(await keys(`${b}/${path}`)).toEqual(["a", "b:c"]);
  });

  it("can't be set, and a key of dots, or none, can't either", async () => {
    for (const [path, status] of [
      ["b/s1:", 405],
      ["b", 400],
      ["b/a:..:c", 400],
    ] as const) {
      expect([path, (await set(path)).status]).toEqual([path, status]);
    }
    expect((await ask("b")).status).toBe(404);
  });

  it("names a key in the same way with colons and with slashes", async () => {
    await set("colons/a:b::c");
    expect(await (await at("colons/a/b/c")).text()).toBe("1");
  });
});

describe("a condition on unstorage's Last-Modified", () => {
  it("is heeded where something changes", async () => {
    await set("dated/a", "1");
    const modified = (await at("dated/a")).headers.get("Last-Modified") ?? "";
    for (const method of ["PUT", "DELETE"]) {
      const refused = await at("dated/a", { method, headers: { "If-Unmodified-Since": PAST } });
      expect([refused.status, await codeOf(refused)]).toEqual([412, "precondition_failed"]);
    }
    expect((await set("dated/a", "2", { "If-Unmodified-Since": modified })).status).toBe(200);
    expect((await set("dated/nothing", "2", { "If-Unmodified-Since": FUTURE })).status).toBe(412);
    expect((await set("dated-unknown/a", "2", { "If-Unmodified-Since": FUTURE })).status).toBe(412);
    expect((await ask("dated-unknown")).status).toBe(404);
    expect(await (await at("dated/a")).text()).toBe("2");
    const gone = await at("dated/a", { method: "DELETE", headers: { "If-Unmodified-Since": FUTURE } });
    expect(gone.status).toBe(204);
  });

  it("is heeded where something is read", async () => {
    await set("dated-reads/a", "1");
    for (const method of ["GET", "HEAD"]) {
      const status = async (headers: HeadersInit): Promise<number> =>
        (await at("dated-reads/a", { method, headers })).status;
      expect(await status({ "If-Modified-Since": FUTURE })).toBe(304);
      expect(await status({ "If-Modified-Since": PAST })).toBe(200);
      expect(await status({ "If-Modified-Since": "yesterday" })).toBe(200);
      expect(await status({ "If-None-Match": '"x"', "If-Modified-Since": FUTURE })).toBe(200);
      expect(await status({ "If-None-Match": "*" })).toBe(304);
      expect(await status({ "If-Unmodified-Since": PAST })).toBe(412);
      expect(await status({ "If-Unmodified-Since": FUTURE })).toBe(200);
      expect(await status({ "If-Match": '"x"' })).toBe(412);
    }
  });

  it("that is no date is refused, not left out", async () => {
    await set("dated-wrong/a", "1");
    for (const date of ["yesterday", "2030-01-01", "Sun, 31 Feb 2030 08:49:37 GMT"]) {
      const response = await set("dated-wrong/a", "2", { "If-Unmodified-Since": date });
      expect([response.status, await codeOf(response)]).toEqual([400, "header_invalid"]);
    }
    expect(await (await at("dated-wrong/a")).text()).toBe("1");
  });
});

describe("X-TTL", () => {
  it.each(["0x10", "0b11", "0o7", "+5", "1e3", "-1", "0", ".5", "5.", "Infinity", "1 2", "five"])(
    "is seconds in decimal digits: %s is refused",
    async (ttl) => {
      expect(await codeOf(await set("ttl-refused/a", "1", { "X-TTL": ttl }))).toBe("header_invalid");
    },
  );

  it.each(["60", "0.5", "007", "1.250"])("is seconds in decimal digits: %s is taken", async (ttl) => {
    expect((await set("ttl-taken/a", "1", { "X-TTL": ttl })).status).toBe(200);
  });
});

describe("HEAD of all keys", () => {
  it("says what GET says, without the keys", async () => {
    await set("head-all/a/b");
    for (const path of ["head-all/", "head-all/a:", "head-none/"]) {
      const [head, get] = [await at(path, { method: "HEAD" }), await at(path)];
      expect([head.status, ...head.headers]).toEqual([200, ...get.headers]);
      expect(await head.text()).toBe("");
      await get.body?.cancel();
    }
    const refused = await at("head-all/", { method: "PUT", body: "1" });
    expect([refused.status, refused.headers.get("Allow")]).toEqual([405, "GET, HEAD, DELETE"]);
  });
});
