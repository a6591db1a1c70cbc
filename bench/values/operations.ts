/** Batches, transactions, and a counter with many clients. */

import { ask, requests } from "./requests.ts";

const IN_BATCH = 100;
const IN_TRANSACTION = 10;
/** Keys written in rotation: too many for the processor's caches, and few enough that all exist soon. */
const KEYS = 1_000;
const VALUE_BYTES = 100;

/** The key that every transaction compares, and its value. */
const GUARD = { key: "guard", value: "open" };

let written = 0;

export const operations = [
  requests({
    name: `batch of ${IN_BATCH} puts`,
    unit: "puts/s",
    connections: 4,
    count: IN_BATCH,
    method: "POST",
    path: { ours: "/batch", bare: "/batch" },
    body: (name) =>
      name === "ours" ? JSON.stringify(puts(IN_BATCH).map(operation)) : JSON.stringify(puts(IN_BATCH)),
    // Also a batch whose operations have all failed has the status 200.
    says: '"created"',
  }),
  requests({
    name: `transaction of ${IN_TRANSACTION} puts, one comparison`,
    unit: "transactions/s",
    connections: 4,
    method: "POST",
    path: { ours: "/transaction", bare: "/transaction" },
    body: (name) =>
      JSON.stringify(
        name === "ours"
          ? { if: [GUARD], then: puts(IN_TRANSACTION).map(operation) }
          : { key: GUARD.key, equals: GUARD.value, puts: puts(IN_TRANSACTION) },
      ),
    says: '"succeeded":true',
    fill: async (server) => {
      const body = JSON.stringify(server.name === "ours" ? [operation(GUARD)] : [GUARD]);
      await ask(server, "/batch", { method: "POST", body });
    },
  }),
  requests({
    name: "increment",
    unit: "increments/s",
    connections: 8,
    method: "POST",
    path: { ours: "/keys/counter/increment", bare: "/increment/counter" },
  }),
] as const;

interface Put {
  readonly key: string;
  readonly value: string;
}

/** A new value each time, because SQLite does not write an unchanged row. */
function puts(count: number): Put[] {
  return Array.from({ length: count }, () => {
    written += 1;
    return { key: `key-${written % KEYS}`, value: String(written).padStart(VALUE_BYTES, "0") };
  });
}

function operation(put: Put): Put & { readonly op: "put" } {
  return { op: "put", ...put };
}
