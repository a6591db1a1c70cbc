/** The Worker under test, its objects with what the tests need beside, and the tests' own process. */

export { default, KvEntrypoint, KvNamespace } from "../src/worker.ts";
export { Counter } from "./support/counter.ts";
export { TestBucket as Bucket, TestRegistry as Registry } from "./support/objects.ts";
