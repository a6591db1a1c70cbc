/**
 * A driver for unstorage 1 and 2 (https://unstorage.unjs.io) on a bucket. Does not import unstorage.
 *
 * In the example, `url` is a service's address.
 * @module durable-kv/unstorage
 */

export { durableKvDriver, durableKvDriver as default } from "./driver.ts";
export type { BoundService, Driver, DurableKvDriverOptions, ItemOptions } from "./types.ts";
