/** Which requests may pass: tokens, origins, and what pages of other sites load. */

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/config/env.ts";
import { Auth } from "../../src/config/auth.ts";
import { failureOf } from "../../src/model/errors.ts";
import { subprotocol, turnedAway } from "../../src/http/guard.ts";
import { Target } from "../../src/http/target.ts";
import { ask, bucket, put } from "../support/http.ts";
import { settingsOf, type Settings } from "../../src/config/settings.ts";

const settings = (some: Partial<Settings>): Settings => ({
  ...settingsOf(env),
  token: undefined,
  openOnLoopback: false,
  origins: [],
  ...some,
});

/** The code with which a request is turned away; undefined if it is let in. */
function code(some: Partial<Settings>, url: string, init: RequestInit = {}): string | undefined {
  const all = settings(some);
  const request = new Request(url, init);
  return turnedAway(request, {
    settings: all,
    auth: new Auth(all),
    target: new Target(request.url),
  })?.code;
}

const URL_LOCAL = "http://localhost:8787/v1/buckets";
const URL_PUBLIC = "https://kv.example/v1/buckets";

describe("with a token", () => {
  const locked = { token: "s3cret" };
  it.each([
    ["the token", "Bearer s3cret", undefined],
    ["the token, the scheme in other letters", "bearer s3cret", undefined],
    ["more than the token", "Bearer s3cret more", "unauthorized"],
    ["a wrong token of the same length", "Bearer s3creT", "unauthorized"],
    ["a wrong token of another length", "Bearer s3cre", "unauthorized"],
    ["an empty token", "Bearer ", "unauthorized"],
    ["another scheme", "Basic s3cret", "unauthorized"],
  ])("a call that shows %s", (_, authorization, expected) => {
    expect(code(locked, URL_PUBLIC, { headers: { Authorization: authorization } })).toBe(expected);
  });

  it("a call without one is turned away, from this machine too", () => {
    expect(code(locked, URL_PUBLIC)).toBe("unauthorized");
    expect(code({ ...locked, openOnLoopback: true }, URL_LOCAL)).toBe("unauthorized");
  });

  it("a WebSocket may show it as a subprotocol", () => {
    const shown = (token: string): RequestInit => ({
      headers: { Upgrade: "websocket", "Sec-WebSocket-Protocol": `kv, kv.bearer.${btoa(token)}` },
    });
    expect(code(locked, URL_PUBLIC, shown("s3cret"))).toBeUndefined();
    expect(code(locked, URL_PUBLIC, shown("other!"))).toBe("unauthorized");
    expect(subprotocol(new Request(URL_PUBLIC, shown("s3cret")))).toEqual({ "Sec-WebSocket-Protocol": "kv" });
  });
});

describe("without a token", () => {
  it("a deployment serves nothing, whatever is shown", () => {
    expect(code({}, URL_PUBLIC)).toBe("auth_not_configured");
    expect(code({}, URL_LOCAL, { headers: { Authorization: "Bearer " } })).toBe("auth_not_configured");
  });

  it.each(["http://localhost:8787/", "http://127.0.0.1:8787/", "http://[::1]:8787/", "http://LOCALHOST/"])(
    "our own commands serve %s",
    (url) => {
      expect(code({ openOnLoopback: true }, url)).toBeUndefined();
    },
  );

  it("a name that only resolves to this machine is turned away", () => {
    expect(code({ openOnLoopback: true }, "http://evil.example:8787/v1/buckets")).toBe("host_not_allowed");
    expect(code({ openOnLoopback: true }, "http://localhost.evil.example/v1/buckets")).toBe(
      "host_not_allowed",
    );
  });
});

describe("a page of another origin", () => {
  const open = { openOnLoopback: true };
  const from = (origin: string, init: RequestInit = {}): RequestInit => ({
    ...init,
    headers: { ...(init.headers as Record<string, string>), Origin: origin },
  });

  it("may not open a WebSocket, with or without a token", () => {
    const upgrade = { headers: { Upgrade: "websocket" } };
    expect(code(open, URL_LOCAL, from("https://evil.example", upgrade))).toBe("origin_not_allowed");
    expect(code(open, URL_LOCAL, from("null", upgrade))).toBe("origin_not_allowed");
    expect(code(open, URL_LOCAL, from("http://localhost:8787", upgrade))).toBeUndefined();
  });

  it("may not change anything", () => {
    expect(code(open, URL_LOCAL, from("https://evil.example", { method: "POST" }))).toBe(
      "origin_not_allowed",
    );
    expect(code(open, URL_LOCAL, from("http://localhost:1234", { method: "PUT" }))).toBe(
      "origin_not_allowed",
    );
    expect(code(open, URL_LOCAL, from("http://localhost:8787", { method: "PUT" }))).toBeUndefined();
  });

  it("may, if KV_ORIGINS lists it", () => {
    const listed = { ...open, origins: ["https://app.example"] };
    expect(
      code(listed, URL_LOCAL, from("https://app.example", { headers: { Upgrade: "websocket" } })),
    ).toBeUndefined();
  });
});

describe("what a page of another site loads", () => {
  const crossSite = (headers: Record<string, string> = {}): RequestInit => ({
    headers: { "Sec-Fetch-Site": "cross-site", ...headers },
  });

  it("is nothing where there is no token, and with one the token decides", () => {
    expect(code({ openOnLoopback: true }, URL_LOCAL, crossSite())).toBe("origin_not_allowed");
    const shown = crossSite({ Authorization: "Bearer s3cret" });
    expect(code({ token: "s3cret" }, URL_PUBLIC, shown)).toBeUndefined();
  });

  it.each(["same-origin", "same-site", "none"])("is not what its browser calls %s", (site) => {
    expect(code({ openOnLoopback: true }, URL_LOCAL, crossSite({ "Sec-Fetch-Site": site }))).toBeUndefined();
  });

  it("may be anything, if KV_ORIGINS lists it", () => {
    const listed = { openOnLoopback: true, origins: ["https://app.example"] };
    expect(code(listed, URL_LOCAL, crossSite({ Origin: "https://app.example" }))).toBeUndefined();
    expect(code(listed, URL_LOCAL, crossSite({ Origin: "https://evil.example" }))).toBe("origin_not_allowed");
  });

  it("is kept from it by its browser, whatever the answer", async () => {
    const b = await bucket("resource policy");
    await put(`${b}/keys/k`);
    for (const [path, status] of [
      [`${b}/keys/k`, 200],
      [`${b}/keys/none`, 404],
      [`${b}/keys`, 200],
      ["none/keys/k", 404],
      [`${b}/nothing`, 404],
      [`${b}/keys/k?x=1`, 400],
    ] as const) {
      const response = await ask(path);
      expect([path, response.status, response.headers.get("Cross-Origin-Resource-Policy")]).toEqual([
        path,
        status,
        "same-origin",
      ]);
    }
  });
});

describe("settings", () => {
  it("limits connections to a quarter of the files that the engine may open, each takes two", () => {
    const max = (some: Partial<Env>): number => settingsOf({ ...env, ...some }).maxConnections;
    expect([max({}), max({ KV_FILES: "unlimited" }), max({ KV_FILES: "1024" })]).toEqual([
      10_000, 10_000, 256,
    ]);
    expect(max({ KV_FILES: "1024", KV_MAX_CONNECTIONS: "100" })).toBe(100);
  });

  it("refuses a token that other machines could guess", () => {
    const deployed: Env = { ...env, KV_OPEN: "" };
    expect(() => settingsOf({ ...deployed, KV_TOKEN: "fifteen letters" })).toThrow("at least 16");
    expect(settingsOf({ ...deployed, KV_TOKEN: "sixteen letters!" }).token).toBe("sixteen letters!");
    expect(settingsOf({ ...env, KV_TOKEN: "short" }).token).toBe("short");
  });

  it.each([
    ["KV_PARTITIONS", "0"],
    ["KV_PARTITIONS", "many"],
    ["KV_CALL_TIMEOUT_MS", "-5"],
    ["KV_DIRECTORY_NAMES", "1e9"],
    ["KV_ORIGINS", "example.com"],
    ["KV_OPEN", "yes"],
  ])("%s=%s is refused, by name", (name, value) => {
    let failure;
    try {
      settingsOf({ ...env, [name]: value });
    } catch (error) {
      failure = failureOf(error);
    }
    expect(failure).toMatchObject({
      code: "settings_invalid",
      detail: expect.stringContaining(name) as string,
    });
  });
});
