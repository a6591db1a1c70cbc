/** The order to shut down. */

import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { bundle } from "../../src/serve/bundle.ts";
import { aborted, watchForShutdown } from "../../src/serve/shutdown.ts";
import { startEngine } from "../../src/serve/engine.ts";
import { temporaryFolder } from "../e2e/support/server.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

describe("the order to end", () => {
  const before = SIGNALS.map((signal) => process.listeners(signal));
  afterEach(() => {
    SIGNALS.forEach((signal, index) => {
      for (const listener of process.listeners(signal)) {
        if (!before[index]?.includes(listener)) process.removeListener(signal, listener);
      }
    });
  });

  it.each(SIGNALS)("is %s", async (signal) => {
    const ending = watchForShutdown({ parent: undefined });
    expect(ending.aborted).toBe(false);
    process.emit(signal, signal);
    await aborted(ending);
  });

  it("is the loss of the shell, even if the shell was lost before the watch began", async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    expect(watchForShutdown({ parent: gone }).aborted).toBe(true);
    expect(watchForShutdown({ parent: process.ppid }).aborted).toBe(false);
    // A shell that has become us, as some do, can't be lost.
    expect(watchForShutdown({ parent: process.pid }).aborted).toBe(false);
  });
});

describe("a start that is told to end", () => {
  const folder = temporaryFolder();
  afterEach(() => folder.remove());

  it.each(["before the engine is there", "while it starts"])("leaves nothing behind: %s", async (when) => {
    const ending = new AbortController();
    if (when === "before the engine is there") ending.abort();
    const starting = startEngine(
      await bundle("test/serve/nothing.ts"),
      {
        worker: { compatibilityDate: "2026-10-01", vars: {}, objects: {} },
        http: "127.0.0.1:0",
        tcp: undefined,
        data: folder.path,
        scratch: false,
        inherited: [],
        // Told as soon as there is a process to tell.
        started: () => ending.abort(),
      },
      ending.signal,
    );
    await expect(starting).rejects.toThrow("aborted");
  });
});
