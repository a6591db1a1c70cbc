/** The published types of `durable-kv/worker` are true of the code behind them. Checked by tsc. */

import type * as published from "../../src/binding/worker.ts";
import * as embedded from "../../src/embed.ts";

// Each export, under its name, and none that is not published.
type Names<Module> = keyof Module;
embedded satisfies Record<Names<typeof published>, unknown>;
({}) as Record<Names<typeof published>, unknown> satisfies Record<Names<typeof embedded>, unknown>;

embedded.kvBinding satisfies typeof published.kvBinding;
embedded.default satisfies Pick<ExportedHandler, "fetch"> | typeof published.default;
