/** Paths and methods over HTTP. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Target } from "../../src/http/target.ts";
import { ask, bucket, codeOf, jsonOf, put } from "../support/http.ts";

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`http://localhost${path}`, init));

describe("a path", () => {
  it("is the same however its plain characters are written", async () => {
    await get("/%75nstorage/paths%2Dpantry/milk", { method: "PUT", body: "1" });
    expect((await ask("e")).status).toBe(404);
    expect(await (await get("/unstorage/paths-pantry/milk")).text()).toBe("1");
    expect(await (await get("/v1/b%75ckets/paths-pantry/%6Beys/mil%6b")).text()).toBe("1");
    expect((await get("/he%61lthz")).status).toBe(200);
    expect((await get("/v1/buckets/paths-pantry/keys%2Fmilk")).status).toBe(404);
  });

  it("is decoded once", async () => {
    const b = await bucket("paths once");
    await put(`${b}/keys/%2541`);
    await put(`${b}/keys/a%2Fb`);
    const { keys } = await jsonOf<{ keys: { key: string }[] }>(await ask(`${b}/keys`));
    expect(keys.map(({ key }) => key)).toEqual(["%41", "a/b"]);
  });

  it.each([
    ["/%75nstorage/%2541", "/unstorage/%2541"],
    ["/a%2fb%2Dc%7e%7F", "/a%2fb-c~%7F"],
    ["/plain", "/plain"],
    ["/%", "/%"],
    ["/%4", "/%4"],
    ["/%zz%4g", "/%zz%4g"],
    ["/%E2%82%AC", "/%E2%82%AC"],
  ])("%s is matched as %s", (path, matched) => {
    expect(new Target(`http://localhost${path}?q=%41`).path).toBe(matched);
  });
});

describe("the page at /", () => {
  it("says what this is, and leads to the documentation", async () => {
    const response = await get("/");
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    const text = await response.text();
    for (const path of ["/docs", "/openapi.json", "/healthz"]) expect(text).toContain(`href="${path}"`);
  });
});

describe("HEAD", () => {
  it.each([
    "/",
    "/healthz",
    "/openapi.json",
    "/docs",
    "/metrics",
    "/v1/registry",
    "/v1/buckets",
    "/v1/events",
  ])("of %s is what its GET says, without the body", async (path) => {
    const [head, whole] = [await get(path, { method: "HEAD" }), await get(path)];
    expect([head.status, head.headers.get("Content-Type")]).toEqual([200, whole.headers.get("Content-Type")]);
    expect(await head.text()).toBe("");
    await whole.body?.cancel();
  });

  it.each(["", "/keys", "/watch", "/monitor", "/export", "/keys/k"])(
    "of a bucket's …%s is what its GET says, without the body, and opens nothing",
    async (path) => {
      const b = await bucket(`head of ${path.replaceAll("/", "-")}`);
      await put(`${b}/keys/k`);
      const [head, whole] = [await ask(b + path, { method: "HEAD" }), await ask(b + path)];
      expect([head.status, head.headers.get("Content-Type")]).toEqual([
        200,
        whole.headers.get("Content-Type"),
      ]);
      expect(await head.text()).toBe("");
      await whole.body?.cancel();
    },
  );

  it("of what has to be upgraded says so", async () => {
    const b = await bucket("head upgrade");
    for (const path of ["/connect", "/session"]) {
      const response = await ask(b + path, { method: "HEAD" });
      expect(response.status).toBe(426);
    }
  });
});

describe("a stream of events", () => {
  it.each(["/v1/events", "/v1/buckets/proxied/watch", "/v1/buckets/proxied/monitor"])(
    "is not to be buffered by a proxy: %s",
    async (path) => {
      await bucket("proxied");
      const response = await get(path);
      expect(response.headers.get("X-Accel-Buffering")).toBe("no");
      await response.body?.cancel();
    },
  );
});

describe("a body that is packed", () => {
  it.each([
    ["POST", "/v1/commands", "PUT packed k v"],
    ["POST", "/v1/buckets/packed/batch", "[]"],
    ["POST", "/v1/buckets/packed/transaction", "{}"],
    ["POST", "/v1/buckets/packed/keys/n/increment", "{}"],
    ["POST", "/v1/buckets/packed/import", ""],
    ["POST", "/v1/buckets/packed/exit", '{"reason":"normal"}'],
    ["PUT", "/v1/buckets/packed", "{}"],
    ["PUT", "/v1/buckets/packed/keys/k", "v"],
  ])("is refused, and not read as if it were not: %s %s", async (method, path, body) => {
    const b = await bucket("packed");
    const response = await get(path, { method, body, headers: { "Content-Encoding": "gzip" } });
    expect([response.status, await codeOf(response)]).toEqual([415, "content_encoding_unsupported"]);
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 0 });
  });
});
