/** Migrations of what a process keeps of itself, beside what its class keeps: its life, monitors, notices, timers. */

import type { Migrated, Migrations } from "./migrations.ts";

export const PROCESS_MIGRATIONS: Migrations = {
  steps: [restartKinds, ownPrefix],
  // Data without a mark is of one of two stages. The older one kept the arguments of a process alone, where the other
  // keeps them as a member, and `true` as its end, where the other keeps the reason.
  unmarked: ({ kv }) => {
    const life = kv.get<object>("process");
    if (life === undefined) return kv.get("ended") === true ? 0 : 1;
    return "args" in life ? 1 : 0;
  },
};

/**
 * Version 1, before the first release: restart kinds, reasons of ends, timers under keys. The timers of the stage before
 * go: its registry sets them again from its table, and its buckets had none.
 */
function restartKinds({ sql, kv }: Migrated): void {
  const args = kv.get<object>("process");
  if (args !== undefined) kv.put("process", { args, restart: "permanent", restarts: 0, recent: [] });
  if (kv.get("ended") === true) kv.put("ended", "normal");
  sql.exec("DROP TABLE IF EXISTS timers");
}

/** Version 2, 0.1: all keys of a process begin with `otp:`, so that its class can use every other one. */
function ownPrefix({ kv }: Migrated): void {
  const keys = [...kv.list()].map(([key]) => key);
  for (const key of keys.filter((each) => /^(process|ended)$|^(timer|monitor|notice)\//.test(each))) {
    kv.put(`otp:${key}`, kv.get(key));
    kv.delete(key);
  }
  // Code from before this step would take an object without "process" for one that was never started, and its registry
  // would free the name. This stops that code as soon as it wakes the object, before it answers or writes anything.
  if (keys.includes("process")) kv.put("process", FENCE);
}

/** Code from before version 2 fails on any text here, and its error quotes this one. */
const FENCE = "data of a newer version of Durable KV. Deploy the newer version again.";
