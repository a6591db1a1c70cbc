/** `bucket.getAndDelete`, over HTTP and in a session. */

import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { DecodeError, Kv, PreconditionFailedError, text, type Bucket } from "../../src/client/index.ts";
import { server } from "../e2e/support/shared-server.ts";
import { scripted } from "../e2e/support/scripted-fetch.ts";
import { bucketOf } from "./support/shared-kv.ts";

const client = new Kv({ url: server.http, WebSocket });

describe.each(["over HTTP", "in a session"])("getAndDelete, %s,", (way) => {
  const inSession = way === "in a session";
  async function opened(title: string): Promise<Bucket> {
    const name = `taken-${title}-${inSession ? "session" : "http"}`;
    await bucketOf(name);
    return inSession ? client.bucket(name).session().bucket : client.bucket(name);
  }

  it("gives a value, with what is stored beside it", async () => {
    const bucket = await opened("entry");
    const { etag, revision } = await bucket.put("a", { n: 1 }, { metadata: [1], ttl: 60 });
    const entry = await bucket.getAndDeleteEntry("a");
    expect(entry).toMatchObject({ key: "a", value: { n: 1 }, etag, revision, metadata: [1] });
    expect(entry?.expires).toBeInstanceOf(Date);
    expect(await bucket.getAndDeleteEntry("a")).toBeUndefined();
  });

  it("gives a value of any size", async () => {
    const bucket = await opened("large");
    const large = "x".repeat(3_000_000);
    await bucket.put("a", large);
    expect((await bucket.getAndDelete("a")) === large).toBe(true);
    expect(await bucket.has("a")).toBe(false);
  });

  it("deletes nothing if its condition does not hold", async () => {
    const bucket = await opened("condition");
    const { etag } = await bucket.put("a", 1);
    const refused = bucket.getAndDelete("a", { ifMatch: "other" });
    await expect(refused).rejects.toBeInstanceOf(PreconditionFailedError);
    expect(await bucket.getAndDelete("a", { ifMatch: etag })).toBe(1);
  });

  it("gives what it can't decode with the error, because it is deleted", async () => {
    const bucket = await opened("undecodable");
    await client.bucket(bucket.name, { codec: text }).put("a", "no JSON");
    const error = await bucket.getAndDelete("a").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DecodeError);
    const { deleted } = (error as DecodeError).details as { readonly deleted: string | Uint8Array };
    expect(text.decode(deleted, "")).toBe("no JSON");
    expect(await bucket.get("a")).toBeUndefined();
  });
});

describe("getAndDelete whose connection breaks", () => {
  it("is not repeated, and may have deleted the value", async () => {
    const { asked, kv } = scripted("break");
    const error = await kv
      .bucket("b")
      .getAndDelete("a")
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "connection_lost", outcomeUnknown: true });
    expect(asked).toHaveLength(1);
  });
});
