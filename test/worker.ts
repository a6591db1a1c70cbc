/** The Worker under test, and the tests' own process. */

export { default, Bucket, Registry } from "../src/index.ts";
export { Counter } from "./support/counter.ts";
