/** All workloads, in the order of the report. */

import type { Workload } from "../workload.ts";
import { http } from "./http.ts";

export const workloads: readonly Workload[] = [...http];
