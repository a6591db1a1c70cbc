/** The directory: names and ids as one isolate knows them. */

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type AskIfAny, READ } from "../../src/directory/directory.ts";
import type { Reply } from "../../src/otp/exit.ts";
import type { BucketStub } from "../../src/rpc/bucket-rpc.ts";
import { ask, isolate } from "../support/directories.ts";

const put = (value: string) => (bucket: BucketStub) => bucket.put("milk", value);
const get = (bucket: BucketStub) => bucket.get("milk", {});

describe("a pid and a name", () => {
  it("whereis keeps to the bucket that it found, and call asks whichever bucket has the name", async () => {
    const [edge, other] = [isolate(), isolate()];
    await edge.directory.create("pinned");
    const pinned = edge.directory.whereis("pinned");
    const named = <T>(request: (bucket: BucketStub) => Promise<Reply<T>>) =>
      edge.directory.call("pinned", request);
    for (const asked of [pinned, named])
      expect(await asked(put("old"))).toMatchObject({ reply: { etag: expect.any(String) as string } });
    await other.directory.stop("pinned");
    expect(await pinned(get)).toBeUndefined();
    await other.directory.create("pinned");
    expect(await pinned(put("lost"))).toBeUndefined();
    expect(await named(get)).toMatchObject({ reply: { outcome: "absent" } });
    // What it found first it keeps, even if that was found by a caller who knew of another.
    const stale = isolate();
    await ask(stale.directory, "pinned", put("new"));
    await other.directory.stop("pinned");
    await other.directory.create("pinned");
    const found = stale.directory.whereis("pinned");
    expect(await found(put("newest"))).toMatchObject({ reply: { revision: 1 } });
    expect(await found(get)).toMatchObject({ reply: { entry: { value: "newest" } } });
  });
});

describe("a connection that breaks", () => {
  /** Breaks it as often as is said, and counts. */
  const breaking = (times: number) => {
    let asked = 0;
    const request = (bucket: BucketStub) => {
      asked += 1;
      return asked <= times ? Promise.reject(new Error("Network connection lost.")) : get(bucket);
    };
    return { request, asked: () => asked };
  };

  it("during a read is hidden: the read is repeated, twice at most, by name and by whereis", async () => {
    const { directory } = isolate();
    await directory.create("read-again");
    const named: AskIfAny = (request, options) => directory.call("read-again", request, options);
    for (const asks of [named, directory.whereis("read-again")]) {
      for (const times of [1, 2]) {
        const { request, asked } = breaking(times);
        expect(await asks(request, READ)).toMatchObject({ reply: { outcome: "absent" } });
        expect(asked()).toBe(times + 1);
      }
      expect(await asks(get, READ)).toMatchObject({ reply: { outcome: "absent" } });
    }
  });

  it("is reported if it breaks three times, or during anything but a read", async () => {
    const { directory } = isolate();
    await directory.create("not-again");
    const [read, other] = [breaking(3), breaking(1)];
    await expect(ask(directory, "not-again", read.request, READ)).rejects.toMatchObject({
      reason: "noconnection",
    });
    expect(read.asked()).toBe(3);
    await expect(ask(directory, "not-again", other.request)).rejects.toMatchObject({
      reason: "noconnection",
    });
    expect(other.asked()).toBe(1);
  });
});

describe("the hot path", () => {
  it("is one hop: a cached bucket is called without the registry", async () => {
    const edge = isolate();
    await edge.directory.create("hot");
    // A directory that can't reach any registry still gets through.
    const unreachable = { ...env, REGISTRY: undefined as unknown as typeof env.REGISTRY, BUCKET: env.BUCKET };
    const { Directory } = await import("../../src/directory/directory.ts");
    const hot = new Directory(
      unreachable,
      { partitions: 16, callTimeoutMs: 60_000 },
      edge.cache,
      () => undefined,
    );
    expect(await hot.call("hot", put("1"))).toMatchObject({ reply: { created: true } });
  });
});
