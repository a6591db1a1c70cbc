#!/usr/bin/env node
/** The executable `durable-kv`: the server by default, and all commands of `kv`. */

import { withServe } from "./commands/serve.ts";
import { runMain } from "./main-process.ts";

await runMain("durable-kv", withServe(process.argv.slice(2)));
