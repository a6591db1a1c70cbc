/** The client's deadlines, which are the only ones: Node's `fetch` has limits of its own, of 300 s. */

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fetchChecked, fetchUnchecked } from "../e2e/support/checked-fetch.ts";
import { Kv } from "../../src/client/index.ts";

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
type AgentClass = new (options: { headersTimeout: number; bodyTimeout: number }) => object;
const platform = globalThis as { [DISPATCHER]?: object };

const usual = (void Headers, platform[DISPATCHER]);
beforeEach(() => {
  globalThis.fetch = fetchUnchecked;
  // Node's limits are a few hundred seconds: here they are as short as they can be.
  const Agent = usual?.constructor as AgentClass;
  platform[DISPATCHER] = new Agent({ headersTimeout: 1, bodyTimeout: 1 });
});
afterEach(() => {
  globalThis.fetch = fetchChecked;
  if (usual !== undefined) platform[DISPATCHER] = usual;
});

it.each(["before it answers", "in the middle of its answer"])(
  "a service that says nothing %s for longer than Node would wait is waited for",
  async (when) => {
    const open: ServerResponse[] = [];
    const silent = createServer((_, response) => {
      response.setHeader("Content-Type", "application/x-ndjson");
      if (when !== "before it answers") response.write('{"key":"a",');
      open.push(response);
    }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;

    const exporting = new Kv({ url, timeoutMs: 3_600_000 }).bucket("b").export();
    const exported = exporting.then((lines) => new Response(lines).text());
    // Another one, which has only Node's limits, shows that they have passed.
    const impatient = fetch(url).then((response) => response.text());
    await expect(impatient).rejects.toThrow();
    for (const response of open) response.end('"value":"1"}\n');
    expect(await exported).toContain('"value":"1"}\n');
    silent.closeAllConnections();
    silent.close();
  },
);
