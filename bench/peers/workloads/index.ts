/** All workloads, in the order of the report. */

import type { Workload } from "../workload.ts";
import { clientHttp } from "./client-http.ts";
import { client } from "./client.ts";
import { http } from "./http.ts";
import { million } from "./million.ts";
import { text } from "./text.ts";
import { values } from "./values.ts";

export const workloads: readonly Workload[] = [
  ...http,
  ...client,
  ...clientHttp,
  ...text,
  ...values,
  million,
];
