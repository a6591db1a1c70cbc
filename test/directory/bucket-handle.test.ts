/** Which requests the bucket handle repeats when the connection to the bucket breaks. */

import { describe, expect, it } from "vitest";
import { BoundBucket } from "../../src/binding/bucket.ts";
import { Reach } from "../../src/binding/reach.ts";
import { runBatch, runTransaction } from "../../src/http/operations.ts";
import type { Context } from "../../src/http/context.ts";
import { BucketHandle } from "../../src/directory/bucket-handle.ts";
import { READ, type AskOptions, type Directory } from "../../src/directory/directory.ts";

const get = { op: "get", key: "k" };
const put = { op: "put", key: "k", value: "1" };

/** A directory of one bucket that writes down whether it may be asked once more. */
function listening(): { readonly directory: Directory; readonly heard: (AskOptions | undefined)[] } {
  const heard: (AskOptions | undefined)[] = [];
  const call = async (_name: string, _request: unknown, options?: AskOptions) => {
    heard.push(options);
    return { reply: { result: '{"succeeded":true,"results":[]}', replayed: false } };
  };
  const directory = { call };
  return { directory: directory as unknown as Directory, heard };
}

/** Whether a transaction is asked for once more where the connection breaks, over HTTP and by the binding. */
async function askedAgain(transaction: object, idempotencyKey?: string): Promise<(AskOptions | undefined)[]> {
  const { directory, heard } = listening();
  const headers = idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
  const request = new Request("http://localhost/", {
    method: "POST",
    body: JSON.stringify(transaction),
    headers,
  });
  await runTransaction(request, { bucket: new BucketHandle(directory, "b") } as unknown as Context);
  const bound = new BoundBucket(new Reach(() => directory, "b"));
  await bound.transaction(transaction, idempotencyKey === undefined ? {} : { idempotencyKey });
  return heard;
}

describe("a request whose connection to its bucket breaks", () => {
  it.each([
    { then: [get] },
    { else: [get, get] },
    { if: [{ key: "k", exists: true }], then: [get], else: [get] },
    {},
  ])("is asked once more where it is a transaction that only reads: %j", async (transaction) => {
    expect(await askedAgain(transaction)).toEqual([READ, READ]);
  });

  it.each([
    { then: [get, put] },
    { then: [get], else: [put] },
    { else: [{ op: "increment", key: "k" }] },
    { then: [{ op: "getAndDelete", key: "k" }] },
  ])("is not, where either way would change something: %j", async (transaction) => {
    expect(await askedAgain(transaction)).toEqual([undefined, undefined]);
  });

  it("is not, where its result is remembered", async () => {
    expect(await askedAgain({ then: [get] }, "once")).toEqual([undefined, undefined]);
  });

  it("is asked once more where it is a batch of reads", async () => {
    for (const [batch, options] of [
      [[get], READ],
      [[get, put], undefined],
    ] as const) {
      const { directory, heard } = listening();
      const request = new Request("http://localhost/", { method: "POST", body: JSON.stringify(batch) });
      await runBatch(request, { bucket: new BucketHandle(directory, "b") } as unknown as Context);
      expect(heard).toEqual([options]);
    }
  });
});
