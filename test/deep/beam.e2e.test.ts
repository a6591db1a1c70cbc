/** The guide's model on a real BEAM, run beside the server: 50 Elixir processes compare every reply and monitor line. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { collect, startServer, type RunningServer } from "../e2e/support/server.ts";

const SECONDS = inject("sizes").beamSeconds;
const SEED = inject("seed");
const DRIVER = resolve(import.meta.dirname, "beam/driver.exs");
/** Fewer in a second say that something waits that should not, even on a busy machine. */
const LEAST_COMMANDS_PER_SECOND = 100;

/** Falsified replies and lines, each of which the driver has to notice. The first two: of a process's own name, of a shared one. */
const FALSIFIED = [
  ["value-mixup", /the replies differ/],
  ["old-value", /the value is old/],
  ["lost-end", /the replies differ/],
  ["lost-line", /monitor lines (?:differ|are missing)/],
  ["lost-value", /the value was lost/],
  ["wrong-reason", /for this reason|a permanent bucket ended so/],
  ["lost-shared-line", /its DOWN never came|a restart was not reported/],
] as const;

/** Each takes about ten seconds. */
const TRIED = SECONDS < 8 ? 1 : SECONDS < 60 ? 2 : FALSIFIED.length;

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly commands: number;
  readonly signals: number;
  readonly divergences: number;
}

let server: RunningServer;

/** Runs the driver to its end. */
async function drive(options: Readonly<Record<string, number | string>>): Promise<Run> {
  const given = { "tcp-port": server.tcpPort, "http-port": server.httpPort, seed: SEED, ...options };
  const child = spawn(
    "elixir",
    [DRIVER, ...Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)])],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const printed = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  const output = printed.text();
  const [commands = NaN, signals = NaN, divergences = NaN] = (
    /^beam: \d+ processes, (\d+) commands, (\d+) monitor lines, (\d+) divergences, seed \d+$/m.exec(output) ??
    []
  )
    .slice(1)
    .map(Number);
  return { code, output, commands, signals, divergences };
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

describe.runIf(isOnPath("elixir"))("the server beside a BEAM", () => {
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it(
    `agrees with the guide's registry on every reply and monitor line, for ${SECONDS} seconds`,
    async () => {
      const { code, output, commands, signals, divergences } = await drive({
        seconds: SECONDS,
        processes: 50,
      });
      console.log(output.trimEnd());
      expect(divergences, output).toBe(0);
      expect(code, output).toBe(0);
      expect(commands).toBeGreaterThan(SECONDS * LEAST_COMMANDS_PER_SECOND);
      expect(signals).toBeGreaterThan(0);
    },
    SECONDS * 1_000 + 120_000,
  );

  it.each(FALSIFIED.slice(0, TRIED))(
    "would be found to differ: %s",
    async (falsified, divergence) => {
      const run = await drive({ seconds: 12, wait: 2, processes: 20, break: falsified });
      expect(run.output).toMatch(divergence);
      expect(run.divergences).toBeGreaterThan(0);
      expect(run.code).toBe(1);
    },
    120_000,
  );
});
