/** Keys over HTTP: paths, conditions, and requests that can't be served. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

const BASE = "http://localhost/v1/buckets";
const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`${BASE}/${path}`, init));
const put = (path: string, body: BodyInit = "1", headers: HeadersInit = {}): Promise<Response> =>
  ask(path, { method: "PUT", body, headers });

async function bucket(name: string): Promise<string> {
  await ask(name, { method: "PUT" });
  return `${name}/keys`;
}

async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  return response.json();
}

describe("a key", () => {
  it("keeps its bytes and its content type", async () => {
    const keys = await bucket("keeps");
    const bytes = new Uint8Array([0, 255, 13, 10]);
    const stored = await put(`${keys}/a`, bytes, { "Content-Type": "image/x" });
    expect(stored.status).toBe(201);
    expect(stored.headers.get("ETag")).toMatch(/^"[0-9a-f]{16}-1"$/);
    const got = await ask(`${keys}/a`);
    expect(got.status).toBe(200);
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(got.headers)).toMatchObject({
      "content-type": "image/x",
      etag: stored.headers.get("ETag"),
      "kv-revision": "1",
      "accept-ranges": "bytes",
      "cache-control": "no-cache, no-transform",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
    });
  });

  it("is new the first time, replaced after that, and gone once deleted", async () => {
    const keys = await bucket("lives");
    expect((await put(`${keys}/a`)).status).toBe(201);
    expect((await put(`${keys}/a`)).status).toBe(204);
    expect((await ask(`${keys}/a`, { method: "DELETE" })).status).toBe(204);
    expect((await ask(`${keys}/a`, { method: "DELETE" })).status).toBe(204);
    const gone = await ask(`${keys}/a`);
    expect(gone.status).toBe(404);
    // A 404 may be kept for a while unless it says otherwise, and the key may be there again at once.
    expect(gone.headers.get("Cache-Control")).toBe("no-store");
    expect(await problemOf(gone)).toMatchObject({ status: 404, code: "key_not_found" });
  });

  it("may be empty, and may be without a content type", async () => {
    const keys = await bucket("empty");
    await ask(`${keys}/a`, { method: "PUT" });
    const got = await ask(`${keys}/a`);
    expect(got.headers.get("Content-Type")).toBe("application/octet-stream");
    expect(await got.text()).toBe("");
  });

  it("answers HEAD as GET, without the bytes", async () => {
    const keys = await bucket("head");
    await put(`${keys}/a`, "twelve bytes", { "Content-Type": "text/x" });
    const [head, get] = [await ask(`${keys}/a`, { method: "HEAD" }), await ask(`${keys}/a`)];
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    for (const name of ["Content-Type", "ETag", "KV-Revision"]) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    expect(head.headers.get("Content-Length")).toBe("12");
    expect((await ask(`${keys}/b`, { method: "HEAD" })).status).toBe(404);
  });

  it.each([
    ["slash", "a%2Fb", "a/b"],
    ["percent sign", "100%2541", "100%41"],
    ["blank", "a%20b", "a b"],
    ["question mark", "a%3Fb", "a?b"],
    ["UTF-8", "%E6%97%A5", "日"],
    ["semicolon, comma and at", "a;b,c@d", "a;b,c@d"],
  ])("with a %s is percent-encoded once", async (title, encoded, plain) => {
    const name = `coded-${title.replaceAll(/\W/g, "-")}`;
    const keys = await bucket(name);
    expect((await put(`${keys}/${encoded}`)).status).toBe(201);
    const key64 = new TextEncoder().encode(plain).toBase64({ alphabet: "base64url" });
    expect((await ask(`${keys}?key64=${key64}`)).status).toBe(200);
  });

  it.each([".", ".."])("that a URL can't carry (%s) comes as key64", async (key) => {
    const keys = await bucket("key64");
    const path = `${keys}?key64=${btoa(key)}`;
    expect((await put(path, "dots")).status).toBe(201);
    expect(await (await ask(path)).text()).toBe("dots");
  });
});

describe("conditional requests", () => {
  it("If-Match is compare-and-set", async () => {
    const keys = await bucket("cas");
    const first = (await put(`${keys}/a`, "1")).headers.get("ETag") ?? "";
    expect((await put(`${keys}/a`, "2", { "If-Match": first })).status).toBe(204);
    const late = await put(`${keys}/a`, "3", { "If-Match": first });
    expect(late.status).toBe(412);
    expect(await problemOf(late)).toMatchObject({ code: "precondition_failed" });
    expect(await (await ask(`${keys}/a`)).text()).toBe("2");
    expect((await put(`${keys}/new`, "1", { "If-Match": "*" })).status).toBe(412);
    expect((await ask(`${keys}/a`, { method: "DELETE", headers: { "If-Match": first } })).status).toBe(412);
    expect((await put(`${keys}/a`, "4", { "If-Match": `W/${first}` })).status).toBe(412);
  });

  it("are none where nothing is behind the colon: the platform drops these headers", async () => {
    const keys = await bucket("empty-conditions");
    for (const name of ["If-Match", "If-None-Match"]) {
      expect([name, (await put(`${keys}/a`, "1", { [name]: "" })).ok]).toEqual([name, true]);
      const list = await put(`${keys}/a`, "1", { [name]: "," });
      expect(await problemOf(list)).toMatchObject({ code: "header_invalid" });
    }
  });

  it("take a list of tags as RFC 9110 has it: blanks and empty members, a comma within a tag", async () => {
    const keys = await bucket("tag-lists");
    const tag = (await put(`${keys}/a`, "1")).headers.get("ETag") ?? "";
    for (const list of [`"x", ${tag}`, `,, "x" ,\t,${tag} ,`, `"a,b",${tag}`, `W/"x",${tag}`, `"",${tag}`]) {
      expect([list, (await ask(`${keys}/a`, { headers: { "If-Match": list } })).status]).toEqual([list, 200]);
    }
    const blanks = " ".repeat(8_000);
    for (const list of [`"x"${blanks}"y"`, `"x"${blanks}y`, "x", `${tag} ${tag}`, '"x', "W/x", `*,${tag}`]) {
      const refused = await ask(`${keys}/a`, { headers: { "If-Match": list } });
      expect([list, await problemOf(refused)]).toMatchObject([list, { code: "header_invalid" }]);
    }
  });

  it("are refused where they would be about many keys at once", async () => {
    const keys = await bucket("tags-of-many");
    const headers = { "If-Match": '"x"' };
    for (const [path, init] of [
      [`${keys}?prefix=a`, { method: "DELETE", headers }],
      [`tags-of-many/batch`, { method: "POST", body: "[]", headers }],
      [`tags-of-many/transaction`, { method: "POST", body: "{}", headers }],
    ] as const) {
      expect([path, await problemOf(await ask(path, init))]).toMatchObject([
        path,
        { code: "header_invalid" },
      ]);
    }
  });

  it("If-None-Match: * creates only, and a tag spares the transfer", async () => {
    const keys = await bucket("inm");
    expect((await put(`${keys}/a`, "1", { "If-None-Match": "*" })).status).toBe(201);
    expect((await put(`${keys}/a`, "2", { "If-None-Match": "*" })).status).toBe(412);
    const tag = (await ask(`${keys}/a`)).headers.get("ETag") ?? "";
    for (const given of [tag, `W/${tag}`, `"other", ${tag}`, `"a,b",${tag}`]) {
      const spared = await ask(`${keys}/a`, { headers: { "If-None-Match": given } });
      expect(spared.status).toBe(304);
      expect(spared.headers.get("ETag")).toBe(tag);
    }
    expect((await ask(`${keys}/a`, { headers: { "If-None-Match": '"other"' } })).status).toBe(200);
  });

  it("with a header that is no list of tags are turned down, and nothing is stored", async () => {
    const keys = await bucket("badtag");
    for (const given of ["abc", '"a" b', '"a', '"a" "b"']) {
      const response = await put(`${keys}/a`, "1", { "If-Match": given });
      expect([given, response.status]).toEqual([given, 400]);
      expect(await problemOf(response)).toMatchObject({ code: "header_invalid" });
    }
    expect((await ask(`${keys}/a`)).status).toBe(404);
  });
});

describe("a request that can't be served", () => {
  it("for a bucket that is not there is 404, whatever the method", async () => {
    for (const method of ["PUT", "GET", "DELETE"]) {
      const response = await ask("nowhere/keys/a", { method });
      expect(response.status).toBe(404);
      expect(await problemOf(response)).toMatchObject({
        code: "bucket_not_found",
        title: "Bucket not found",
      });
    }
  });

  it("for what it does not know of its query stores nothing", async () => {
    const keys = await bucket("queried");
    const response = await put(`${keys}/a?tll=60`);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: "query_invalid" });
    expect((await ask(`${keys}/a`)).status).toBe(404);
  });

  it("because it is no WebSocket says what it should be", async () => {
    const response = await exports.default.fetch(new Request("http://localhost/v1/connect"));
    expect(response.status).toBe(426);
    expect(response.headers.get("Upgrade")).toBe("websocket");
    expect(await problemOf(response)).toMatchObject({ code: "upgrade_required" });
  });

  it("by its method says which are allowed", async () => {
    const response = await ask("b/keys/a", { method: "PATCH" });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("PUT, GET, HEAD, DELETE");
    expect(await problemOf(response)).toMatchObject({ code: "method_not_allowed" });
  });

  it("by its method says so too where its query is no UTF-8", async () => {
    const keys = await bucket("wrong-method-and-query");
    const response = await ask(`${keys}?prefix=%FF`, { method: "POST" });
    expect(response.status).toBe(405);
    expect(await problemOf(response)).toMatchObject({ code: "method_not_allowed" });
    expect(await problemOf(await ask(`${keys}?prefix=%FF`))).toMatchObject({ code: "query_invalid" });
  });

  it("by its path is a problem too", async () => {
    const response = await exports.default.fetch(new Request("http://localhost/v2/nothing"));
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ code: "path_not_found" });
  });
});
