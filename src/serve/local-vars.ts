/** Settings of a server on this machine. */

/**
 * What is different on this machine: what is seldom in a deployment happens while somebody looks on. In small
 * batches, because a probe wakes its bucket, and ten thousand that are awake take more than a gigabyte.
 * Both `npm start` and `npm run dev` say so.
 */
export const LOCAL_VARS = { KV_SWEEP_PERIOD_MS: "30000", KV_SWEEP_BATCH: "2" };
