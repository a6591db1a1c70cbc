#!/usr/bin/env node
/** The executable `kv`. */

import { runMain } from "./main-process.ts";

await runMain("kv", process.argv.slice(2));
