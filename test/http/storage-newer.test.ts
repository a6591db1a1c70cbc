/** A bucket whose data was written by a newer version, over every protocol. */

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { bucketOf } from "../support/faults.ts";
import { ask, bucket, jsonOf, post, put } from "../support/http.ts";

describe("a bucket whose data is of a newer version", () => {
  it("answers 503 in every protocol, and says what to do", async () => {
    const b = await bucket("storage newer");
    await put(`${b}/keys/milk`);
    const { id } = await jsonOf<{ id: string }>(await ask(b));
    await runInDurableObject(bucketOf(id), (_, { storage }) =>
      storage.kv.put("otp:versions", { otp: 99, data: 99 }),
    );
    await evictDurableObject(bucketOf(id));
    for (const response of [
      await ask(`${b}/keys/milk`),
      await ask(`${b}/keys/milk`, { method: "DELETE" }),
      await put(`${b}/keys/milk`),
      await post(`${b}/batch`, [{ op: "get", key: "milk" }]),
      await ask(`${b}/watch`),
      await ask(`${b}/export`),
      await post(`${b}/exit`, { reason: "spite" }),
      await ask(b, { method: "DELETE" }),
    ]) {
      expect([response.status, await response.json()]).toMatchObject([
        503,
        {
          code: "storage_newer",
          detail: expect.stringMatching(
            /version 99.* Nothing was read or changed\. Deploy the newer version again\./,
          ),
        },
      ]);
    }
    const lines = { method: "POST", body: `GET ${b} milk\nLOOKUP ${b}\n` };
    const replies = await exports.default.fetch(new Request("http://localhost/v1/commands", lines));
    expect(await replies.text()).toMatch(/^ERROR STORAGE_NEWER [^\r\n]+\r\n[0-9a-f]{64}\r\nOK\r\n$/);
    // Its name is kept, and so is what the registry knows of it.
    expect(await jsonOf(await ask(b))).toMatchObject({ status: "running", restarts: 0 });
  });
});
