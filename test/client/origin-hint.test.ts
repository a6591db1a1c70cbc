/** A page of another origin, whose browser does not say why a request failed. */

import { afterEach, expect, it, vi } from "vitest";
import { Kv } from "../../src/client/index.ts";

const kv = new Kv({
  url: "https://kv.example",
  retries: 0,
  fetch: () => Promise.reject(new TypeError("Failed to fetch")),
});
const messageOf = (): Promise<string> =>
  kv
    .bucket("b")
    .put("k", 1)
    .then(
      () => expect.unreachable(),
      (error: Error) => error.message,
    );

afterEach(() => vi.unstubAllGlobals());

it("is told of KV_ORIGINS when a request of its page fails", async () => {
  vi.stubGlobal("location", { origin: "https://app.example" });
  expect(await messageOf()).toMatch(/serves pages of https:\/\/app\.example only if its setting KV_ORIGINS/);
});

it("is not told of it where the page is the service's own, or there is no page", async () => {
  vi.stubGlobal("location", { origin: "https://kv.example" });
  expect(await messageOf()).not.toContain("KV_ORIGINS");
  vi.unstubAllGlobals();
  expect(await messageOf()).not.toContain("KV_ORIGINS");
});
