/** Writes of more keys than one request takes: what has become of them when a later request fails. */

import { describe, expect, it } from "vitest";
import { Kv, type KvError } from "../../src/client/index.ts";
import { KeyvDurableKv } from "../../src/keyv/index.ts";
import { durableKvDriver } from "../../src/unstorage/index.ts";
import { server } from "../e2e/support/shared-server.ts";
import { kv as plain } from "./support/shared-kv.ts";

/** A client whose batches are refused by the machine from the second on. */
function once(): Kv {
  let batches = 0;
  return new Kv({
    url: server.http,
    retries: 0,
    fetch: (url, init) => {
      if (!url.endsWith("/batch") || (batches += 1) === 1) return fetch(url, init);
      const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return Promise.reject(new TypeError("fetch failed", { cause }));
    },
  });
}

const KEYS = Array.from({ length: 1_500 }, (_, n) => `k${n}`);
const caught = (work: Promise<unknown>): Promise<KvError> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => error as KvError,
  );

describe("a write of many keys that fails", () => {
  it("is of unknown outcome if a later request was not sent, and says how much was done: unstorage", async () => {
    const driver = durableKvDriver({ kv: once(), bucket: "many-unstorage" });
    await plain.create("many-unstorage");
    const error = await caught(driver.setItems(KEYS.map((key) => ({ key, value: "1" }))));
    expect(error).toMatchObject({ outcomeUnknown: true, details: { done: 1_000 } });
    expect((await plain.lookup("many-unstorage"))?.entries).toBe(1_000);
  });

  it("is of unknown outcome if a later request was not sent, and says how much was done: keyv", async () => {
    const store = new KeyvDurableKv({ kv: once(), bucket: "many-keyv" });
    await plain.create("many-keyv");
    const error = await caught(store.setMany(KEYS.map((key) => ({ key, value: 1 }))));
    expect(error).toMatchObject({ outcomeUnknown: true, details: { done: 1_000 } });
    const deleting = new KeyvDurableKv({ kv: once(), bucket: "many-keyv" });
    const refused = await caught(deleting.deleteMany(KEYS));
    expect(refused).toMatchObject({ outcomeUnknown: true, details: { done: 1_000 } });
    expect((await plain.lookup("many-keyv"))?.entries).toBe(0);
  });

  it("was not done if nothing was, and is partly done if a batch before it was", async () => {
    const driver = durableKvDriver({ kv: plain, bucket: "many-long", create: {} });
    const long = { key: "k".repeat(5_000), value: "1" };
    expect(await caught(driver.setItems([long]))).toMatchObject({
      code: "key_too_long",
      outcomeUnknown: false,
    });
    const error = await caught(driver.setItems([...KEYS.map((key) => ({ key, value: "1" })), long]));
    expect(error).toMatchObject({ code: "key_too_long", outcomeUnknown: true, details: { done: 1_000 } });
  });
});
