/** `npm run bench`: this service compared with a minimal Worker that does the same, in two to three minutes. */

import { rawClient, isWholeResponse } from "./load/client.ts";
import { measure, median, type Result } from "./load/measure.ts";
import { createPath, prepare, scenarios, type Scenario } from "./scenarios.ts";
import { startBare, startOurs, type Server } from "./servers.ts";

/** Milliseconds per scenario, server and round. The whole run stays under three minutes. */
const ROUND_MS = 1_200;
/** More rounds for scenarios with a target ratio: on a shared machine, single rounds differ by a third. */
const ROUNDS = { targeted: 5, other: 3 };
const CREATES = 1_000;

/** @param only part of the names of the scenarios to run; undefined for all, and the creates */
export async function againstBare(only: string | undefined): Promise<void> {
  const servers = [await startOurs(), await startBare()];
  try {
    for (const server of servers) await prepare(server);
    const rows = [];
    for (const scenario of scenarios.filter(({ name }) => only === undefined || name.includes(only))) {
      rows.push(await compare(servers, scenario));
    }
    console.log(
      `Medians of ${ROUNDS.other} alternating rounds, or ${ROUNDS.targeted} for a target, of ${ROUND_MS} ms. Rates are commands per second, latencies milliseconds per exchange.\n`,
    );
    console.table(Object.fromEntries(rows));
    if (only === undefined) {
      console.log(`\n${CREATES} sequential creates:\n`);
      const creates = [];
      for (const server of servers) creates.push([server.name, await createMany(server)] as const);
      console.table(Object.fromEntries(creates));
    }
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function compare(
  servers: readonly Server[],
  scenario: Scenario,
): Promise<[string, Record<string, string>]> {
  const results: Record<Server["name"], Result[]> = { ours: [], bare: [] };
  const ratios: number[] = [];
  const rounds = scenario.target === undefined ? ROUNDS.other : ROUNDS.targeted;
  for (let round = 0; round < rounds; round += 1) {
    // Alternate the order, so that a machine that slows down favours neither.
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      results[server.name].push(await measure(scenario.load(server), ROUND_MS));
    }
    ratios.push(Number(results.ours.at(-1)?.rate) / Number(results.bare.at(-1)?.rate));
  }
  const of = (name: Server["name"], figure: keyof Result, digits: number): string =>
    median(results[name].map((result) => result[figure])).toFixed(digits);
  const ratio = median(ratios);
  const { target } = scenario;
  return [
    scenario.name,
    {
      "ours/s": of("ours", "rate", 0),
      "bare/s": of("bare", "rate", 0),
      ratio: ratio.toFixed(2),
      target: target === undefined ? "" : `${target.toFixed(2)} ${ratio >= target ? "met" : "MISSED"}`,
      "ours p50": of("ours", "p50", 2),
      "bare p50": of("bare", "p50", 2),
      "ours p99": of("ours", "p99", 2),
      "bare p99": of("bare", "p99", 2),
    },
  ];
}

async function createMany(server: Server): Promise<Record<string, string>> {
  const before = server.memory();
  const client = await rawClient(
    server.http,
    () => `PUT ${createPath(server)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
    isWholeResponse,
  );
  const started = performance.now();
  for (let made = 0; made < CREATES; made += 1) await client.exchange();
  const seconds = (performance.now() - started) / 1_000;
  client.close();
  return {
    seconds: seconds.toFixed(2),
    "ms each": ((seconds * 1_000) / CREATES).toFixed(2),
    "MB more": (server.memory() - before).toFixed(0),
  };
}
