/** Settings for servers on this machine, which differ from those of a deployment. */

/**
 * Used by `npm start` and `npm run dev`. Sweeps are frequent, so that a developer sees their effect. Their batches are
 * small, because a probe wakes its bucket, and ten thousand awake buckets take more than a gigabyte of memory.
 */
export const LOCAL_VARS = { KV_SWEEP_PERIOD_MS: "30000", KV_SWEEP_BATCH: "2" };
