/** The service binding's errors, in one process and between two, and with an older compatibility date. */

import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../src/serve/bundle.ts";
import { temporaryFolder } from "../e2e/support/server.ts";

const ROOT = join(import.meta.dirname, "../..");
const TODAY = "2026-10-01";
/** Before errors kept their own members on their way. */
const BEFORE = "2025-01-01";

const HEARD = {
  "an entrypoint's verb": "bucket_name_invalid",
  "a bucket's verb": "bucket_not_found",
  "a verb of a bucket that is held": "bucket_not_found",
  "a namespace's verb": "key_invalid",
  "a Map": "body_invalid",
  "more than a message holds": "value_too_large",
  "shared memory": "value_invalid",
};

let script: string;
let service: {
  readonly name: string;
  readonly modules: true;
  readonly script: string;
  readonly compatibilityDate: string;
};
beforeAll(async () => {
  script = await bundle(join(import.meta.dirname, "../support/failing-caller.ts"));
  service = {
    name: "durable-kv",
    modules: true,
    script: await bundle(join(ROOT, "src/worker.ts")),
    compatibilityDate: TODAY,
  };
});

const objects = {
  durableObjects: {
    REGISTRY: { className: "Registry", useSQLite: true },
    BUCKET: { className: "Bucket", useSQLite: true },
  },
};
const caller = (compatibilityDate: string) => ({
  name: "caller",
  modules: true as const,
  script,
  compatibilityDate,
  serviceBindings: { KV: { name: "durable-kv", entrypoint: "KvEntrypoint" } },
});

const running: Miniflare[] = [];
const folders: ReturnType<typeof temporaryFolder>[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.dispose()));
  await Promise.all(folders.map((folder) => folder.remove()));
});
function started(one: Miniflare): Miniflare {
  running.push(one);
  return one;
}

describe("an error's code", () => {
  it.each([TODAY, BEFORE])("is the same in one process, to a Worker of %s", async (date) => {
    const both = started(
      new Miniflare(convertV4MiniflareOptions({ workers: [caller(date), { ...service, ...objects }] })),
    );
    expect(await (await both.dispatchFetch("http://caller/")).json()).toEqual(HEARD);
  });

  it.each([TODAY, BEFORE])("is the same between two, to a Worker of %s", async (date) => {
    const folder = temporaryFolder();
    folders.push(folder);
    const unsafeDevRegistryPath = folder.path;
    const there = started(
      new Miniflare(convertV4MiniflareOptions({ ...service, ...objects, unsafeDevRegistryPath })),
    );
    await there.ready;
    const here = started(
      new Miniflare(convertV4MiniflareOptions({ ...caller(date), unsafeDevRegistryPath })),
    );
    expect(await (await here.dispatchFetch("http://caller/")).json()).toEqual(HEARD);
  });
});
