/** The client's conditions: the same over HTTP and on a session. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv, PreconditionFailedError, type Bucket, type Session } from "../../src/client/index.ts";
import { server } from "../e2e/support/shared-server.ts";

type Numbers = Record<string, number>;

let bucket: Bucket<Numbers>;
let session: Session<Numbers>;
beforeAll(async () => {
  const kv = new Kv({ url: server.http });
  await kv.create("client-conditions");
  bucket = kv.bucket<Numbers>("client-conditions");
  session = bucket.session();
});
afterAll(() => session.close());

describe.each([
  ["over HTTP", () => bucket],
  ["on a session", () => session.bucket],
] as const)("a condition %s", (way, open) => {
  it.each([{ any: "*" }, { any: ["*"] }])("that is $any is of any entry", async ({ any }) => {
    const key = `any ${way} ${typeof any}`;
    await expect(open().put(key, 1, { ifMatch: any })).rejects.toBeInstanceOf(PreconditionFailedError);
    await open().put(key, 1, { ifNoneMatch: any });
    await expect(open().put(key, 2, { ifNoneMatch: any })).rejects.toBeInstanceOf(PreconditionFailedError);
    expect(await open().get(key)).toBe(1);
    await open().put(key, 2, { ifMatch: any });
    await expect(open().increment(key, { ifNoneMatch: any })).rejects.toBeInstanceOf(PreconditionFailedError);
    expect(await open().get(key)).toBe(2);
    expect(await open().delete(key, { ifMatch: any })).toBe(true);
  });

  it("is an etag, or one of several, or of none", async () => {
    const key = `tags ${way}`;
    const { etag } = await open().put(key, 1);
    const { etag: next } = await open().put(key, 2, { ifMatch: etag });
    await open().put(key, 3, { ifMatch: [etag, next], ifNoneMatch: etag });
    await expect(open().put(key, 4, { ifMatch: [] })).rejects.toBeInstanceOf(PreconditionFailedError);
    await open().put(key, 4, { ifNoneMatch: [] });
    expect(await open().get(key)).toBe(4);
  });

  const wrongs = ["", '"', 'a"b', "a b", "a\n", "\u0000", "é", 'W/"a"', "W/a", ["*", "a"], ["a", ""]];
  it.each(wrongs.map((wrong) => ({ wrong })))("can't be $wrong: nothing is sent", async ({ wrong }) => {
    const key = `wrong ${way}`;
    const { revision } = await open().put(key, 1);
    const refused = { name: "InvalidRequestError", code: "etag_invalid", outcomeUnknown: false };
    for (const condition of [{ ifMatch: wrong }, { ifNoneMatch: wrong }]) {
      for (const work of [
        () => open().put(key, 2, condition),
        () => open().delete(key, condition),
        () => open().increment(key, condition),
        () => open().batch([{ op: "get", key, ...condition }]),
        () => open().transaction({ then: [{ op: "put", key, value: 2, ...condition }] }),
      ]) {
        const error: unknown = await work().catch((caught: unknown) => caught);
        expect(error).toMatchObject(refused);
      }
    }
    expect(await open().entry(key)).toMatchObject({ value: 1, revision });
  });
});
